// Every key of the selector, for whoever presses ? or looks for a button with that sign.
import { h, icon, uid } from "./dom";

export const KEYS: readonly { title: string; note?: string; keys: readonly (readonly [string, string])[] }[] = [
  {
    title: "In the selector",
    keys: [
      ["Tab", "reaches and leaves it"],
      ["Enter Space ↓ ↑", "open the list"],
      ["/", "search"],
      ["[ ]", "session before, session after"],
      ["p", "pin or unpin the session"],
      ["Shift+Space", "compare the session, or no longer"],
      ["c", "copy the session's full name"],
      ["C", "copy the line of code that switches to it"],
      ["i", "its description, labels, counts"],
      ["n", "new session"],
      ["e", "edit the session"],
      ["r", "refresh"],
      ["?", "these keys"],
      ["Esc", "clears a search that was left; then gives the keyboard back to the notebook"],
    ],
  },
  {
    title: "In the open list",
    note: "Letters are searched for. With Alt held (Ctrl on a Mac) p c C n e r do what they do above, to the marked row.",
    keys: [
      ["↓ ↑ PageDown PageUp Home End", "walk"],
      ["Enter", "choose the marked row; Space too, before anything is typed"],
      ["Shift+Space Ctrl+Space", "compare the marked row, or no longer"],
      ["Tab", "goes on to the filters, and then leaves; nothing is chosen"],
      ["Esc", "closes the list; nothing is chosen"],
    ],
  },
  {
    title: "In the form",
    keys: [
      ["Enter Ctrl+Enter", "save: in a line, anywhere"],
      ["Esc", "cancel"],
    ],
  },
];

/** The keys as a dialog over the page. */
export class Help {
  readonly root: HTMLDialogElement;

  constructor() {
    const title = h("h3", { class: "m-title", id: uid("keys") }, "Keys");
    this.root = h(
      "dialog",
      { class: "m-help", "aria-labelledby": title.id, onkeydown: (event: KeyboardEvent) => this.onKey(event) },
      h(
        "div",
        { class: "m-help-head" },
        title,
        h(
          "button",
          {
            type: "button",
            class: "m-button m-only-icon",
            "aria-label": "Close",
            title: "Close (Esc)",
            onclick: () => this.root.close(),
          },
          icon("cross"),
        ),
      ),
      ...KEYS.flatMap(({ title, note, keys }) => [
        h("h4", { class: "m-help-title" }, title),
        note !== undefined && h("p", { class: "m-muted" }, note),
        h(
          "dl",
          { class: "m-keys" },
          ...keys.flatMap(([key, meaning]) => [
            h("dt", {}, ...key.split(" ").map((each) => h("kbd", {}, each))),
            h("dd", {}, meaning),
          ]),
        ),
      ]),
    );
  }

  show(): void {
    if (!this.root.open) this.root.showModal();
  }

  private onKey(event: KeyboardEvent): void {
    // Escape is the browser's to close a dialog with; nothing here is for the selector around it.
    event.stopPropagation();
    if (event.key !== "?") return;
    event.preventDefault();
    this.root.close();
  }
}

// On a Mac the Alt key is for letters that other languages have.
const MAC = /Mac/.test(globalThis.navigator?.platform ?? "");

/** Which shortcut a key is: its letter, or `Shift+Space`; undefined for what is typed or belongs to the browser. */
export function keyOf(event: KeyboardEvent): string | undefined {
  const { key, ctrlKey, altKey, shiftKey } = event;
  const target = event.target as HTMLInputElement;
  if (event.isComposing || event.metaKey) return undefined;
  if (key === " ") {
    return (shiftKey || ctrlKey) && target.matches(".m-combo, .m-search") ? "Shift+Space" : undefined;
  }
  const typing = target.matches("input, select, textarea");
  if ("[]/?".includes(key)) {
    // Many keyboards have these on AltGr, which some browsers tell as Ctrl and Alt.
    if (ctrlKey && !altKey) return undefined;
    return !typing || (key === "?" && target.matches(".m-search") && !target.value) ? key : undefined;
  }
  if (MAC ? ctrlKey && !altKey : altKey && !ctrlKey) {
    // What the key would write differs; which one it is does not.
    const [, letter] = /^Key([A-Z])$/.exec(event.code) ?? [];
    return shiftKey ? letter : letter?.toLowerCase();
  }
  return typing || ctrlKey || altKey ? undefined : key;
}
