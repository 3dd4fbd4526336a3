// What narrows an open list: the search field, small switches beside it, and the order.
import { attribute, h } from "./dom";

const TYPING_MS = 120;

/** A switch, or a choice of one value; its key is that of the query's field. */
export interface Filter {
  key: string;
  label: string;
  /** Of a choice: value and label, the first of which narrows nothing. */
  choices?: readonly (readonly [string, string])[];
  title: string;
}

export interface Query {
  search: string;
  [filter: string]: string | boolean;
}

interface Options {
  label: string;
  filters: readonly Filter[];
  /** The list is asked for anew: after a pause in typing, or at once. */
  changed(): void;
  /** Something was typed, which `changed` will be about. */
  typing(): void;
}

/** The search field and its switches. The field's keys are for whoever has the list. */
export class Finder {
  readonly root: HTMLElement;
  readonly input: HTMLInputElement;
  private readonly buttons = new Map<string, HTMLButtonElement>();
  private readonly menus = new Map<string, HTMLSelectElement>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly options: Options,
    attributes: Record<string, string>,
  ) {
    this.input = h("input", {
      type: "text",
      class: "m-input m-search",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      placeholder: options.label,
      "aria-label": options.label,
      ...attributes,
      oninput: () => this.typed(),
    });
    const controls = options.filters.map((filter) =>
      filter.choices ? this.menu(filter) : this.button(filter),
    );
    this.root = h(
      "div",
      { class: "m-finder" },
      this.input,
      controls.length > 0 &&
        h("div", { class: "m-chips", role: "group", "aria-label": "Filter and order" }, ...controls),
    );
  }

  get query(): Query {
    const query: Query = { search: this.input.value.trim() };
    for (const [key, button] of this.buttons) query[key] = button.getAttribute("aria-pressed") === "true";
    for (const [key, menu] of this.menus) query[key] = menu.value;
    return query;
  }

  /** Whether nothing is narrowed and the order is the usual one. */
  get isPlain(): boolean {
    return Object.values(this.query).every((value) => !value);
  }

  /** What narrows the list, in words; empty where nothing does. */
  get words(): string {
    const { search } = this.query;
    const pressed = this.options.filters.flatMap(({ key, label, choices }) => {
      const value = this.query[key];
      if (!value) return [];
      return [choices?.find(([each]) => each === value)?.[1] ?? label];
    });
    return [search && `“${search}”`, ...pressed].filter(Boolean).join(", ");
  }

  /** Waits no longer for more to be typed. */
  flush(): void {
    if (this.timer === undefined) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.options.changed();
  }

  clearSearch(): void {
    this.input.value = "";
    this.soon(0);
  }

  clear(): void {
    this.reset();
    this.options.changed();
  }

  /** Narrows nothing any more, for who asks anew anyway. */
  reset(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.input.value = "";
    for (const button of this.buttons.values()) attribute(button, "aria-pressed", "false");
    for (const menu of this.menus.values()) menu.value = "";
  }

  dispose(): void {
    clearTimeout(this.timer);
  }

  private typed(): void {
    this.options.typing();
    this.soon(TYPING_MS);
  }

  private soon(delay: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), delay);
    if (delay === 0) this.flush();
  }

  private button({ key, label, title }: Filter): HTMLElement {
    const button: HTMLButtonElement = h(
      "button",
      {
        type: "button",
        class: "m-chip",
        "aria-pressed": "false",
        title,
        onclick: () => {
          attribute(button, "aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
          this.soon(0);
        },
      },
      label,
    );
    this.buttons.set(key, button);
    return button;
  }

  private menu({ key, label, choices, title }: Filter): HTMLElement {
    const menu: HTMLSelectElement = h(
      "select",
      { class: "m-chip", "aria-label": label, title, onchange: () => this.soon(0) },
      ...choices!.map(([value, words]) => h("option", { value }, words)),
    );
    this.menus.set(key, menu);
    return menu;
  }
}
