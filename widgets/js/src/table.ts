// A table of assets or dependencies: any number of rows, of which only those that are seen are fetched and in the page.
import { failureOf } from "./channel";
import { attribute, bytes, count, counted, decimal, h, text } from "./dom";
import { Frame } from "./frame";
import { Notice } from "./notice";
import { Pages } from "./pages";
import { Rows } from "./rows";
import type { PageOf, ViewState } from "./types";
import type { Context, View } from "./view";

const ROW_PX = 28;
const HEAD_PX = 30;
const ROWS_SHOWN = 12;

type Cell = string | number | null;

interface Column {
  key: string;
  label: string;
  /** `plain` is a number that nobody adds up, such as a port. */
  kind: "text" | "number" | "bytes" | "plain";
  /** In pixels, at least; columns share what is left in this proportion. */
  width: number;
}

interface TableState extends ViewState {
  columns: Column[];
  noun: string;
  /** What to say where there are no rows. */
  empty: string;
  /** The first page, which every switch brings along. */
  page: (PageOf<Cell[]> & { version: number; at_least?: boolean }) | null;
}

const WRITE: Record<Column["kind"], (value: Cell) => string> = {
  text: (value) => (value == null ? "" : String(value)),
  number: (value) => (typeof value === "number" ? decimal(value) : ""),
  bytes: (value) => (typeof value === "number" ? bytes(value) : ""),
  plain: (value) => (value == null ? "" : String(value)),
};

export class Table implements View<TableState> {
  readonly root: HTMLElement;
  private readonly frame: Frame;
  private readonly head = h("div", { class: "m-tr m-thead", role: "row", "aria-rowindex": "1" });
  private readonly canvas = h("div", { class: "m-canvas", role: "rowgroup" });
  private readonly grid = h(
    "div",
    { class: "m-grid", role: "table" },
    h("div", { class: "m-theads", role: "rowgroup" }, this.head),
    this.canvas,
  );
  private readonly scroller: HTMLElement;
  private readonly place = h("div", { class: "m-foot", "aria-hidden": "true" });
  private readonly notice = new Notice();
  private readonly pages: Pages<Cell[]>;
  private readonly rows: Rows;
  private state: TableState | null = null;
  private columns = "";

  constructor({ channel }: Context) {
    this.frame = new Frame("table", channel);
    this.root = this.frame.root;
    this.scroller = h(
      "div",
      {
        class: "m-scroll",
        tabindex: "0",
        role: "region",
        onkeydown: (event: KeyboardEvent) => this.onKey(event),
      },
      this.grid,
    );
    this.frame.body.append(this.scroller, this.notice.root, this.place);
    this.pages = new Pages(
      (offset, limit, signal) => {
        const { session, epoch } = this.state!;
        return channel.request<PageOf<Cell[]>>("page", { offset, limit, session, epoch }, signal);
      },
      () => this.arrived(),
    );
    this.rows = new Rows(
      this.scroller,
      this.canvas,
      {
        create: (index) => this.makeRow(index),
        update: (row, index) => this.paintRow(row, index),
        seen: (first, last) => this.seen(first, last),
      },
      ROW_PX,
      HEAD_PX,
    );
  }

  setState(state: TableState): void {
    const before = this.state;
    this.state = state;
    this.paintColumns(state.columns);
    const another = before?.session !== state.session || before.epoch !== state.epoch;
    if (another) {
      this.pages.clear();
      this.rows.clear();
      this.rows.scrollTo(0);
    }
    if (state.page && (another || state.page.version !== before?.page?.version)) {
      if (!another) this.pages.stale();
      this.pages.seed(0, state.page);
    }
    this.arrived();
    attribute(this.scroller, "aria-label", `${state.title} of ${state.session_label}`);
    this.frame.paint(
      state,
      !!state.page,
      `${state.page?.at_least ? "At least " : ""}${counted(this.pages.total ?? 0, state.noun)}`,
      state.empty,
    );
  }

  dispose(): void {
    this.rows.close();
  }

  private arrived(): void {
    const { total, error } = this.pages;
    // While the first page is on its way the window is full of rows that say so.
    const shown = total ?? ROWS_SHOWN;
    this.rows.setCount(shown);
    // Borders and, where it takes room, the horizontal scroll bar.
    const around = this.scroller.offsetHeight - this.scroller.clientHeight;
    this.scroller.style.height = `${HEAD_PX + Math.min(ROWS_SHOWN, Math.max(1, shown)) * ROW_PX + around}px`;
    attribute(this.grid, "aria-rowcount", total === undefined ? -1 : total + 1);
    this.notice.show(error ? failureOf(error) : null, [
      { label: "Try again", run: () => this.pages.retry() },
    ]);
    this.rows.refresh();
  }

  private paintColumns(columns: Column[]): void {
    const key = JSON.stringify(columns);
    if (key === this.columns) return;
    this.columns = key;
    this.grid.style.setProperty(
      "--m-columns",
      columns.map(({ width }) => `minmax(${width}px, ${width}fr)`).join(" "),
    );
    const cells = columns.map(({ label, kind }) =>
      h("div", { class: kind === "text" ? "m-td" : "m-td m-right", role: "columnheader" }, label),
    );
    this.head.replaceChildren(...cells);
    this.rows.clear();
    attribute(this.grid, "aria-colcount", columns.length);
  }

  private makeRow(index: number): HTMLElement {
    const cells = this.state!.columns.map(({ kind }) =>
      h("div", { class: kind === "text" ? "m-td" : "m-td m-right", role: "cell" }),
    );
    return h(
      "div",
      { class: index % 2 ? "m-tr m-odd" : "m-tr", role: "row", "aria-rowindex": index + 2 },
      ...cells,
    );
  }

  private paintRow(row: HTMLElement, index: number): void {
    const values = this.pages.at(index);
    row.classList.toggle("m-absent", !values);
    this.state!.columns.forEach(({ kind }, i) => {
      const cell = row.children[i]!;
      const written = values ? WRITE[kind](values[i] ?? null) : "";
      text(cell, written);
      attribute(cell, "title", kind === "text" && written.length > 14 ? written : null);
    });
  }

  private seen(first: number, last: number): void {
    if (!this.state || this.pages.total === undefined) return;
    this.pages.want(first, last);
    const all = this.pages.total;
    text(
      this.place,
      all > last - first + 1 ? `Rows ${count(first + 1)}–${count(last + 1)} of ${count(all)}` : "",
    );
  }

  private onKey(event: KeyboardEvent): void {
    const page = this.rows.pageRows * ROW_PX;
    const by: Record<string, number> = {
      ArrowDown: ROW_PX,
      ArrowUp: -ROW_PX,
      PageDown: page,
      PageUp: -page,
      Home: -Infinity,
      End: Infinity,
    };
    const step = by[event.key];
    if (step === undefined || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.rows.scrollBy(step);
  }
}
