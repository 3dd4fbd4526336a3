// A user's own view: what the function returned, shown as far as it is safe to.
import { failureOf } from "./channel";
import { type Embedded, place } from "./embed";
import { attribute, h, text } from "./dom";
import { Frame } from "./frame";
import { Notice } from "./notice";
import { harmless, sandboxed } from "./sanitize";
import type { ViewState } from "./types";
import type { Context, View } from "./view";
import "./styles/views.css";
import "./styles/user.css";

type Output =
  | { kind: "html"; html: string }
  | { kind: "svg"; svg: string }
  /** In base64; `scale` pixels of it are one of the page. */
  | { kind: "pixels"; type: string; data: string; scale: number }
  | { kind: "text"; text: string }
  | ({ kind: "widget" } & Embedded);

interface UserState extends ViewState {
  output: Output | null;
  /** Rises with every other output. */
  run: number;
  /** What the function printed in its last run. */
  printed: string;
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
  private readonly printed = new Words("Printed");
  private readonly traceback = new Words("Traceback");
  private drawn = "";
  private forget: () => void = () => undefined;

  constructor(private readonly context: Context) {
    this.frame = new Frame("user", context.channel);
    this.root = this.frame.root;
    this.frame.body.append(this.output);
    this.root.append(this.printed.root, this.traceback.root);
    this.printed.root.open = true;
  }

  setState(state: UserState): void {
    this.frame.hold(state);
    const key = `${state.session} ${state.epoch} ${state.output ? state.run : "none"}`;
    if (key !== this.drawn) {
      this.drawn = key;
      this.draw(state.output, state.title);
    }
    this.printed.show(state.printed);
    this.traceback.show(state.traceback);
    this.frame.paint(
      state,
      !!state.output,
      "",
      `${state.title} returned nothing, so there is nothing to show: let it return what to show.`,
    );
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
        return this.drawImage(title, `data:image/svg+xml;charset=utf-8,${encodeURIComponent(output.svg)}`);
      case "pixels":
        return this.drawImage(title, `data:${output.type};base64,${output.data}`, output.scale);
      case "text":
        this.output.append(h("pre", { class: "m-text" }, output.text));
        return;
      case "widget":
        void this.embed(output);
    }
  }

  private drawImage(alt: string, src: string, scale = 1): void {
    const image = h("img", { class: "m-image", alt, src });
    if (scale !== 1)
      image.addEventListener("load", () => attribute(image, "width", Math.round(image.naturalWidth / scale)));
    this.output.append(image);
  }

  private drawHtml(html: string, title: string): void {
    const fragment = harmless(html);
    if (fragment) {
      const holder = h("div", {});
      holder.attachShadow({ mode: "open" }).append(h("style", {}, TABLE_STYLE), fragment);
      this.output.append(holder);
    } else {
      const note = h("p", { class: "m-muted m-note", role: "status" });
      const { frame, dispose } = sandboxed(html, title, (address) =>
        text(note, `It asked for ${address}, but HTML of a view has no network: put all that it needs into it.`),
      );
      this.forget = dispose;
      this.output.append(frame, note);
    }
  }

  /** Shows a widget, or why not, with a way to try again: it may have come before its own front end. */
  private async embed(output: Output & { kind: "widget" }): Promise<void> {
    const stop = new AbortController();
    const holder = h("div", {});
    this.forget = () => stop.abort();
    this.output.replaceChildren(holder);
    try {
      await place(this.context, output, holder, stop.signal);
    } catch (error) {
      if (stop.signal.aborted) return;
      const notice = new Notice();
      const message = `This widget cannot be shown here: ${error instanceof Error ? error.message : String(error)}`;
      notice.show(
        { ...failureOf(error), message },
        [{ label: "Try again", run: () => void this.embed(output) }],
        "See that it was not closed, and run the cell that makes it again.",
      );
      this.output.replaceChildren(notice.root);
    }
  }
}

/** Text as a program wrote it, folded away under what it is. */
class Words {
  readonly root: HTMLDetailsElement;
  private readonly words: HTMLPreElement;

  constructor(label: string) {
    this.words = h("pre", { class: "m-words", tabindex: "0", role: "group", "aria-label": label });
    this.root = h("details", { class: "m-details", hidden: true }, h("summary", {}, label), this.words);
  }

  show(words: string): void {
    this.root.hidden = !words;
    text(this.words, words);
  }
}
