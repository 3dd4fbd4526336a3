// What a merge would do, or did: numbers, fields, and what is not in the result.
import { count, counted, h } from "./dom";
import { shown } from "./merge_conflicts";
import type { ByField, Drop, Dropped, MergeState, Numbers } from "./merge_state";

/** The numbers as a table, and fills and conflicts by field. */
export function numbers(counts: Numbers): Node[] {
  const row = (label: string, values: number[]): HTMLElement =>
    h("tr", {}, h("th", { scope: "row" }, label), ...values.map((value) => h("td", { class: value ? null : "m-muted" }, count(value))));
  const { conflict_count: all, to_source: source } = counts;
  const goes = all ? `, the source wins ${count(source)}` : "";
  return [
    h(
      "table",
      { class: "m-matrix", "aria-label": "What it does" },
      h("thead", {}, h("tr", {}, h("td", {}), ...["New", "Changed", "Kept"].map((label) => h("th", { scope: "col" }, label)))),
      h("tbody", {}, row("Assets", counts.assets), row("Dependencies", counts.dependencies)),
    ),
    byField(`${counted(counts.fill_count, "empty value")} filled`, counts.fills),
    byField(`${counted(all, "conflict")}${goes}`, counts.conflicts),
  ];
}

function byField(label: string, fields: ByField[]): HTMLElement {
  return h(
    "div",
    {},
    h("h5", { class: "m-label" }, label),
    fields.length > 0 &&
      h("ul", { class: "m-by-field" }, ...fields.map((each) => h("li", {}, each.label, " ", h("strong", {}, count(each.count))))),
  );
}

/** What is not in the result: the values of both sides, and which of them was taken. */
export function dropped({ label, values }: Drop, sides: MergeState["sides"]): HTMLElement {
  return h("li", {}, h("h5", { class: "m-conflict-name" }, label), h("ul", {}, ...values.map((each) => h("li", {}, ...value(each, sides)))));
}

function value(dropped: Dropped, sides: MergeState["sides"]): (Node | string)[] {
  const other = dropped.taken === "source" ? "target" : "source";
  return [
    h("span", { class: "m-label" }, dropped.label),
    " ",
    shown(dropped.kind, dropped[dropped.taken]),
    ", not ",
    shown(dropped.kind, dropped[other]),
    h("span", { class: "m-muted" }, ` of “${sides[other].label}”`),
  ];
}
