// The elements of a table: a grid as the APG has it, whose active cell is named rather than focused, since rows come
// and go with the scrolling.
import type { Cells, Place } from "./cells";
import { attribute, h, icon, text, uid } from "./dom";
import { type Cell, type Field, written } from "./table_fields";

export interface Row {
  /** Of the assets that it is about. */
  ids: string[];
  values: Map<string, Cell>;
}

interface Options {
  at(index: number): Row | undefined;
  pressed(event: KeyboardEvent): void;
  clicked(place: Place, event: MouseEvent): void;
  sort(field: Field): void;
  /** A heading was dragged so many places further. */
  moved(field: Field, by: number): void;
  open(id: string): void;
}

/** Long enough that a column may not show it whole. */
const LONG = 14;

export class Grid {
  readonly canvas = h("div", { class: "m-canvas", role: "rowgroup" });
  readonly root: HTMLElement;
  private readonly head = h("div", { class: "m-tr m-thead", role: "row", "aria-rowindex": "1" });
  private readonly prefix = uid("cell");
  private columns: Field[] = [];
  /** The heading that is being dragged. */
  private dragged: Field | null = null;
  private drawn = "";

  constructor(
    private readonly cells: Cells,
    private readonly options: Options,
  ) {
    this.root = h(
      "div",
      {
        class: "m-grid",
        role: "grid",
        tabindex: "0",
        "aria-multiselectable": "true",
        onkeydown: (event: KeyboardEvent) => options.pressed(event),
        onclick: (event: MouseEvent) => this.onClick(event),
        ondblclick: (event: MouseEvent) => this.onDoubleClick(event),
        onmousedown: (event: MouseEvent) => {
          // With Shift the browser would mark texts, from wherever it was clicked last.
          if (event.shiftKey) event.preventDefault();
        },
      },
      h("div", { class: "m-theads", role: "rowgroup" }, this.head),
      this.canvas,
    );
  }

  focus(): void {
    this.root.focus({ preventScroll: true });
  }

  /** Whether the columns are others than before, so that every row has to be made anew. */
  setColumns(columns: Field[], order: string): boolean {
    const drawn = JSON.stringify(columns);
    const changed = drawn !== this.drawn;
    if (changed) {
      this.drawn = drawn;
      this.columns = columns;
      this.dragged = null;
      const widths = columns.map(({ width }) => `minmax(${width}px, ${width}fr)`);
      this.root.style.setProperty("--m-columns", widths.join(" "));
      attribute(this.root, "aria-colcount", columns.length);
      this.head.replaceChildren(...columns.map((field) => this.heading(field)));
    }
    columns.forEach((field, i) => {
      const cell = this.head.children[i]!;
      const sorted = order === field.order ? "ascending" : order === `${field.order} desc` ? "descending" : "none";
      attribute(cell, "aria-sort", field.order ? sorted : null);
    });
    this.paintHead();
    return changed;
  }

  paintHead(): void {
    this.columns.forEach((_, i) => this.paintPlace(this.head.children[i]!, { row: -1, column: i }));
  }

  makeRow(index: number): HTMLElement {
    return h(
      "div",
      { class: index % 2 ? "m-tr m-odd" : "m-tr", role: "row", "aria-rowindex": index + 2 },
      ...this.columns.map(({ kind, key }, i) =>
        h(
          "div",
          { class: kind === "text" || kind === "time" ? "m-td" : "m-td m-right", role: "gridcell", "aria-colindex": i + 1 },
          // For a pointer; the keyboard has Enter.
          opens(key, i) ? h("span", { class: "m-open" }) : "",
        ),
      ),
    );
  }

  paintRow(element: HTMLElement, index: number): void {
    const row = this.options.at(index);
    element.dataset["row"] = String(index);
    this.columns.forEach(({ kind, key }, i) => {
      const cell = element.children[i] as HTMLElement;
      const value = row?.values.get(key);
      const words = value === undefined ? "" : written(kind, value);
      text(cell.querySelector(".m-open") ?? cell, words);
      cell.classList.toggle("m-absent", value === undefined);
      attribute(cell, "title", words.length > LONG && kind === "text" ? words : null);
      this.paintPlace(cell, { row: index, column: i });
    });
  }

  /** Scrolls sideways as little as it takes to see the active column. */
  revealColumn(scroller: HTMLElement): void {
    const cell = this.head.children[this.cells.active.column] as HTMLElement | undefined;
    if (!cell) return;
    const end = cell.offsetLeft + cell.offsetWidth;
    const left = Math.min(cell.offsetLeft, Math.max(scroller.scrollLeft, end - scroller.clientWidth));
    if (left !== scroller.scrollLeft) scroller.scrollLeft = left;
  }

  private paintPlace(cell: Element, place: Place): void {
    const { row, column } = this.cells.active;
    const active = place.row === row && place.column === column;
    const id = `${this.prefix}-${place.row}-${place.column}`;
    cell.classList.toggle("m-at", active);
    attribute(cell, "id", active ? id : null);
    if (active) attribute(this.root, "aria-activedescendant", id);
    if (place.row >= 0) attribute(cell, "aria-selected", this.cells.selected(place) ? "true" : null);
  }

  private heading(field: Field): HTMLElement {
    const right = field.kind !== "text" && field.kind !== "time";
    const sort = (): void => this.options.sort(field);
    return h(
      "div",
      {
        class: right ? "m-td m-right" : "m-td",
        role: "columnheader",
        title: field.label,
        draggable: "true",
        ondragstart: () => (this.dragged = field),
        ondragend: () => (this.dragged = null),
        ondragover: (event: DragEvent) => this.dragged && event.preventDefault(),
        ondrop: (event: DragEvent) => this.onDrop(field, event),
      },
      field.order
        ? h("button", { type: "button", class: "m-sort", tabindex: "-1", onclick: sort }, field.label, icon("chevron"))
        : field.label,
    );
  }

  private onDrop(onto: Field, event: DragEvent): void {
    if (!this.dragged) return;
    event.preventDefault();
    this.options.moved(this.dragged, this.columns.indexOf(onto) - this.columns.indexOf(this.dragged));
    this.dragged = null;
  }

  private onClick(event: MouseEvent): void {
    const place = this.placeOf(event.target as Element);
    if (!place) return;
    this.options.clicked(place, event);
    if ((event.target as Element).matches(".m-open") && !event.shiftKey) this.openAt(place);
    else this.focus();
  }

  private onDoubleClick(event: MouseEvent): void {
    const place = this.placeOf(event.target as Element);
    if (place && place.row >= 0 && !(event.target as Element).matches(".m-open")) this.openAt(place);
  }

  private openAt({ row, column }: Place): void {
    const id = this.options.at(row)?.ids[this.columns[column]!.end];
    if (id) this.options.open(id);
  }

  private placeOf(target: Element): Place | null {
    const cell = target.closest(".m-td");
    const row = cell?.parentElement as HTMLElement | null;
    if (!cell || !row) return null;
    const index = row === this.head ? -1 : Number(row.dataset["row"]);
    return { row: index, column: [...row.children].indexOf(cell) };
  }
}

/** Whether a column's values are names of assets, which open them. */
function opens(key: string, column: number): boolean {
  return key.endsWith("display_name") || column === 0;
}
