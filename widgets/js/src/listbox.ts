// A select-only combobox with a listbox popup (ARIA APG) over a list of any length.
import { failureOf } from "./channel";
import { attribute, count, h, icon, text, uid } from "./dom";
import { Pages } from "./pages";
import { Rows } from "./rows";
import type { PageOf } from "./types";

const ROW_PX = 32;
const ROWS_SHOWN = 10;
const TYPEAHEAD_MS = 700;

/** What a row shows. */
export interface Choice {
  name: string;
  label: string;
  badge?: string;
  detail: string;
}

interface Options<T> {
  label: string;
  plural: string;
  fetch(offset: number, limit: number, signal: AbortSignal): Promise<PageOf<T>>;
  choice(item: T): Choice;
  commit(item: T): void;
  announce(message: string): void;
}

/** A combobox. Opening and moving change nothing; `commit` hears of a choice. */
export class Combobox<T> {
  readonly root: HTMLElement;
  readonly trigger: HTMLElement;
  readonly pages: Pages<T>;
  private readonly value = h("span", { class: "m-value" });
  private readonly badge = h("span", { class: "m-badge", hidden: true });
  private readonly detail = h("span", { class: "m-detail" });
  private readonly canvas = h("div", { class: "m-canvas", role: "presentation" });
  private readonly list: HTMLElement;
  private readonly popup: HTMLElement;
  private readonly foot = h("div", { class: "m-foot" });
  private readonly rows: Rows;
  private readonly place = (): void => this.position();
  private current: Choice | null = null;
  private active = -1;
  private open = false;
  private typed = "";
  private typedAt = 0;

  constructor(private readonly options: Options<T>) {
    const label = h("span", { class: "m-label", id: uid("label") }, options.label);
    this.list = h(
      "div",
      { class: "m-list", role: "listbox", id: uid("list"), "aria-label": options.plural, tabindex: "-1" },
      this.canvas,
    );
    this.popup = h("div", { class: "m-popup", popover: "manual", hidden: true }, this.list, this.foot);
    // The list keeps no focus: it stays on the combobox, which names the active row.
    this.popup.addEventListener("mousedown", (event) => event.preventDefault());
    this.trigger = h(
      "div",
      {
        class: "m-combo",
        role: "combobox",
        tabindex: "0",
        "aria-labelledby": label.id,
        "aria-haspopup": "listbox",
        "aria-expanded": "false",
        "aria-controls": this.list.id,
        onclick: () => (this.open ? this.close() : this.show()),
        onkeydown: (event: KeyboardEvent) => this.onKey(event),
        onblur: () => this.close(),
      },
      this.value,
      this.badge,
      this.detail,
      icon("chevron"),
    );
    this.root = h("div", { class: "m-field" }, label, this.trigger, this.popup);
    this.pages = new Pages(
      (offset, limit, signal) => options.fetch(offset, limit, signal),
      () => this.arrived(),
    );
    this.rows = new Rows(
      this.list,
      this.canvas,
      {
        create: (index) => this.makeRow(index),
        update: (row, index) => this.paintRow(row, index),
        seen: (first, last) => this.seen(first, last),
        kept: () => this.active,
      },
      ROW_PX,
    );
  }

  /** Shows what is chosen, or a text where nothing is. */
  set(choice: Choice | null, otherwise = "None", busy = false): void {
    this.current = choice;
    text(this.value, choice?.label ?? otherwise);
    attribute(this.value, "title", choice?.label);
    attribute(this.trigger, "aria-busy", busy ? "true" : null);
    this.badge.hidden = !choice?.badge;
    text(this.badge, choice?.badge ?? "");
    text(this.detail, choice?.detail ?? "");
    this.rows.refresh();
  }

  /** The row of a name, among those that are loaded. */
  indexOf(name: string | undefined): number {
    for (const [index, item] of this.pages.loaded())
      if (this.options.choice(item).name === name) return index;
    return -1;
  }

  /** The list may have changed: what is shown stays until the new rows are here. */
  stale(): void {
    this.pages.stale();
    if (this.open) this.pages.want(...this.rows.range);
  }

  /** Another list begins. */
  clear(): void {
    this.close();
    this.pages.clear();
    this.rows.clear();
    this.rows.setCount(0);
  }

  show(): void {
    if (this.open) return;
    this.open = true;
    this.popup.hidden = false;
    this.popup.showPopover?.();
    attribute(this.trigger, "aria-expanded", "true");
    this.resize();
    this.position();
    document.addEventListener("scroll", this.place, true);
    window.addEventListener("resize", this.place);
    this.activate(Math.max(0, this.indexOf(this.current?.name)));
    if (this.pages.total === undefined) this.pages.want(0, ROWS_SHOWN);
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.active = -1;
    this.typed = "";
    this.popup.hidePopover?.();
    this.popup.hidden = true;
    attribute(this.trigger, "aria-expanded", "false");
    attribute(this.trigger, "aria-activedescendant", null);
    document.removeEventListener("scroll", this.place, true);
    window.removeEventListener("resize", this.place);
  }

  dispose(): void {
    this.close();
    this.rows.close();
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey) return;
    const move = this.moves(event);
    if (move !== undefined) {
      this.show();
      this.activate(move);
    } else if (event.key === "Enter" || (event.key === " " && !this.isTyping())) {
      if (this.open) this.commit(this.active);
      else this.show();
    } else if (event.key === "Escape" && this.open) {
      this.close();
    } else if (event.key === "Tab") {
      this.close();
      return;
    } else if (this.open && event.key.length === 1) {
      this.typeahead(event.key);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private moves(event: KeyboardEvent): number | undefined {
    const here = this.open ? this.active : Math.max(0, this.indexOf(this.current?.name));
    const last = (this.pages.total ?? 1) - 1;
    switch (event.key) {
      case "ArrowDown":
        return this.open && !event.altKey ? Math.min(last, here + 1) : here;
      case "ArrowUp":
        if (event.altKey && this.open) return void this.close();
        return this.open ? Math.max(0, here - 1) : here;
      case "PageDown":
        return Math.min(last, here + this.rows.pageRows);
      case "PageUp":
        return Math.max(0, here - this.rows.pageRows);
      case "Home":
        return 0;
      case "End":
        return last;
      default:
        return undefined;
    }
  }

  /** A space within a name belongs to the name. */
  private isTyping(): boolean {
    return this.open && this.typed !== "" && performance.now() - this.typedAt <= TYPEAHEAD_MS;
  }

  /** Goes to the next loaded row whose label begins with what was typed. */
  private typeahead(key: string): void {
    this.typed = (this.isTyping() ? this.typed : "") + key.toLowerCase();
    this.typedAt = performance.now();
    // The same letter again means the next row with it.
    const same = [...this.typed].every((letter) => letter === this.typed[0]);
    const prefix = same ? this.typed[0]! : this.typed;
    const after = same ? this.active : this.active - 1;
    const hits = [...this.pages.loaded()].filter(([, item]) =>
      this.options.choice(item).label.toLowerCase().startsWith(prefix),
    );
    const hit = hits.find(([index]) => index > after) ?? hits[0];
    if (hit) this.activate(hit[0]);
    else this.options.announce(`No loaded name begins with ${this.typed}`);
  }

  private activate(index: number): void {
    this.active = index;
    this.rows.setCount(this.pages.total ?? 0);
    this.rows.reveal(index);
    attribute(this.trigger, "aria-activedescendant", this.rows.element(index)?.id);
  }

  private commit(index: number): void {
    const item = this.pages.at(index);
    if (!item) return this.options.announce("Still loading");
    this.close();
    this.options.commit(item);
  }

  private arrived(): void {
    this.rows.setCount(this.pages.total ?? 0);
    this.resize();
    this.paintFoot();
    if (this.open) {
      const known = this.indexOf(this.current?.name);
      const untouched = this.active <= 0 && known > 0;
      this.activate(
        untouched ? known : Math.min(Math.max(0, this.active), Math.max(0, (this.pages.total ?? 1) - 1)),
      );
      this.position();
    }
    this.rows.refresh();
  }

  private makeRow(index: number): HTMLElement {
    const row = h(
      "div",
      {
        class: "m-option",
        role: "option",
        id: uid("option"),
        "aria-posinset": index + 1,
        onclick: () => this.commit(index),
      },
      icon("check"),
      h("span", { class: "m-value" }),
      h("span", { class: "m-badge", hidden: true }),
      h("span", { class: "m-detail" }),
    );
    return row;
  }

  private paintRow(row: HTMLElement, index: number): void {
    const item = this.pages.at(index);
    const choice = item && this.options.choice(item);
    const [, value, badge, detail] = row.children as unknown as [
      Element,
      HTMLElement,
      HTMLElement,
      HTMLElement,
    ];
    text(value, choice?.label ?? "Loading…");
    attribute(value, "title", choice?.label);
    badge.hidden = !choice?.badge;
    text(badge, choice?.badge ?? "");
    text(detail, choice?.detail ?? "");
    attribute(row, "aria-setsize", this.pages.total ?? -1);
    attribute(row, "aria-selected", String(!!choice && choice.name === this.current?.name));
    row.classList.toggle("m-active", index === this.active);
    row.classList.toggle("m-absent", !choice);
  }

  private seen(first: number, last: number): void {
    if (!this.open) return;
    this.pages.want(first, last);
    this.paintFoot();
  }

  private paintFoot(): void {
    const { total, error } = this.pages;
    if (error) {
      const retry = h(
        "button",
        { type: "button", class: "m-link", tabindex: "-1", onclick: () => this.again() },
        "Try again",
      );
      this.foot.replaceChildren(h("span", { class: "m-foot-error" }, failureOf(error).message), retry);
    } else if (total === undefined) {
      text(this.foot, "Loading…");
    } else if (total === 0) {
      text(this.foot, "Nothing here yet");
    } else {
      const [first, last] = this.rows.range;
      text(this.foot, `${count(first + 1)}–${count(last + 1)} of ${count(total)}`);
    }
  }

  private again(): void {
    this.pages.retry();
    this.pages.want(...this.rows.range);
  }

  private resize(): void {
    this.list.style.height = `${Math.min(ROWS_SHOWN, this.pages.total ?? 3) * ROW_PX}px`;
    this.paintFoot();
  }

  /** Puts the popup, which lies in the top layer so that no cell clips it, under or over the combobox. */
  private position(): void {
    const box = this.trigger.getBoundingClientRect();
    const { style } = this.popup;
    const width = Math.min(Math.max(box.width, 300), window.innerWidth - 16);
    style.width = `${width}px`;
    style.left = `${Math.max(8, Math.min(box.left, window.innerWidth - width - 8))}px`;
    const height = this.popup.offsetHeight;
    const below = window.innerHeight - box.bottom;
    const over = below < height + 8 && box.top > below;
    style.top = `${over ? Math.max(8, box.top - height - 4) : box.bottom + 4}px`;
  }
}
