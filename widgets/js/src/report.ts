// What an import would do, and what it did: rows that were taken, and those that were not.
import { count, counted, h } from "./dom";

type Cell = string | number | null;

/** Rows that could not be taken: sheet, row, why. */
export interface Refused {
  rejected: Cell[][];
  rejected_count: number;
  notes: string[];
}

export interface Outcome extends Refused {
  equation: string;
  facts: string[];
  /** Assets of earlier files that this one lacks: name, file, sheet, row. */
  missing: Cell[][];
  missing_count: number;
  replayed: boolean;
  undoable: boolean;
  undone: boolean;
}

/** What a reading makes of the first rows. */
export interface Sample extends Refused {
  /** The first assets as they would be. */
  sample: { head: string[]; rows: Cell[][] };
}

export function sampled({ sample, rejected, rejected_count, notes }: Sample): Node[] {
  const label = `The first ${counted(sample.rows.length, "asset")} as ${sample.rows.length === 1 ? "it" : "they"} would be`;
  return [
    folded(label, sample.rows.length, table("First assets", sample.head, sample.rows)),
    refused(rejected, rejected_count, "would be rejected, of those looked at", "preview.found.rejected"),
    list(notes),
  ];
}

/** Where every row went, and what has become of that. */
export function sentence({ equation, replayed, undone }: Outcome): string {
  const after = undone
    ? "It was undone: the session shows again what it showed before."
    : replayed
      ? "The same content was imported before, so nothing was changed."
      : "The views show it already.";
  return `${equation}. ${after}`;
}

export function told(outcome: Outcome): Node[] {
  const { facts, rejected, rejected_count, missing, missing_count, notes } = outcome;
  return [
    list(facts),
    refused(rejected, rejected_count, "rejected", "form.report.rejected"),
    folded(
      `${counted(missing_count, "asset")} of earlier files not in this one`,
      missing_count,
      table("Missing assets", ["Asset", "Last in file", "Sheet", "Row"], missing),
      rest(missing_count - missing.length, "form.report.missing"),
    ),
    list(notes),
  ];
}

function refused(rows: Cell[][], all: number, how: string, where: string): HTMLElement {
  return folded(
    `${counted(all, "row")} ${how}`,
    all,
    table("Rejected rows", ["Sheet", "Row", "Why"], rows),
    rest(all - rows.length, where),
  );
}

function folded(label: string, all: number, ...body: (HTMLElement | false)[]): HTMLElement {
  return h("details", { class: "m-details", hidden: all === 0 }, h("summary", {}, label), ...body);
}

const rest = (more: number, where: string): HTMLElement | false =>
  more > 0 && h("p", { class: "m-muted m-note" }, `… and ${count(more)} more, in ${where}`);

function table(label: string, head: string[], rows: Cell[][]): HTMLElement {
  const cell = (value: Cell): HTMLElement =>
    h("td", { class: typeof value === "number" ? "m-right" : null }, typeof value === "number" ? count(value) : (value ?? ""));
  return h(
    "div",
    { class: "m-cells", tabindex: "0", role: "group", "aria-label": label },
    h(
      "table",
      { "aria-label": label },
      h("thead", {}, h("tr", {}, ...head.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...rows.map((each) => h("tr", {}, ...each.map(cell)))),
    ),
  );
}

function list(lines: string[]): HTMLElement {
  return h("ul", { class: "m-lines", hidden: lines.length === 0 }, ...lines.map((line) => h("li", {}, line)));
}
