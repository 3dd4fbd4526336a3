// The sessions that are put side by side: which they are, taking one away, and the code that shows them.
import { h, icon, text } from "./dom";

export interface Compared {
  name: string;
  label: string;
}

interface Options {
  changed(compared: Compared[]): void;
  copy(code: string, what: string): void;
}

// What differs there is only between two; more of them stand side by side.
const OF_TWO = "ws.comparison(*ws.selector.compared_ids)";
const OF_MORE = "for name in ws.selector.compared_ids:\n    display(ws.at(name).landscape())";

/** A strip under the selector; not there while nothing is compared. */
export class Comparing {
  readonly root: HTMLElement;
  private readonly chips = h("ul", { class: "m-compared-list", "aria-label": "Compared sessions" });
  private readonly hint = h("span", { class: "m-muted" });
  private shown: Compared[] = [];

  constructor(private readonly options: Options) {
    this.root = h(
      "div",
      { class: "m-compared", role: "group", "aria-label": "Comparing", hidden: true },
      h("span", { class: "m-label" }, "Comparing"),
      this.chips,
      this.hint,
      h(
        "button",
        {
          type: "button",
          class: "m-link",
          title: "Copy the code that compares them",
          onclick: () => options.copy(this.shown.length === 2 ? OF_TWO : OF_MORE, "the code that compares them"),
        },
        "Copy code",
      ),
      h(
        "button",
        { type: "button", class: "m-link", onclick: () => options.changed([]) },
        "Stop comparing",
      ),
    );
  }

  has(name: string): boolean {
    return this.shown.some((each) => each.name === name);
  }

  get any(): boolean {
    return this.shown.length > 0;
  }

  /** Adds or takes away one; whether it is compared now. */
  toggle(one: Compared): boolean {
    const without = this.shown.filter(({ name }) => name !== one.name);
    const added = without.length === this.shown.length;
    this.options.changed(added ? [...without, one] : without);
    return added;
  }

  show(compared: Compared[]): void {
    if (JSON.stringify(compared) === JSON.stringify(this.shown)) return;
    this.shown = compared;
    this.root.hidden = compared.length === 0;
    text(this.hint, compared.length === 1 ? "mark one more" : "");
    this.chips.replaceChildren(
      ...compared.map((one) =>
        h(
          "li",
          { class: "m-compared-one" },
          h("span", { class: "m-value", title: one.label }, one.label),
          h(
            "button",
            {
              type: "button",
              class: "m-chip-close",
              "aria-label": `Do not compare ${one.label}`,
              title: "Do not compare",
              onclick: () => this.toggle(one),
            },
            icon("cross"),
          ),
        ),
      ),
    );
  }
}
