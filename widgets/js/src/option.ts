// One line of an open list: a row to choose, or the heading of a group.
import { attribute, h, icon, text, uid } from "./dom";
import type { Line } from "./groups";

/** What a row shows. */
export interface Choice {
  name: string;
  label: string;
  badges?: string[];
  detail: string;
  pinned?: boolean;
  compared?: boolean;
}

/** What else can be done to a row than choosing it. */
export interface RowAction {
  kind: "pin" | "compare";
  /** What it does to a row as it is, with its key. */
  title(choice: Choice): string;
}

export interface RowState {
  current: boolean;
  active: boolean;
  /** Whether some row is compared: else none is told not to be. */
  comparing: boolean;
}

const PIN = "m-act m-act-pin";
const COMPARE = "m-act m-act-compare";

/** Makes a line; `chosen` and `acted` hear of clicks. */
export function makeLine(
  line: Line<unknown>,
  actions: readonly RowAction[],
  chosen: () => void,
  acted: (kind: RowAction["kind"]) => void,
): HTMLElement {
  if (line.kind === "heading") {
    return h("div", { class: "m-group", "aria-hidden": "true" }, line.title);
  }
  // For a pointer alone: inside an option nothing can have the focus, and the keys do the same.
  const buttons = actions.map(({ kind }) =>
    h(
      "span",
      {
        class: kind === "pin" ? PIN : COMPARE,
        "aria-hidden": "true",
        onclick: (event: Event) => (event.stopPropagation(), acted(kind)),
      },
      icon(kind === "pin" ? "pin" : "box"),
    ),
  );
  return h(
    "div",
    {
      class: "m-option",
      role: "option",
      id: uid("option"),
      "aria-posinset": line.position,
      onclick: chosen,
    },
    icon("check"),
    h("span", { class: "m-value" }),
    h("span", { class: "m-badges" }),
    h("span", { class: "m-detail" }),
    h("span", { class: "m-hidden" }),
    ...buttons,
  );
}

/** Brings a line up to date. */
export function paintLine(
  row: HTMLElement,
  line: Line<unknown>,
  choice: Choice | undefined,
  state: RowState,
  actions: readonly RowAction[],
): void {
  if (line.kind === "heading") return text(row, line.title);
  const [, value, badges, detail, words, ...buttons] = [...row.children] as HTMLElement[];
  text(value!, choice?.label ?? "Loading…");
  paintBadges(badges!, choice?.badges ?? []);
  text(detail!, choice?.detail ?? "");
  text(words!, choice?.pinned ? ", pinned" : "");
  attribute(row, "aria-posinset", line.position);
  attribute(row, "aria-setsize", line.size);
  attribute(row, "aria-selected", String(!!choice && state.current));
  attribute(row, "aria-checked", state.comparing && choice ? String(!!choice.compared) : null);
  row.classList.toggle("m-active", state.active);
  row.classList.toggle("m-absent", !choice);
  for (const [index, { kind, title }] of actions.entries()) {
    const button = buttons[index]!;
    const on = kind === "pin" ? !!choice?.pinned : !!choice?.compared;
    button.classList.toggle("m-on", on);
    attribute(button, "title", choice && title(choice));
  }
}

/** Words in small frames. */
export function paintBadges(root: HTMLElement, words: readonly string[]): void {
  if (root.dataset["words"] === words.join()) return;
  root.dataset["words"] = words.join();
  root.replaceChildren(...words.map((word) => h("span", { class: "m-badge" }, word)));
}
