// The entry: which view a widget is, and a box with words instead of a blank where one cannot be drawn.
import { h } from "./dom";
import { ImportForm } from "./importing";
import { Landscape } from "./landscape";
import { Selector } from "./selector";
import { FormView } from "./standalone";
import { Table } from "./table";
import type { Host, Model } from "./types";
import { UserView } from "./user";
import { mount } from "./view";

interface RenderArgs {
  model: Model;
  el: HTMLElement;
  host?: Host;
}

type Mount = (model: Model, host: Host | undefined, el: HTMLElement) => () => void;

const VIEWS: Record<string, Mount> = {
  selector: (...args) => mount(({ channel }) => new Selector(channel), ...args),
  form: (...args) => mount((context) => new FormView(context), ...args),
  table: (...args) => mount((context) => new Table(context), ...args),
  import: (...args) => mount((context) => new ImportForm(context), ...args),
  landscape: (...args) => mount((context) => new Landscape(context), ...args),
  user: (...args) => mount((context) => new UserView(context), ...args),
};

function render({ model, el, host }: RenderArgs): () => void {
  try {
    const kind = String(model.get("_view"));
    const view = VIEWS[kind];
    if (!view) throw new Error(`there is no view "${kind}"`);
    return view(model, host, el);
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
}

export default { render };
