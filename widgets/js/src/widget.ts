// What every entry in widgets/ is made with: a box with words instead of a blank where a widget cannot be drawn.
import { h } from "./dom";
import type { Host, Model } from "./types";
import { type Context, mount, type Shown, type View } from "./view";
// The last, since it says what holds without motion and in forced colours.
import "./styles/contrast.css";

interface RenderArgs {
  model: Model;
  el: HTMLElement;
  host?: Host;
}

/** A widget as anywidget takes it. */
export interface Widget {
  render(args: RenderArgs): () => void;
}

/** The widget of a view. */
export function widget<S extends Shown>(make: (context: Context) => View<S>): Widget {
  return {
    render({ model, el, host }) {
      try {
        return mount(make, model, host, el);
      } catch (error) {
        el.append(
          h(
            "div",
            { class: "mooring" },
            h("div", { class: "m-banner", role: "alert" }, `This widget could not be drawn: ${String(error)}`),
          ),
        );
        return () => el.replaceChildren();
      }
    },
  };
}
