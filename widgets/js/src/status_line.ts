// How things stand, in a few words: the connection, a switch under way, and what was just done.
import { h, text } from "./dom";
import type { SelectorState } from "./types";

export const CONNECTION: Record<SelectorState["connection"], string> = {
  live: "Live",
  connecting: "Connecting…",
  disconnected: "Disconnected",
};
const SHOWN_MS = 4000;

/** A line for who looks, and a polite live region for who listens. */
export class StatusLine {
  readonly root: HTMLElement;
  /** To be put where nothing hides it. */
  readonly live = h("div", { class: "m-hidden", role: "status", "aria-live": "polite" });
  private readonly pending = h(
    "span",
    { class: "m-pending", hidden: true },
    h("span", { class: "m-spinner", "aria-hidden": "true" }),
    "Switching…",
  );
  private readonly connection = h(
    "span",
    { class: "m-status" },
    h("span", { class: "m-dot", "aria-hidden": "true" }),
    h("span", {}),
  );
  private readonly done = h("span", { class: "m-done m-muted", "aria-hidden": "true" });
  private timer: ReturnType<typeof setTimeout> | undefined;
  private spoken = "";

  constructor() {
    this.root = h("div", { class: "m-state" }, this.pending, this.connection, this.done);
  }

  paint(connection: SelectorState["connection"], pending: boolean): void {
    this.pending.hidden = !pending || connection !== "live";
    this.connection.hidden = !this.pending.hidden;
    this.connection.dataset["connection"] = connection;
    text(this.connection.lastElementChild!, CONNECTION[connection]);
  }

  /** Announces politely; the same words twice are said twice. */
  say(message: string): void {
    this.spoken = this.spoken === message ? `${message}\u00a0` : message;
    text(this.live, this.spoken);
  }

  /** Announces, and shows for a while, what nothing else on the page shows. */
  show(message: string): void {
    this.say(message);
    text(this.done, message);
    this.done.title = message;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => text(this.done, ""), SHOWN_MS);
  }

  dispose(): void {
    clearTimeout(this.timer);
  }
}
