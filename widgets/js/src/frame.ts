// The frame of a dependent view: whose data this is, and whether it is loading, fresh, empty or failed.
import { Age } from "./age";
import type { Channel } from "./channel";
import { attribute, h, text, uid } from "./dom";
import { type Action, Notice } from "./notice";
import type { ViewState } from "./types";

/** Heading, state and error around a view's body. */
export class Frame {
  readonly root: HTMLElement;
  readonly body = h("div", { class: "m-body" });
  private readonly title = h("h3", { class: "m-title", id: uid("title") });
  private readonly session = h("span", { class: "m-session" });
  private readonly summary = h("span", { class: "m-muted m-summary", role: "status" });
  private readonly spinner = h("span", { class: "m-spinner", "aria-hidden": "true", hidden: true });
  private readonly age = new Age();
  private readonly notice = new Notice();
  private height = 0;
  private readonly empty = h("p", { class: "m-empty", hidden: true });

  constructor(
    kind: string,
    private readonly channel: Channel,
  ) {
    this.root = h(
      "div",
      { class: `m-view m-${kind}`, role: "group", "aria-labelledby": this.title.id },
      h("div", { class: "m-head" }, this.title, this.session, this.spinner, this.summary, this.age.root),
      this.notice.root,
      this.empty,
      this.body,
    );
    new ResizeObserver(() => {
      if (!this.body.style.minHeight) this.height = this.body.offsetHeight;
    }).observe(this.body);
  }

  /** To be called before the body changes: while it loads it stays as high as it was, so that the page does not jump. */
  hold(state: ViewState): void {
    if (state.status !== "loading") this.body.style.minHeight = "";
    else if (!this.body.style.minHeight && this.height) this.body.style.minHeight = `${this.height}px`;
  }

  /**
   * `here` says whether there is anything to show, `summary` is said about it; `empty` is what to do without. `ways`
   * stand before the one to try again.
   */
  paint(state: ViewState, here: boolean, summary: string, empty: string, ways: Action[] = []): void {
    const busy = state.status === "loading" || state.refreshing;
    const nothing = state.status === "empty";
    text(this.title, state.title);
    text(this.session, state.session_label);
    attribute(this.session, "title", state.session_label);
    this.spinner.hidden = !busy;
    text(
      this.summary,
      state.status === "loading"
        ? "Loading…"
        : state.refreshing
          ? "Refreshing…"
          : state.status === "error"
            ? ""
            : summary,
    );
    this.age.show(here || nothing ? (state.as_of ?? null) : null);
    this.empty.hidden = !nothing;
    text(this.empty, nothing ? empty : "");
    this.body.hidden = nothing || (state.status === "error" && !here);
    this.body.classList.toggle("m-stale", state.refreshing || state.status === "error");
    this.root.setAttribute("aria-busy", String(busy));
    this.notice.show(state.error, [
      ...ways,
      { label: "Try again", run: () => void this.channel.request("retry").catch(() => undefined) },
    ]);
  }
}
