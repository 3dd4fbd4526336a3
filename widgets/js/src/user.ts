// A user's own view: what the function returned, shown as far as it is safe to.
import { h } from "./dom";
import { Frame } from "./frame";
import { harmless, sandboxed } from "./sanitize";
import type { ViewState } from "./types";
import type { Context, View } from "./view";

type Output =
  | { kind: "html"; html: string }
  | { kind: "svg"; svg: string }
  | { kind: "text"; text: string }
  | { kind: "widget"; model_id: string; anywidget: boolean };

interface UserState extends ViewState {
  output: Output | null;
  /** Rises with every run of the function. */
  run: number;
  /** Where the function failed, as Python tells it. */
  traceback: string;
}

// A table from pandas brings no look of its own; this is the notebook's for what a cell puts out.
const TABLE_STYLE = `
  :host { display: block; overflow: auto; color: inherit; line-height: 1.4; }
  table { margin: 0; border: 0; border-collapse: collapse; font-size: 12px; font-variant-numeric: tabular-nums; }
  caption { padding: 4px 8px; text-align: left; color: var(--m-muted); }
  thead { border-bottom: 1px solid var(--m-strong-line); }
  th, td { max-width: 40ch; padding: 5px 10px; overflow: hidden; border: 0; text-align: right; text-overflow: ellipsis; vertical-align: middle; white-space: nowrap; }
  th { font-weight: 600; }
  tbody th { text-align: left; vertical-align: top; }
  tbody tr:nth-child(even) { background: var(--m-stripe); }
  tbody tr:hover { background: var(--m-row-hover); }`;

export class UserView implements View<UserState> {
  readonly root: HTMLElement;
  private readonly frame: Frame;
  private readonly output = h("div", { class: "m-output" });
  private readonly traceback = h("pre", {
    class: "m-traceback",
    tabindex: "0",
    role: "group",
    "aria-label": "Traceback",
  });
  private readonly details = h(
    "details",
    { class: "m-details", hidden: true },
    h("summary", {}, "Traceback"),
    this.traceback,
  );
  private drawn = "";
  private forget: () => void = () => undefined;

  constructor(private readonly context: Context) {
    this.frame = new Frame("user", context.channel);
    this.root = this.frame.root;
    this.frame.body.append(this.output);
    this.root.append(this.details);
  }

  setState(state: UserState): void {
    this.frame.hold(state);
    const key = `${state.session} ${state.epoch} ${state.output ? state.run : "none"}`;
    if (key !== this.drawn) {
      this.drawn = key;
      this.draw(state.output, state.title);
    }
    this.details.hidden = !state.traceback;
    this.traceback.textContent = state.traceback;
    this.frame.paint(state, !!state.output, "", "");
  }

  dispose(): void {
    this.forget();
  }

  private draw(output: Output | null, title: string): void {
    this.forget();
    this.forget = () => undefined;
    this.output.replaceChildren();
    if (!output) return;
    switch (output.kind) {
      case "html":
        return this.drawHtml(output.html, title);
      case "svg":
        // As an image: neither scripts nor links inside it run.
        this.output.append(
          h("img", {
            class: "m-image",
            alt: title,
            src: `data:image/svg+xml;charset=utf-8,${encodeURIComponent(output.svg)}`,
          }),
        );
        return;
      case "text":
        this.output.append(h("pre", { class: "m-text" }, output.text));
        return;
      case "widget":
        void this.embed(output.model_id, output.anywidget).catch((error: unknown) => {
          this.output.append(
            h("p", { class: "m-empty" }, `This widget cannot be shown here: ${String(error)}`),
          );
        });
    }
  }

  private drawHtml(html: string, title: string): void {
    const fragment = harmless(html);
    if (fragment) {
      const holder = h("div", {});
      holder.attachShadow({ mode: "open" }).append(h("style", {}, TABLE_STYLE), fragment);
      this.output.append(holder);
    } else {
      const { frame, dispose } = sandboxed(html, title);
      this.forget = dispose;
      this.output.append(frame);
    }
  }

  private async embed(id: string, anywidget: boolean): Promise<void> {
    const stop = new AbortController();
    const holder = h("div", {});
    this.forget = () => stop.abort();
    this.output.append(holder);
    const { host, model } = this.context;
    if (anywidget && host) {
      const widget = await host.getWidget(`anywidget:${id}`);
      if (!stop.signal.aborted) await widget.render({ el: holder, signal: stop.signal });
      return;
    }
    const manager = model.widget_manager;
    if (!manager?.get_model || !manager.create_view) throw new Error("this notebook shows anywidgets only");
    const view = await manager.create_view(await manager.get_model(id));
    if (stop.signal.aborted) return view.remove?.();
    stop.signal.addEventListener("abort", () => view.remove?.());
    holder.append(view.el);
  }
}
