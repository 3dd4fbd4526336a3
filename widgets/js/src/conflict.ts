// Two people changed the same fields: a choice of mine or theirs for each.
import { attribute, h, text, uid } from "./dom";
import { LABELS, type Clash, type Field } from "./fields";

interface Options {
  /** Hears what a field is to be. */
  chosen(field: Field, value: string): void;
  /** A value as people read it. */
  shown(field: Field, value: string): string;
}

/** The choice; hidden while there is nothing to choose. */
export class Conflict {
  readonly root: HTMLElement;
  private readonly words = h("p", { class: "m-clash-words", role: "alert" });
  private readonly rows = h("div", { class: "m-clashes" });

  constructor(private readonly options: Options) {
    const all = (label: string, whose: string): HTMLElement =>
      h("button", { type: "button", class: "m-button", onclick: () => this.take(whose) }, label);
    this.root = h(
      "section",
      { class: "m-conflict", hidden: true },
      this.words,
      this.rows,
      h("div", { class: "m-actions" }, all("Keep all of mine", "mine"), all("Take all of theirs", "theirs")),
    );
    attribute(this.root, "aria-labelledby", (this.words.id = uid("conflict")));
  }

  get isOpen(): boolean {
    return !this.root.hidden;
  }

  /** Shows a choice for each field, mine until another is made; none hides it. */
  show(clashes: readonly Clash[]): void {
    this.root.hidden = clashes.length === 0;
    text(
      this.words,
      clashes.length ? "Somebody else changed the same meanwhile. Choose what to keep, then save again." : "",
    );
    this.rows.replaceChildren(...clashes.map((clash) => this.row(clash)));
  }

  focus(): void {
    this.root.querySelector<HTMLInputElement>("input:checked")?.focus();
  }

  private row({ field, mine, theirs }: Clash): HTMLElement {
    const name = uid("clash");
    const side = (whose: "mine" | "theirs", value: string): HTMLElement => {
      const radio = h("input", {
        type: "radio",
        name,
        value: whose,
        checked: whose === "mine",
        onchange: () => this.options.chosen(field, value),
      });
      const said = this.options.shown(field, value) || "(empty)";
      return h(
        "label",
        { class: "m-check m-side-of" },
        radio,
        h("span", { class: "m-label" }, whose === "mine" ? "Mine" : "Theirs"),
        h("span", { class: "m-clash-value", title: said }, said),
      );
    };
    return h(
      "fieldset",
      { class: "m-clash" },
      h("legend", { class: "m-label" }, LABELS[field]),
      side("mine", mine),
      side("theirs", theirs),
    );
  }

  private take(whose: string): void {
    for (const radio of this.root.querySelectorAll<HTMLInputElement>(`input[value=${whose}]`)) {
      radio.checked = true;
      radio.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }
}
