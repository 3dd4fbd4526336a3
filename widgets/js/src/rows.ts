// A window onto any number of rows of one height: only what is seen is in the page.
//
// Rows of one height need no measuring, so this is arithmetic. What is not: browsers cap the height of an
// element (Firefox near 17 million pixels), so above a limit the scroll bar stands for the list by proportion.
import { painter } from "./dom";
import "./styles/rows.css";

export const MAX_PIXELS = 10_000_000;
const OVERSCAN = 4;

/** Between the list's own pixels and those of the scroll bar. */
export class ScrollMap {
  constructor(
    private readonly total: number,
    private readonly viewport: number,
    private readonly limit = MAX_PIXELS,
  ) {}

  /** The height to give the element. */
  get height(): number {
    return Math.min(this.total, this.limit);
  }

  get mapped(): boolean {
    return this.total > this.limit;
  }

  get end(): number {
    return Math.max(0, this.total - this.viewport);
  }

  toList(scrollTop: number): number {
    return this.mapped ? (scrollTop / (this.limit - this.viewport)) * this.end : scrollTop;
  }

  toBar(offset: number): number {
    return this.mapped ? (offset / this.end) * (this.limit - this.viewport) : offset;
  }

  clamp(offset: number): number {
    return Math.min(Math.max(0, offset), this.end);
  }
}

export interface RowSource {
  /** An element for a row; called once for each row that comes into the window. */
  create(index: number): HTMLElement;
  /** Brings a row's element up to date. */
  update(element: HTMLElement, index: number): void;
  /** The element inside the canvas that a row belongs to; the canvas itself where there is none. */
  parent?(index: number): Element;
  /** A row that stays in the page wherever the window is, since something refers to its element. */
  kept?(): number;
  /** Hears which rows are seen, after each paint. */
  seen(first: number, last: number): void;
}

/** Paints the seen rows of a scrolling element into its canvas. */
export class Rows {
  /** Asks for a paint in the next frame. */
  readonly refresh: () => void;
  private count = 0;
  private offset = 0;
  private barAt = 0;
  private readonly elements = new Map<number, HTMLElement>();
  private readonly resizes: ResizeObserver;
  /** Of the scroller, once it was told; 0 while it is hidden. */
  private height: number | undefined;

  /** `head` is the height in pixels, inside the scroller, that a sticky header takes. */
  constructor(
    private readonly scroller: HTMLElement,
    private readonly canvas: HTMLElement,
    private readonly source: RowSource,
    readonly rowHeight: number,
    private readonly head = 0,
  ) {
    this.refresh = painter(() => this.paint());
    scroller.addEventListener("scroll", () => this.onScroll(), { passive: true });
    scroller.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.resizes = new ResizeObserver(() => {
      this.height = scroller.clientHeight;
      this.refresh();
    });
    this.resizes.observe(scroller);
  }

  setCount(count: number): void {
    if (count === this.count) return;
    this.count = count;
    this.refresh();
  }

  /** The first and last row that can be seen whole or in part. */
  get range(): [number, number] {
    const first = Math.floor(this.offset / this.rowHeight);
    const last = Math.ceil((this.offset + this.viewport) / this.rowHeight) - 1;
    return [Math.max(0, first), Math.min(this.count - 1, last)];
  }

  get pageRows(): number {
    return Math.max(1, Math.floor(this.viewport / this.rowHeight) - 1);
  }

  element(index: number): HTMLElement | undefined {
    return this.elements.get(index);
  }

  scrollBy(pixels: number): void {
    this.scrollTo(this.offset + pixels);
  }

  /** Scrolls as little as it takes to see a row whole, and paints at once, so that the row is in the page. */
  reveal(index: number): void {
    if (this.height === 0) this.height = undefined; // it was hidden until just now
    const start = index * this.rowHeight;
    const least = start + this.rowHeight - this.viewport;
    this.scrollTo(Math.min(start, Math.max(this.offset, least)));
    this.paint();
  }

  scrollTo(offset: number): void {
    this.canvas.style.height = `${this.map.height}px`;
    this.offset = this.map.clamp(offset);
    this.scroller.scrollTop = this.map.toBar(this.offset);
    this.barAt = this.scroller.scrollTop;
    this.refresh();
  }

  /** Drops every element, so that the next paint makes them anew. */
  clear(): void {
    for (const element of this.elements.values()) element.remove();
    this.elements.clear();
  }

  close(): void {
    this.resizes.disconnect();
  }

  private get viewport(): number {
    // Where the page is asked, it is laid out first, which takes longer than painting the rows.
    return Math.max(0, (this.height || this.scroller.clientHeight) - this.head);
  }

  private get map(): ScrollMap {
    return new ScrollMap(this.count * this.rowHeight, this.viewport);
  }

  private onScroll(): void {
    // Our own scrollTo comes back as an event; the bar is coarser than the list, so it must not win.
    if (Math.abs(this.scroller.scrollTop - this.barAt) >= 1) {
      this.barAt = this.scroller.scrollTop;
      this.offset = this.map.clamp(this.map.toList(this.barAt));
    }
    this.refresh();
  }

  private onWheel(event: WheelEvent): void {
    // By proportion one notch would fly past dozens of rows.
    if (!this.map.mapped || event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
    const unit = [1, this.rowHeight, this.viewport][event.deltaMode] ?? 1;
    event.preventDefault();
    this.scrollBy(event.deltaY * unit);
  }

  /** At once, for what must be seen together with something else. */
  paint(): void {
    // Hidden: what was painted stays, and the observer of its size tells when it is back.
    if (this.height === 0 || this.viewport === 0) return;
    const map = this.map;
    this.canvas.style.height = `${map.height}px`;
    this.offset = map.clamp(this.offset);
    const [first, last] = this.range;
    const low = Math.max(0, first - OVERSCAN);
    const high = Math.min(this.count - 1, last + OVERSCAN);
    for (const [index, element] of this.elements) {
      if ((index >= low && index <= high) || index === this.source.kept?.()) continue;
      element.remove();
      this.elements.delete(index);
    }
    const shift = map.mapped ? this.scroller.scrollTop - this.offset : 0;
    for (let index = low; index <= high; index += 1) {
      let element = this.elements.get(index);
      if (!element) {
        element = this.source.create(index);
        this.insert(element, index);
        this.elements.set(index, element);
      }
      this.source.update(element, index);
    }
    for (const [index, element] of this.elements) {
      element.style.transform = `translateY(${index * this.rowHeight + shift}px)`;
    }
    if (this.count > 0) this.source.seen(first, last);
  }

  /** In order, for whoever reads the page rather than sees it. */
  private insert(element: HTMLElement, index: number): void {
    const parent = this.source.parent?.(index) ?? this.canvas;
    let after: number | undefined;
    for (const [other, { parentNode }] of this.elements) {
      if (other > index && parentNode === parent && (after === undefined || other < after)) after = other;
    }
    parent.insertBefore(element, after === undefined ? null : this.elements.get(after)!);
  }
}
