// Which cell of a grid is active and which are selected, and the keys that move them.

/** Row -1 is the header. */
export interface Place {
  row: number;
  column: number;
}

export interface Area {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

interface Size {
  rows(): number;
  columns(): number;
  /** How many rows a page of the keyboard is. */
  page(): number;
}

/** The cursor of a grid, as the APG has it: arrows, Home and End, pages; with Shift they select. */
export class Cells {
  active: Place = { row: 0, column: 0 };
  private anchor: Place | null = null;

  constructor(private readonly size: Size) {}

  /** Where a selection was begun it goes from there to the active cell; nothing is selected otherwise. */
  get area(): Area | null {
    if (!this.anchor) return null;
    const { anchor, active } = this;
    return {
      top: Math.max(0, Math.min(anchor.row, active.row)),
      bottom: Math.max(0, anchor.row, active.row),
      left: Math.min(anchor.column, active.column),
      right: Math.max(anchor.column, active.column),
    };
  }

  selected({ row, column }: Place): boolean {
    const area = this.area;
    if (!area) return false;
    return row >= area.top && row <= area.bottom && column >= area.left && column <= area.right;
  }

  /** For other rows: to the first of them, but from a heading nowhere, which may be what brought them. */
  reset(): void {
    this.active = this.active.row < 0 ? this.active : { row: 0, column: 0 };
    this.anchor = null;
  }

  /** Lets go of the selection; whether there was one. */
  unselect(): boolean {
    const had = this.anchor !== null;
    this.anchor = null;
    return had;
  }

  /** After the columns have changed: the active cell is in one of them, and nothing is selected. */
  toColumn(column: number): void {
    this.anchor = null;
    this.active = { ...this.active, column: clamp(column, 0, this.size.columns() - 1) };
  }

  /** Makes a cell the active one; with `extend` the selection reaches to it. */
  go(place: Place, extend = false): void {
    const rows = this.size.rows();
    const row = clamp(place.row, extend ? 0 : -1, rows - 1);
    const column = clamp(place.column, 0, this.size.columns() - 1);
    if (!extend) this.anchor = null;
    else this.anchor ??= { row: Math.max(0, this.active.row), column: this.active.column };
    this.active = { row, column };
  }

  /** Selects all cells between two rows, or of all rows. */
  selectRows(top: number, bottom: number): void {
    this.anchor = { row: top, column: 0 };
    this.active = { row: bottom, column: this.size.columns() - 1 };
  }

  /** Moves or selects as a key says; whether it is one of those. */
  key(event: KeyboardEvent): boolean {
    if (event.altKey) return false;
    const control = event.ctrlKey || event.metaKey;
    const { row, column } = this.active;
    const last = this.size.rows() - 1;
    if (event.key === " " && event.shiftKey && !control) {
      const area = this.area;
      if (row < 0) return false;
      this.selectRows(area?.top ?? row, area?.bottom ?? row);
      return true;
    }
    if (control && event.key.toLowerCase() === "a") {
      if (last >= 0) this.selectRows(0, last);
      return true;
    }
    const to = control
      ? { Home: { row: 0, column: 0 }, End: { row: last, column: Infinity } }[event.key]
      : {
          ArrowDown: { row: row + 1, column },
          ArrowUp: { row: row - 1, column },
          ArrowRight: { row, column: column + 1 },
          ArrowLeft: { row, column: column - 1 },
          PageDown: { row: row + this.size.page(), column },
          // Not into the header: that is one arrow further.
          PageUp: { row: Math.max(Math.min(row, 0), row - this.size.page()), column },
          Home: { row, column: 0 },
          End: { row, column: Infinity },
        }[event.key];
    if (!to) return false;
    this.go(to, event.shiftKey);
    return true;
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(value, high));
}
