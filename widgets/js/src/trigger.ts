// The closed part of a combobox: what is chosen, and its details for whoever asks.
import { type Detail, Details } from "./details";
import { attribute, h, icon, text, uid } from "./dom";
import { type Choice, paintBadges } from "./option";
import { Popup } from "./popup";

const TIP_MS = 600;
const TIP_PX = 460;

interface Options {
  label: string;
  pressed(event: Event): void;
  clicked(): void;
  focused(): void;
  keys(event: KeyboardEvent): void;
}

export class Trigger {
  /** The label, the combobox itself, and its details where they are asked for. */
  readonly parts: HTMLElement[];
  readonly element: HTMLElement;
  private readonly value = h("span", { class: "m-value" });
  private readonly badges = h("span", { class: "m-badges" });
  private readonly detail = h("span", { class: "m-detail" });
  private readonly narrowed = h("span", { class: "m-narrowed" });
  private readonly details = new Details();
  private readonly tip: Popup;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private known = false;

  constructor(options: Options) {
    const label = h("span", { class: "m-label", id: uid("label") }, options.label);
    this.element = h(
      "div",
      {
        class: "m-combo",
        role: "combobox",
        tabindex: "0",
        "aria-labelledby": label.id,
        "aria-haspopup": "dialog",
        "aria-expanded": "false",
        onmousedown: (event: Event) => options.pressed(event),
        onclick: () => options.clicked(),
        onkeydown: (event: KeyboardEvent) => options.keys(event),
        onfocus: () => options.focused(),
        onblur: () => this.hideDetails(),
        onmouseenter: () => this.hover(),
        onmouseleave: () => this.hideDetails(),
      },
      this.value,
      this.badges,
      this.detail,
      icon("chevron"),
    );
    this.tip = new Popup(this.element, TIP_PX, { role: "tooltip", id: uid("tip") }, this.details.root);
    this.parts = [h("span", { class: "m-label-row" }, label, this.narrowed), this.element, this.tip.root];
  }

  /** Shows what is chosen, or a text where nothing is. */
  set(choice: Choice | null, detail: Detail | null, otherwise: string, busy: boolean): void {
    text(this.value, choice?.label ?? otherwise);
    attribute(this.element, "aria-busy", busy ? "true" : null);
    paintBadges(this.badges, [...(choice?.badges ?? []), ...(choice?.pinned ? ["Pinned"] : [])]);
    text(this.detail, choice?.detail ?? "");
    this.known = detail !== null;
    this.details.show(detail);
  }

  /** Says what the list is narrowed to while it is closed. */
  narrow(words: string): void {
    text(this.narrowed, words && `only ${words}`);
    attribute(this.narrowed, "title", words);
  }

  expand(expanded: boolean): void {
    attribute(this.element, "aria-expanded", String(expanded));
    if (expanded) this.hideDetails();
  }

  /** Shows the details, or hides them; what they say. */
  toggleDetails(): string {
    if (this.tip.isOpen) {
      this.hideDetails();
      return "";
    }
    this.showDetails();
    return this.details.words;
  }

  /** Whether there were any to hide. */
  hideDetails(): boolean {
    const shown = this.tip.isOpen;
    clearTimeout(this.timer);
    this.tip.hide();
    attribute(this.element, "aria-describedby", null);
    return shown;
  }

  private hover(): void {
    clearTimeout(this.timer);
    if (this.element.getAttribute("aria-expanded") === "true") return;
    this.timer = setTimeout(() => this.showDetails(), TIP_MS);
  }

  private showDetails(): void {
    if (!this.known) return;
    this.tip.show();
    attribute(this.element, "aria-describedby", this.tip.root.id);
  }
}
