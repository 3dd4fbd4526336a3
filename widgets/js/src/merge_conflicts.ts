// The conflicts of a merge, page by page, and where each goes.
import { attribute, count, counted, h, text, uid } from "./dom";
import type { Choice, Conflicting, FieldInConflict, MergeState, Side } from "./merge_state";
import { Pager } from "./pager";
import { type Cell, type Field, written } from "./table_fields";

export const CHOICES_MAX = 10_000;

interface Options {
  only(field: string): void;
  choose(asset: string, field: string, side: Choice): void;
  back(): void;
  page(to: "next" | "previous"): void;
}

/** One field of one asset, in the page. */
interface Control {
  asset: string;
  field: string;
  radios: Map<Choice, HTMLInputElement>;
  by: HTMLElement;
  undo: HTMLButtonElement;
}

export class MergeConflicts {
  readonly root: HTMLElement;
  private readonly only = h("select", { class: "m-input", id: uid("only"), onchange: () => this.options.only(this.only.value) });
  private readonly rule = h("select", {
    class: "m-input",
    id: uid("rule"),
    onchange: () => this.options.choose("", this.only.value, this.rule.value as Choice),
  });
  private readonly ruleLabel = h("label", { class: "m-label", for: this.rule.id });
  private readonly back = h("button", { type: "button", class: "m-button", onclick: () => this.takeBack() }, "Undo the last choice");
  private readonly amount = h("span", { class: "m-muted", role: "status" });
  private readonly list = h("ul", { class: "m-conflicts", tabindex: "-1", "aria-label": "Conflicts" });
  private readonly none = h("p", { class: "m-empty", role: "status" });
  private readonly pager: Pager;
  private controls: Control[] = [];
  private drawn = "";

  constructor(private readonly options: Options) {
    this.pager = new Pager((to) => options.page(to), () => this.list.focus());
    this.root = h(
      "div",
      {},
      h(
        "div",
        { class: "m-actions" },
        h("label", { class: "m-label", for: this.only.id }, "Show"),
        this.only,
        this.ruleLabel,
        this.rule,
        this.back,
        this.amount,
      ),
      this.none,
      this.list,
      this.pager.root,
    );
  }

  show(state: MergeState): void {
    const { rows, preview, only, rules, chosen, sides } = state;
    const fields = preview?.conflicts ?? [];
    const named = fields.find(({ field }) => field === only)?.label ?? only;
    fill(this.only, [["", "all conflicts"], ...fields.map((each): Option => [each.field, `${each.label} (${count(each.count)})`])], only);
    text(this.ruleLabel, only ? `${named} goes to` : "and they go to");
    const labels: Option[] = [
      ["target", `“${sides.target.label}”, the target`],
      ["source", `“${sides.source.label}”, the source`],
      ["newest", "whichever was changed last"],
    ];
    fill(this.rule, only ? [["", "the same as all"], ...labels] : labels, rules[only] ?? "");
    if (!state.undoable && document.activeElement === this.back) this.rule.focus();
    this.back.disabled = !state.undoable;
    const full = chosen >= CHOICES_MAX ? ": there is room for no more; choose for a whole field" : "";
    text(this.amount, chosen ? `${counted(chosen, "choice")}${full}` : "");
    this.paintRows(state);
    const here = rows?.items?.length ?? 0;
    this.list.hidden = here === 0;
    this.list.classList.toggle("m-stale", !!rows?.refreshing);
    this.none.hidden = here > 0 || !rows || !!rows.error;
    text(this.none, rows?.items ? "Nothing is in conflict here." : "Loading…");
    if (rows) this.pager.show(rows, null);
  }

  private paintRows({ rows, sides }: MergeState): void {
    const items = rows?.items ?? [];
    const places = items.flatMap(({ asset, label, fields }) => [asset, label, ...fields.map((each) => [each.field, each.target, each.source])]);
    const key = JSON.stringify([rows?.number, sides, places]);
    if (key !== this.drawn) {
      this.drawn = key;
      this.controls = [];
      this.list.replaceChildren(...items.map((item) => this.one(item, sides)));
      this.list.scrollTop = 0;
    }
    // What is chosen changes where it stands, so that the keyboard stays there too.
    const fields = items.flatMap((item) => item.fields);
    this.controls.forEach((control, at) => paint(control, fields[at]!));
  }

  private one(item: Conflicting, sides: MergeState["sides"]): HTMLElement {
    return h(
      "li",
      {},
      h("h5", { class: "m-conflict-name" }, item.label),
      ...item.fields.map((field) => this.field(item, field, sides)),
    );
  }

  private field(item: Conflicting, value: FieldInConflict, sides: MergeState["sides"]): HTMLElement {
    const { asset } = item;
    const { field, label, kind } = value;
    const name = uid("side");
    const radios = new Map<Choice, HTMLInputElement>();
    const option = (side: Choice, ...words: (HTMLElement | string)[]): HTMLElement => {
      const radio = h("input", { type: "radio", name, onchange: () => this.options.choose(asset, field, side) });
      radios.set(side, radio);
      return h("label", { class: "m-check" }, radio, h("span", { class: "m-conflict-value" }, ...words));
    };
    const of = (side: Side): HTMLElement =>
      option(side, shown(kind, value[side]), " ", h("span", { class: "m-muted" }, `“${sides[side].label}”`));
    const undo = h("button", { type: "button", class: "m-link", "aria-label": `Undo the choice for ${label} of ${item.label}` }, "Undo");
    undo.addEventListener("click", () => {
      radios.get("target")!.focus();
      this.options.choose(asset, field, "");
    });
    const by = h("span", { class: "m-muted" }, "by rule");
    this.controls.push({ asset, field, radios, by, undo });
    return h(
      "div",
      { class: "m-conflict-field", role: "radiogroup", "aria-label": `${label} of ${item.label}` },
      h("span", { class: "m-label" }, label),
      of("target"),
      of("source"),
      option("newest", "the newest ", h("span", { class: "m-muted" }, `“${sides[item.newer].label}”`)),
      h("span", {}, by, undo),
    );
  }

  private takeBack(): void {
    this.options.back();
  }
}

function paint({ radios, by, undo }: Control, { side, chosen }: FieldInConflict): void {
  for (const [each, radio] of radios) radio.checked = each === (chosen || side);
  by.hidden = !!chosen;
  undo.hidden = !chosen;
}

export const shown = (kind: Field["kind"], value: Cell): HTMLElement | string =>
  written(kind, value) || h("em", { class: "m-muted" }, "nothing");

type Option = [value: string, label: string];

/** Fills a list of choices, where it is another one, so that an open one does not close. */
function fill(select: HTMLSelectElement, options: Option[], value: string): void {
  const key = JSON.stringify(options);
  if (select.dataset["options"] !== key) {
    attribute(select, "data-options", key);
    select.replaceChildren(...options.map(([each, label]) => h("option", { value: each }, label)));
  }
  select.value = value;
}
