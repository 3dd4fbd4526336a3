// The choice of a table's columns, and of their order: every field, and attributes by their names.
import { h, icon, uid } from "./dom";
import { type Field, attributeKey, attributeOf } from "./table_fields";
import { Popup } from "./popup";

const WIDTH_PX = 280;

/** A button that opens a list of boxes to tick; arrows walk, with Ctrl they move the column, Esc closes. */
export class ColumnMenu {
  readonly button: HTMLButtonElement;
  private readonly popup: Popup;
  private readonly list = h("div", { class: "m-columns-list" });
  private readonly another = h("input", {
    type: "text",
    class: "m-input",
    placeholder: "Another attribute",
    "aria-label": "Another attribute",
    autocomplete: "off",
    onkeydown: (event: KeyboardEvent) => this.onAnother(event),
  });
  private keys: string[] = [];
  private attributes: string[] = [];
  private drawn = "";
  private readonly outside = (event: Event): void => {
    const at = event.target as Node;
    if (!this.popup.root.contains(at) && !this.button.contains(at)) this.hide();
  };

  /** `choose` is called with the columns to show, none for the usual ones; `say` with where a column has come to. */
  constructor(
    private readonly fields: readonly Field[],
    private readonly choose: (keys: string[]) => void,
    private readonly say: (words: string) => void,
  ) {
    this.button = h(
      "button",
      {
        type: "button",
        class: "m-button",
        "aria-haspopup": "dialog",
        "aria-expanded": "false",
        onclick: () => (this.popup.isOpen ? this.close() : this.open()),
      },
      "Columns",
    );
    this.popup = new Popup(
      this.button,
      WIDTH_PX,
      { role: "dialog", "aria-label": "Columns" },
      h(
        "div",
        { class: "m-column-menu" },
        this.list,
        h(
          "div",
          { class: "m-columns-more" },
          this.another,
          h("button", { type: "button", class: "m-button", onclick: () => this.add() }, "Add"),
        ),
        h("button", { type: "button", class: "m-button", onclick: () => this.usual() }, "Usual columns"),
      ),
    );
    this.popup.root.addEventListener("keydown", (event) => this.onKey(event));
    this.popup.root.addEventListener("focusout", (event) => this.onFocusOut(event));
  }

  /** To be put beside the button: the popup's place in the order of the keyboard. */
  get root(): HTMLElement {
    return this.popup.root;
  }

  set(keys: string[], attributes: string[]): void {
    this.keys = keys;
    const shown = keys.map(attributeOf).filter(Boolean);
    this.attributes = [...new Set([...attributes, ...shown])].sort();
    if (this.popup.isOpen) this.paint();
  }

  /** Puts a column so many places further; where there is none beside it, it stays. */
  move(key: string, by: number): void {
    const from = this.keys.indexOf(key);
    const to = from + by;
    if (from < 0 || to < 0 || to >= this.keys.length) return;
    const keys = this.keys.filter((each) => each !== key);
    keys.splice(to, 0, key);
    this.show(keys);
    const label = this.fields.find((field) => field.key === key)?.label ?? attributeOf(key);
    this.say(`${label} is column ${to + 1} of ${keys.length}`);
  }

  close(): void {
    const inside = this.popup.root.contains(document.activeElement);
    this.hide();
    if (inside) this.button.focus();
  }

  private hide(): void {
    if (!this.popup.isOpen) return;
    this.popup.hide();
    this.button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", this.outside, true);
  }

  private open(): void {
    this.popup.show();
    this.button.setAttribute("aria-expanded", "true");
    // What has no focus to lose, such as the page's margin, closes it too.
    document.addEventListener("pointerdown", this.outside, true);
    this.paint();
    this.popup.place();
    this.boxes[0]?.focus();
  }

  private get boxes(): HTMLInputElement[] {
    return [...this.list.querySelectorAll("input")];
  }

  /** Made anew only when there are other attributes, so that the keyboard stays where it is. */
  private paint(): void {
    const drawn = JSON.stringify(this.attributes);
    if (drawn !== this.drawn || this.boxes.length === 0) {
      this.drawn = drawn;
      const at = (document.activeElement as HTMLInputElement | null)?.value;
      this.list.replaceChildren(...this.groups());
      this.boxes.find(({ value }) => value === at)?.focus();
    }
    for (const box of this.boxes) {
      box.checked = this.keys.includes(box.value);
      box.closest(".m-columns-one")!.classList.toggle("m-shown", box.checked);
    }
  }

  private groups(): HTMLElement[] {
    const groups = new Map<string, [key: string, label: string][]>();
    for (const { key, label, group } of this.fields) groups.set(group, [...(groups.get(group) ?? []), [key, label]]);
    if (this.attributes.length > 0)
      groups.set("Attributes", this.attributes.map((key) => [attributeKey(key), key]));
    return [...groups].map(([title, fields]) => {
      const heading = h("div", { class: "m-columns-title", id: uid("columns") }, title);
      return h(
        "div",
        { role: "group", "aria-labelledby": heading.id },
        heading,
        ...fields.map(([key, label]) =>
          h(
            "div",
            { class: "m-columns-one" },
            h(
              "label",
              {},
              h("input", { type: "checkbox", value: key, onchange: (event: Event) => this.toggle(event) }),
              h("span", {}, label),
            ),
            this.mover(key, label, "left", -1),
            this.mover(key, label, "right", 1),
          ),
        ),
      );
    });
  }

  /** For a pointer; the keyboard has Ctrl with an arrow. */
  private mover(key: string, label: string, side: "left" | "right", by: number): HTMLElement {
    const keys = side === "left" ? "Ctrl+←" : "Ctrl+→";
    return h(
      "button",
      {
        type: "button",
        class: `m-button m-only-icon m-move-${side}`,
        tabindex: "-1",
        "aria-label": `Move ${label} ${side}`,
        title: `Move ${side} (${keys})`,
        onclick: () => this.move(key, by),
      },
      icon("chevron"),
    );
  }

  private toggle(event: Event): void {
    const { value, checked } = event.target as HTMLInputElement;
    const without = this.keys.filter((key) => key !== value);
    // A table of no columns is none.
    this.show(checked ? [...without, value] : without.length > 0 ? without : this.keys);
  }

  private show(keys: string[]): void {
    this.set(keys, this.attributes);
    this.choose(keys);
  }

  private usual(): void {
    this.choose([]);
  }

  private add(): void {
    const key = attributeKey(this.another.value.trim());
    if (!attributeOf(key)) return this.another.focus();
    this.another.value = "";
    this.show([...this.keys.filter((each) => each !== key), key]);
    this.boxes.find(({ value }) => value === key)?.scrollIntoView?.({ block: "nearest" });
  }

  private onAnother(event: KeyboardEvent): void {
    if (event.key !== "Enter" || event.isComposing) return;
    // Not the filter's form, in which this stands.
    event.preventDefault();
    this.add();
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      return this.close();
    }
    const boxes = this.boxes;
    const at = boxes.indexOf(event.target as HTMLInputElement);
    const by = moves(event);
    if (at >= 0 && by) {
      event.preventDefault();
      return this.move(boxes[at]!.value, by);
    }
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: boxes.length - 1 };
    let to: HTMLInputElement | undefined = boxes[steps[event.key] ?? -1];
    if (event.key === "Enter") {
      event.preventDefault();
      return boxes[at]!.click();
    }
    if (!to && event.key.length === 1 && event.key !== " ") {
      const letter = event.key.toLowerCase();
      to = [...boxes.slice(at + 1), ...boxes.slice(0, at)].find((box) =>
        box.nextElementSibling!.textContent!.toLowerCase().startsWith(letter),
      );
    }
    if (!to && !(event.key in steps)) return;
    event.preventDefault();
    to?.focus();
  }

  private onFocusOut(event: FocusEvent): void {
    const to = event.relatedTarget as Node | null;
    if (to && !this.popup.root.contains(to) && to !== this.button) this.hide();
  }
}

/** How many places further a key moves a column; 0: it does not. */
export function moves(event: KeyboardEvent): number {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return 0;
  return { ArrowLeft: -1, ArrowRight: 1 }[event.key] ?? 0;
}
