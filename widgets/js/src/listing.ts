// The open part of a combobox: the rows, which of them is marked, its details, and how many there are.
import { failureOf } from "./channel";
import { type Detail, Details } from "./details";
import { attribute, count, counted, h, uid } from "./dom";
import type { Filter, Query } from "./finder";
import { Foot } from "./foot";
import { type Group, Layout } from "./groups";
import { type Choice, makeLine, paintLine, type RowAction } from "./option";
import { Pages } from "./pages";
import { Rows } from "./rows";
import type { PageOf } from "./types";

const ROW_PX = 32;
const ROWS_SHOWN = 10;
const ROWS_SHOWN_MIN = 4;
// What the open list needs beside its rows: search, details, count.
const BESIDE_PX = 280;

export interface ListOptions<T> {
  label: string;
  noun: string;
  /** What the search field is called. */
  search: string;
  filters?: readonly Filter[];
  actions?: readonly RowAction[];
  fetch(query: Query, offset: number, limit: number, signal: AbortSignal): Promise<PageOf<T>>;
  choice(item: T): Choice;
  detail(item: T): Detail;
  /** What stands above the whole list while nothing narrows it. */
  groups?(total: number): Group<T>[];
  /** Whether some row is compared. */
  comparing?(): boolean;
  /** The list is about to be seen: whatever it needs beside its pages may be fetched. */
  opening?(): void;
  commit(item: T): void;
  act?(kind: RowAction["kind"], item: T): void;
  announce(message: string): void;
}

interface Heard {
  /** Another element is the marked row, or none is. */
  marked(id: string | undefined): void;
  clicked(index: number): void;
  acted(kind: RowAction["kind"], index: number): void;
  /** The first rows of what was asked for are here. */
  settled(): void;
  /** The list is of another height. */
  resized(): void;
  /** Nothing is to narrow the list any more. */
  widen(): void;
  /** What had the focus is done with. */
  refocus(): void;
}

/** Rows from pages, with groups above while nothing is searched. */
export class Listing<T> {
  readonly parts: HTMLElement[];
  readonly list: HTMLElement;
  private readonly canvas = h("div", { class: "m-canvas", role: "presentation" });
  private readonly details = new Details({ id: uid("details") });
  private readonly foot = new Foot(() => this.heard.refocus());
  private readonly rows: Rows;
  private readonly home: Pages<T>;
  private pages: Pages<T>;
  private query: Query = { search: "" };
  private plain = true;
  /** Of a question whose first page is on its way: until then what was found before stays. */
  private next: Pages<T> | null = null;
  private layout: Layout<T>;
  private groups: HTMLElement[] = [];
  private current: string | undefined;
  private active = -1;
  /** Whether somebody has moved the mark. */
  private moved = false;
  /** Keys that came before there was a row. */
  private early: string[] = [];
  private open = false;

  constructor(
    private readonly options: ListOptions<T>,
    private readonly heard: Heard,
  ) {
    this.list = h(
      "div",
      { class: "m-list", role: "listbox", id: uid("list"), "aria-label": `${options.label}s`, tabindex: "-1" },
      this.canvas,
    );
    this.parts = [this.list, this.details.root, this.foot.root];
    this.home = this.pages = this.pagesOf(this.query);
    this.layout = new Layout<T>([], this.pages, "", this.nameOf);
    this.rows = new Rows(
      this.list,
      this.canvas,
      {
        create: (index) => this.makeLine(index),
        update: (row, index) => this.paintLine(row, index),
        parent: (index) => this.groups[this.layout.line(index)?.group ?? -1] ?? this.canvas,
        seen: (first, last) => this.seen(first, last),
        kept: () => this.active,
      },
      ROW_PX,
    );
  }

  /** The marked row. */
  get marked(): T | undefined {
    return this.layout.item(this.active);
  }

  /** Whether what was asked for is still on its way. */
  get isWaiting(): boolean {
    return this.next !== null;
  }

  /** What the list was narrowed to, and its rows in its order. */
  get walked(): { query: Query; pages: Pages<T> } {
    return { query: this.query, pages: this.next ?? this.pages };
  }

  item(index: number): T | undefined {
    return this.layout.item(index);
  }

  /** Fetches the first rows, for whoever may open the list next. */
  prepare(): void {
    this.options.opening?.();
    this.walked.pages.want(0, ROWS_SHOWN - 1);
  }

  show(): void {
    this.open = true;
    this.moved = false;
    this.arrange();
    this.seen(0, ROWS_SHOWN - 1);
  }

  hide(): void {
    this.open = false;
    this.active = -1;
    this.early = [];
    this.heard.marked(undefined);
  }

  /** Marks as selected what has this name. */
  select(name: string | undefined): void {
    this.current = name;
    this.rows.refresh();
  }

  /** The list may have changed: what is shown stays until the new rows are here. */
  stale(): void {
    for (const pages of [this.home, this.pages, this.next]) pages?.stale();
    if (this.next) this.next.want(0, ROWS_SHOWN - 1);
    if (this.open) this.seen(...this.rows.range);
  }

  /** Another list begins. */
  clear(): void {
    for (const pages of [this.home, this.pages, this.next]) pages?.clear();
    this.pages = this.home;
    this.next = null;
    this.query = { search: "" };
    this.plain = true;
    this.wait(false);
    this.arrange();
  }

  /** Lists what a query finds; a plain one finds everything. */
  ask(query: Query, plain: boolean): void {
    this.next?.giveUp();
    this.query = query;
    this.plain = plain;
    this.moved = false;
    const pages = plain ? this.home : this.pagesOf(query);
    this.next = pages;
    if (pages.total !== undefined) return this.take(pages);
    this.wait(true);
    pages.want(0, ROWS_SHOWN - 1);
  }

  /** Whether the rows are of an earlier question. */
  wait(waiting: boolean): void {
    this.list.classList.toggle("m-stale", waiting);
    attribute(this.list, "aria-busy", waiting ? "true" : null);
  }

  /** Moves the mark by a key; whether it is one of those that do. */
  move(key: string): boolean {
    const by = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: this.rows.pageRows,
      PageUp: -this.rows.pageRows,
      Home: -Infinity,
      End: Infinity,
    }[key];
    if (by === undefined) return false;
    if (this.layout.count === 0) {
      this.early.push(key);
      return true;
    }
    this.moved = true;
    this.mark(this.layout.near(this.active + by, by > 0 ? 1 : -1));
    return true;
  }

  /** Puts every row where it belongs, and the mark on the row where it was. */
  arrange(): void {
    const before = { marked: this.marked, title: this.layout.titleAt(this.active), layout: this.layout };
    const { total } = this.pages;
    const plain = this.pages === this.home && total !== undefined;
    const groups = plain ? (this.options.groups?.(total) ?? []) : [];
    this.layout = new Layout(groups, this.pages, `All ${this.options.noun}s`, this.nameOf);
    if (!this.layout.sameFrame(before.layout)) {
      this.rows.clear();
      this.groups = this.layout.titles.map((each) => h("div", { role: "group", "aria-label": each }));
      this.canvas.replaceChildren(...this.groups);
    }
    this.rows.setCount(this.layout.count);
    this.rows.refresh();
    if (!this.open) return;
    this.resize();
    if (!this.moved) {
      this.mark(this.best());
      if (this.layout.count > 0) for (const key of this.early.splice(0)) this.move(key);
      return;
    }
    const kept = before.marked ? this.layout.indexOf(this.nameOf(before.marked), before.title) : -1;
    // A row whose page is still on its way moves with the rows of the pages.
    const moved = this.active >= before.layout.above ? this.layout.above - before.layout.above : 0;
    this.mark(this.layout.near(kept >= 0 ? kept : this.active + moved, 1));
  }

  dispose(): void {
    for (const pages of [this.home, this.pages, this.next]) pages?.giveUp();
    this.rows.close();
  }

  private readonly nameOf = (item: T): string => this.options.choice(item).name;

  private pagesOf(query: Query): Pages<T> {
    const pages: Pages<T> = new Pages<T>(
      (offset, limit, signal) => this.options.fetch(query, offset, limit, signal),
      () => {
        if (pages === this.next) this.take(pages);
        else if (pages === this.pages) this.arrange();
      },
    );
    return pages;
  }

  /** From now on this is the list. */
  private take(pages: Pages<T>): void {
    if (this.pages !== pages) this.pages.giveUp();
    this.pages = pages;
    this.next = null;
    this.wait(false);
    this.rows.clear();
    this.rows.scrollTo(0);
    this.arrange();
    if (this.open) this.options.announce(this.found());
    this.heard.settled();
  }

  private mark(index: number): void {
    this.active = index;
    this.rows.setCount(this.layout.count);
    if (index >= 0) this.rows.reveal(index);
    // The heading above a first row is seen with it.
    if (index === 1 && this.layout.line(0)?.kind === "heading") this.rows.reveal(0);
    this.heard.marked(this.rows.element(index)?.id);
    this.detail(index);
  }

  /** Where the mark is before somebody has moved it: what is chosen; of a search, what is called so. */
  private best(): number {
    const first = this.layout.near(0, 1);
    const words = String(this.query.search).toLowerCase();
    const chosen = this.layout.indexOf(this.current);
    if (!words) return chosen >= 0 ? chosen : first;
    let begins = -1;
    for (const [index, item] of this.layout.rows()) {
      const label = this.options.choice(item).label.toLowerCase();
      if (label === words) return index;
      if (begins < 0 && label.startsWith(words)) begins = index;
    }
    return begins >= 0 ? begins : first;
  }

  private makeLine(index: number): HTMLElement {
    const row = makeLine(
      this.layout.line(index)!,
      this.options.actions ?? [],
      () => this.heard.clicked(index),
      (kind) => this.heard.acted(kind, index),
    );
    row.addEventListener("mouseenter", () => this.detail(index));
    row.addEventListener("mouseleave", () => this.detail(this.active));
    return row;
  }

  private paintLine(row: HTMLElement, index: number): void {
    const line = this.layout.line(index);
    if (!line) return;
    const choice = line.kind === "item" && line.item ? this.options.choice(line.item) : undefined;
    const state = {
      current: choice?.name === this.current,
      active: index === this.active,
      comparing: this.options.comparing?.() ?? false,
    };
    paintLine(row, line, choice, state, this.options.actions ?? []);
  }

  private seen(first: number, last: number): void {
    if (!this.open) return;
    this.pages.want(...(this.layout.toPages(first, last) ?? [0, 0]));
    this.paintFoot();
  }

  private detail(index: number): void {
    const item = this.layout.item(index);
    this.details.show(item ? this.options.detail(item) : null);
    const row = this.rows.element(index);
    if (row && index === this.active) attribute(row, "aria-describedby", this.details.root.id);
  }

  private found(): string {
    const { total, atLeast, error } = this.pages;
    if (error) return failureOf(error).message;
    if (!total) return this.plain ? "Nothing here yet" : `No ${this.options.noun} matches`;
    const many = `${atLeast ? "at least " : ""}${counted(total, this.options.noun)}`;
    return this.plain ? many : `${many} found`;
  }

  private paintFoot(): void {
    const { total, error } = this.pages;
    if (error) return this.foot.show(this.found(), true, { label: "Try again", run: () => this.again() });
    if (total === undefined) return this.foot.show("Loading…", false, null);
    const all = { label: "List all", run: () => this.heard.widen() };
    if (total === 0) return this.foot.show(this.found(), false, this.plain ? null : all);
    const [first, last] = this.layout.toPages(...this.rows.range) ?? [0, -1];
    const end = Math.min(last + 1, total);
    this.foot.show((end > first ? `${count(first + 1)}–${count(end)} of ` : "") + this.found(), false, null);
  }

  private again(): void {
    this.pages.retry();
    this.seen(...this.rows.range);
  }

  private resize(): void {
    const lines = this.pages.total === undefined ? 3 : this.layout.count;
    const room = Math.max(ROWS_SHOWN_MIN, Math.floor((window.innerHeight - BESIDE_PX) / ROW_PX));
    this.list.style.height = `${Math.min(ROWS_SHOWN, lines, room) * ROW_PX}px`;
    this.paintFoot();
    this.heard.resized();
  }
}
