// What stands where in a list with groups on top: headings, the rows of the groups, and then the pages of the rest.
import type { Pages } from "./pages";

/** Rows that are here whole, under a heading of their own. */
export interface Group<T> {
  title: string;
  items: readonly T[];
}

/** One line of the list. `position` counts from 1 among the `size` rows of its group; -1 is a size not known. */
export type Line<T> =
  | { kind: "heading"; title: string; group: number }
  | { kind: "item"; item: T | undefined; group: number; position: number; size: number };

/** Where each row is; made anew whenever a group or the number of rows changes. */
export class Layout<T> {
  /** How many lines there are, headings too. */
  readonly count: number;
  /** The groups by their titles; a list without headings has none. */
  readonly titles: string[];
  private readonly lines: Line<T>[] = [];
  private readonly others: T[] | null;

  /**
   * A list that one page holds shows each row once: those of the groups are left out below them. Of a longer list
   * nobody knows which pages they are on.
   */
  constructor(
    groups: readonly Group<T>[],
    private readonly pages: Pages<T>,
    rest: string,
    private readonly nameOf: (item: T) => string,
  ) {
    const shown = groups.filter(({ items }) => items.length > 0);
    const above = new Set(shown.flatMap(({ items }) => items.map(nameOf)));
    const total = pages.total ?? 0;
    const whole = above.size > 0 && total <= pages.size && !pages.atLeast;
    this.others = whole
      ? [...pages.loaded()].map(([, item]) => item).filter((item) => !above.has(nameOf(item)))
      : null;
    const below = this.others?.length ?? total;
    this.titles = shown.map(({ title }) => title);
    for (const [group, { title, items }] of shown.entries()) {
      this.lines.push({ kind: "heading", title, group });
      for (const [index, item] of items.entries()) {
        this.lines.push({ kind: "item", item, group, position: index + 1, size: items.length });
      }
    }
    if (above.size > 0 && below > 0) {
      this.lines.push({ kind: "heading", title: rest, group: this.titles.length });
      this.titles.push(rest);
    }
    this.count = this.lines.length + below;
  }

  /** How many lines stand above the first of the pages' rows. */
  get above(): number {
    return this.lines.length;
  }

  line(index: number): Line<T> | undefined {
    if (index < this.lines.length) return this.lines[index];
    if (index >= this.count) return undefined;
    const row = index - this.lines.length;
    const size = this.others ? this.others.length : this.pages.atLeast ? -1 : (this.pages.total ?? -1);
    const item = this.others ? this.others[row] : this.pages.at(row);
    return { kind: "item", item, group: this.titles.length - 1, position: row + 1, size };
  }

  item(index: number): T | undefined {
    const line = this.line(index);
    return line?.kind === "item" ? line.item : undefined;
  }

  /** Every row that is here, in order; `wanted` of its lines. */
  *rows(): Generator<[number, T]> {
    for (const [index, line] of this.lines.entries()) {
      if (line.kind === "item" && line.item) yield [index, line.item];
    }
    if (this.others) {
      for (const [row, item] of this.others.entries()) yield [this.lines.length + row, item];
    } else {
      for (const [row, item] of this.pages.loaded()) yield [this.lines.length + row, item];
    }
  }

  /** The first line with this name, in a group with this title where it is there; -1 where none is loaded. */
  indexOf(name: string | undefined, title?: string): number {
    let first = -1;
    for (const [index, item] of this.rows()) {
      if (this.nameOf(item) !== name) continue;
      if (title === undefined || this.titleAt(index) === title) return index;
      if (first < 0) first = index;
    }
    return first;
  }

  titleAt(index: number): string {
    const line = this.line(index);
    return (line && this.titles[line.group]) ?? "";
  }

  /** The nearest row to a line in a direction, which skips headings; else in the other one. */
  near(index: number, direction: 1 | -1): number {
    const wanted = Math.min(Math.max(0, index), this.count - 1);
    for (const step of [direction, -direction]) {
      for (let at = wanted; at >= 0 && at < this.count; at += step) {
        if (this.line(at)?.kind === "item") return at;
      }
    }
    return -1;
  }

  /** Lines as rows of the pages, for those that come from there; null where none does. */
  toPages(first: number, last: number): [number, number] | null {
    if (this.others || last < this.lines.length) return null;
    return [Math.max(0, first - this.lines.length), last - this.lines.length];
  }

  /** Whether another layout has the same lines in the same places, so that its rows can stay in the page. */
  sameFrame(other: Layout<T> | null): boolean {
    if (!other || other.lines.length !== this.lines.length) return false;
    if (!!other.others !== !!this.others) return false;
    return this.lines.every((line, index) => {
      const theirs = other.lines[index]!;
      return (
        line.kind === theirs.kind &&
        line.group === theirs.group &&
        (line.kind === "item" || (theirs.kind === "heading" && line.title === theirs.title))
      );
    });
  }
}
