// What goes wrong, said in place: the message, what to do about it, and a way to try again.
import { attribute, h, text, uid } from "./dom";
import type { Silence } from "./heartbeat";
import type { Failure } from "./types";
import "./styles/notices.css";

export const SILENCES: Record<Silence, string> = {
  busy: "The kernel is busy with a cell. This works again when it has finished.",
  silent: "The kernel is not answering: busy, or gone. If it stays so, run the cell with connect() again.",
  ended: "The kernel was restarted or has ended, and this widget with it. Run its cell again, after the one with connect().",
  offline: "This page has lost Jupyter. It tries again by itself; what you see may be old.",
  unrun: "No kernel runs this notebook: this is what was saved. Run its cells to use it.",
};
export const SILENT_KERNEL = SILENCES.silent;

/** What a person can do about a failure. */
export function hintOf(failure: Failure): string {
  return failure.hint || "Try again. If it fails again, run the cell with connect() again.";
}

export interface Action {
  label: string;
  run(): void;
}

/** A strip for one failure; not in the page's flow while there is none. */
export class Notice {
  readonly root: HTMLElement;
  private readonly message = h("span", { class: "m-notice-text" });
  private readonly buttons = h("span", { class: "m-notice-actions" });
  private readonly hint = h("p", { class: "m-hint", id: uid("hint"), hidden: true });
  private readonly help: HTMLButtonElement;
  private shown = "";

  constructor() {
    this.help = h(
      "button",
      {
        type: "button",
        class: "m-link",
        "aria-expanded": "false",
        "aria-controls": this.hint.id,
        onclick: () => this.toggle(),
      },
      "What to do",
    );
    this.root = h(
      "div",
      { class: "m-notice", hidden: true },
      h(
        "div",
        { class: "m-notice-row", role: "alert" },
        h("span", { class: "m-notice-mark", "aria-hidden": "true" }, "!"),
        this.message,
      ),
      this.buttons,
      this.hint,
    );
  }

  show(failure: Failure | null, actions: Action[] = [], hint?: string): void {
    const key = failure
      ? `${failure.kind} ${failure.reason} ${failure.message} ${actions.map((a) => a.label).join()}`
      : "";
    if (key === this.shown) return;
    this.shown = key;
    attribute(this.root, "hidden", !failure);
    if (!failure) return;
    text(this.message, failure.message);
    text(this.hint, hint ?? hintOf(failure));
    this.hint.hidden = true;
    attribute(this.help, "aria-expanded", "false");
    const made = actions.map(({ label, run }) =>
      h("button", { type: "button", class: "m-button", onclick: run }, label),
    );
    this.buttons.replaceChildren(...made, this.help);
  }

  private toggle(): void {
    this.hint.hidden = !this.hint.hidden;
    attribute(this.help, "aria-expanded", String(!this.hint.hidden));
  }
}

/** The banner for a widget that nothing answers. */
export function banner(): { root: HTMLElement; show(silence: Silence | null): void } {
  const words = h("span", {});
  const mark = h("span", { class: "m-notice-mark", "aria-hidden": "true" }, "!");
  const root = h("div", { class: "m-banner m-silence", hidden: true }, mark, words);
  return {
    root,
    show(silence) {
      root.hidden = !silence;
      // A busy kernel is no fault: that is said when there is a pause.
      attribute(root, "role", silence === "busy" ? "status" : "alert");
      root.classList.toggle("m-calm", silence === "busy");
      text(mark, silence === "busy" ? "…" : "!");
      text(words, silence ? SILENCES[silence] : "");
    },
  };
}
