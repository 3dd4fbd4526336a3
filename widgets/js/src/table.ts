// A table of assets or dependencies: any number of rows, of which only those that are seen are fetched and in the page.
import { AssetPanel, type Detail, leave } from "./asset";
import { Cells } from "./cells";
import { type Channel, failureOf } from "./channel";
import { copy } from "./clipboard";
import { ColumnMenu, moves } from "./columns";
import { attribute, count, counted, h, text } from "./dom";
import { type Cell, type Field, tsv } from "./table_fields";
import { FilterBox, type FilterFailure } from "./filtering";
import { Frame } from "./frame";
import { Grid, type Row } from "./grid";
import { Notice } from "./notice";
import { Pages } from "./pages";
import { Rows } from "./rows";
import type { PageOf, ViewState } from "./types";
import type { Context, View } from "./view";
import "./styles/views.css";
import "./styles/table.css";

const ROW_PX = 28;
const HEAD_PX = 30;
const ROWS_SHOWN = 12;
const NARROW_PX = 640;
/** A clipboard is no way for more. */
const COPIED_MAX = 10_000;

/** Rows as they are sent: the ids of their assets, then a value for each of `keys`. */
interface Sent extends PageOf<[ids: string[], ...values: Cell[]]> {
  keys: string[];
}

interface TableState extends ViewState {
  columns: Field[];
  noun: string;
  /** What to say where there is no data. */
  empty: string;
  filter: string;
  filter_error: FilterFailure | null;
  order: string;
  /** Rises with each filter and order, so that no row is taken for one of another. */
  question: number;
  /** Attributes of the rows that are here, to choose columns from. */
  attributes: string[];
  /** The first page, which every switch brings along. */
  page: (Sent & { version: number }) | null;
  detail: Detail | null;
}

export class Table implements View<TableState> {
  readonly root: HTMLElement;
  private readonly frame: Frame;
  private readonly filter: FilterBox;
  private readonly menu: ColumnMenu;
  private readonly grid: Grid;
  private readonly scroller: HTMLElement;
  private readonly split: HTMLElement;
  private readonly said = h("span", { role: "status", class: "m-said" });
  private readonly place = h("span", { "aria-hidden": "true" });
  private readonly none = h("p", { class: "m-empty", hidden: true });
  private readonly notice = new Notice();
  private readonly cells: Cells;
  private readonly pages: Pages<Row>;
  private readonly rows: Rows;
  private readonly panel: AssetPanel;
  private readonly widths: ResizeObserver;
  private readonly channel: Channel;
  private readonly fields: Field[];
  private state: TableState | null = null;

  constructor({ channel, model }: Context) {
    this.channel = channel;
    const fields = (this.fields = (model.get("_fields") ?? []) as Field[]);
    this.frame = new Frame("table", channel);
    this.root = this.frame.root;
    this.cells = new Cells({
      rows: () => this.pages.total ?? 0,
      columns: () => this.state?.columns.length ?? 0,
      page: () => this.rows.pageRows,
    });
    this.grid = new Grid(this.cells, {
      at: (index) => this.pages.at(index),
      pressed: (event) => this.onKey(event),
      clicked: (place, event) => this.onClick(place, event),
      sort: (field) => this.sort(field),
      moved: ({ key }, by) => this.menu.move(key, by),
      open: (id) => this.panel.open(id),
    });
    this.scroller = h("div", { class: "m-scroll", role: "region" }, this.grid.root);
    this.panel = new AssetPanel(channel, {
      place: () => this.asked(),
      filter: (term) => this.filter.add(term),
      left: () => this.grid.focus(),
    });
    this.menu = new ColumnMenu(
      fields,
      (keys) => void channel.request("table.columns", { keys }).catch(() => undefined),
      (words) => text(this.said, words),
    );
    this.filter = new FilterBox(channel, fields, () => this.leaveFilter(), this.menu.button, this.menu.root);
    this.split = h(
      "div",
      { class: "m-split" },
      h(
        "div",
        { class: "m-main" },
        this.scroller,
        this.notice.root,
        h("div", { class: "m-foot m-table-foot" }, this.said, this.place),
      ),
      this.panel.root,
    );
    // Outside the body, which is hidden where nothing can be shown: the filter can be another then.
    this.root.firstElementChild!.after(this.filter.root);
    this.frame.body.append(this.none, this.split);
    this.pages = new Pages(
      (offset, limit, signal) => this.fetch(offset, limit, signal),
      () => this.arrived(),
    );
    this.rows = new Rows(
      this.scroller,
      this.grid.canvas,
      {
        create: (index) => this.grid.makeRow(index),
        update: (row, index) => this.grid.paintRow(row, index),
        kept: () => this.cells.active.row,
        seen: (first, last) => this.seen(first, last),
      },
      ROW_PX,
      HEAD_PX,
    );
    this.widths = new ResizeObserver(() => this.root.classList.toggle("m-narrow", this.root.clientWidth < NARROW_PX));
    this.widths.observe(this.root);
  }

  setState(state: TableState): void {
    const before = this.state;
    this.state = state;
    const another =
      before?.session !== state.session || before.epoch !== state.epoch || before.question !== state.question;
    if (this.grid.setColumns(state.columns, state.order)) {
      this.rows.clear();
      // The active cell goes with its column.
      const { column } = this.cells.active;
      const now = state.columns.findIndex(({ key }) => key === before?.columns[column]?.key);
      this.cells.toColumn(now < 0 ? column : now);
      this.grid.paintHead();
    }
    if (another) {
      this.pages.clear();
      this.rows.clear();
      this.rows.scrollTo(0);
      this.cells.reset();
      text(this.said, "");
    }
    const { page } = state;
    if (page && (another || page.version !== before?.page?.version || String(page.keys) !== String(before.page.keys))) {
      if (!another) this.pages.stale();
      this.pages.seed(0, received(page));
    }
    this.menu.set(
      state.columns.map(({ key }) => key),
      state.attributes,
    );
    this.filter.set(state.filter, counted(2, state.noun).slice(2), state.filter_error);
    // Where there is no room for both, the table has to be back before the keyboard can be.
    this.split.classList.toggle("m-open", !!state.detail);
    this.panel.set(state.detail);
    this.arrived();
    const label = `${state.title} of ${state.session_label}`;
    attribute(this.scroller, "aria-label", label);
    attribute(this.grid.root, "aria-label", label);
    this.paintFrame(state);
  }

  dispose(): void {
    this.rows.close();
    this.widths.disconnect();
    this.menu.close();
  }

  private paintFrame(state: TableState): void {
    // No data is one thing, none that passes the filter another.
    const filtered = state.status === "empty" && !!state.filter;
    this.filter.root.hidden = state.status === "empty" && !filtered;
    this.none.hidden = !filtered;
    this.split.hidden = filtered && !state.detail;
    this.scroller.hidden = filtered;
    if (filtered && this.none.childElementCount === 0) {
      const clear = (): void => {
        this.filter.input.focus();
        void this.filter.apply("");
      };
      this.none.replaceChildren(
        h("span", {}, `Nothing here passes the filter. `),
        h("button", { type: "button", class: "m-button", onclick: clear }, "Clear the filter"),
      );
    }
    const shown = {
      ...state,
      status: filtered ? ("ready" as const) : state.status,
      // Said beside the filter.
      error: state.filter_error ? null : state.error,
    };
    this.frame.paint(shown, !!state.page, this.summary(state), state.empty);
  }

  private summary({ noun }: TableState): string {
    return `${this.pages.atLeast ? "At least " : ""}${counted(this.pages.total ?? 0, noun)}`;
  }

  /** What every request for rows or for an asset names, so that nothing of another session answers it. */
  private asked(): { session: string; epoch: number; question: number } {
    const { session, epoch, question } = this.state!;
    return { session, epoch, question };
  }

  private async fetch(offset: number, limit: number, signal: AbortSignal): Promise<PageOf<Row>> {
    return received(await this.channel.request<Sent>("page", { offset, limit, ...this.asked() }, signal));
  }

  private arrived(): void {
    const { total, error } = this.pages;
    // While the first page is on its way the window is full of rows that say so.
    const shown = total ?? ROWS_SHOWN;
    this.rows.setCount(shown);
    // It stays as high as it was until that page is here, so that the notebook does not jump.
    if (total !== undefined || !this.scroller.style.height) {
      // Borders and, where it takes room, the horizontal scroll bar.
      const around = this.scroller.offsetHeight - this.scroller.clientHeight;
      this.scroller.style.height = `${HEAD_PX + Math.min(ROWS_SHOWN, Math.max(1, shown)) * ROW_PX + around}px`;
    }
    attribute(this.grid.root, "aria-rowcount", total === undefined || this.pages.atLeast ? -1 : total + 1);
    if (total && this.cells.active.row >= total) this.cells.go({ ...this.cells.active, row: total - 1 });
    this.notice.show(error ? failureOf(error) : null, [
      // The button goes with the error.
      { label: "Try again", run: () => (this.grid.focus(), this.pages.retry()) },
    ]);
    this.rows.refresh();
  }

  private seen(first: number, last: number): void {
    if (!this.state || this.pages.total === undefined) return;
    this.pages.want(first, last);
    const all = this.pages.total;
    const more = this.pages.atLeast ? " or more" : "";
    text(
      this.place,
      all > last - first + 1 ? `Rows ${count(first + 1)}–${count(last + 1)} of ${count(all)}${more}` : "",
    );
  }

  private onKey(event: KeyboardEvent): void {
    const control = event.ctrlKey || event.metaKey;
    const key = event.key;
    const { row, column } = this.cells.active;
    const by = row < 0 ? moves(event) : 0;
    if (by) {
      event.preventDefault();
      this.menu.move(this.state!.columns[column]!.key, by);
    } else if (this.cells.key(event)) {
      event.preventDefault();
      this.moved();
    } else if (control && key.toLowerCase() === "c") {
      // What the mouse has marked is the browser's to copy.
      if (document.getSelection()?.toString()) return;
      event.preventDefault();
      void this.copy();
    } else if (control || event.altKey) {
      return;
    } else if (key === "Enter") {
      event.preventDefault();
      this.enter();
    } else if (key === "/") {
      event.preventDefault();
      this.filter.input.focus();
    } else if (key === "Escape") {
      event.preventDefault();
      if (this.cells.unselect()) this.moved();
      else if (this.panel.isOpen) this.panel.close();
      else leave(this.root);
    }
  }

  private onClick(place: { row: number; column: number }, event: MouseEvent): void {
    this.cells.go(place, event.shiftKey);
    this.moved();
  }

  /** Brings the active cell into sight. */
  private moved(): void {
    const { row } = this.cells.active;
    // Head and rows in one go: no frame has two active cells, or none.
    if (row >= 0) this.rows.reveal(row);
    else this.rows.paint();
    this.grid.paintHead();
    this.grid.revealColumn(this.scroller);
    const area = this.cells.area;
    text(this.said, area ? selection(area) : "");
  }

  private enter(): void {
    const { row, column } = this.cells.active;
    const field = this.state?.columns[column];
    if (!field) return;
    if (row < 0) return this.sort(field);
    const id = this.pages.at(row)?.ids[field.end];
    if (id) this.panel.open(id);
  }

  private sort({ order }: Field): void {
    if (!order) {
      const ordering = this.fields.filter((field) => field.order).map(({ label }) => label);
      text(this.said, `Rows are ordered by ${ordering.join(" or ")} alone`);
      return;
    }
    const turned = this.state?.order === order ? `${order} desc` : order;
    void this.channel
      .request("table.arrange", { order: turned })
      .catch((error) => this.notice.show(failureOf(error), [{ label: "Close", run: () => this.notice.show(null) }]));
  }

  private async copy(): Promise<void> {
    const { row, column } = this.cells.active;
    const area = this.cells.area ?? { top: row, bottom: row, left: column, right: column };
    const columns = this.state!.columns.slice(area.left, area.right + 1);
    const wanted = area.bottom - area.top + 1;
    if (area.bottom < 0) return this.say(await copy(columns[0]!.label), "the heading");
    if (wanted > COPIED_MAX) {
      const how = this.state!.noun === "asset" ? "ws.discovery" : "ws.dependencies";
      text(this.said, `At most ${count(COPIED_MAX)} rows are copied; ${how}.to_pandas() has all`);
      return;
    }
    const asked = JSON.stringify(this.asked());
    const rows: Cell[][] = [];
    for (let index = area.top; index <= area.bottom; index += 1) {
      const row = this.pages.at(index) ?? (await this.pages.reach(index));
      if (!row || JSON.stringify(this.asked()) !== asked) {
        text(this.said, "Not all of these rows could be had; nothing is copied");
        return;
      }
      rows.push(columns.map(({ key }) => row.values.get(key) ?? null));
    }
    this.say(await copy(tsv(rows)), wanted === 1 && columns.length === 1 ? "the cell" : counted(wanted, "row"));
  }

  private say(done: boolean, what: string): void {
    text(this.said, done ? `Copied ${what}` : "The browser does not allow copying here");
  }

  private leaveFilter(): void {
    if (this.scroller.hidden || this.frame.body.hidden) leave(this.root);
    else this.grid.focus();
  }
}

function received({ keys, items, ...rest }: Sent): PageOf<Row> {
  const rows = items.map(([ids, ...values]) => ({ ids, values: new Map(keys.map((key, i) => [key, values[i] ?? null])) }));
  return { ...rest, items: rows };
}

function selection({ top, bottom, left, right }: { top: number; bottom: number; left: number; right: number }): string {
  return `${counted(bottom - top + 1, "row")}, ${counted(right - left + 1, "column")} selected; Ctrl+C copies`;
}
