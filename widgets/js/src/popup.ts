// What lies over the page in the top layer, so that no cell clips it: placed under its anchor, or over it.
import { h } from "./dom";
import "./styles/popup.css";

const GAP = 4;
const MARGIN = 8;

/** A box beside an anchor, wherever that moves while it is shown. */
export class Popup {
  readonly root: HTMLElement;
  private shown = false;
  private readonly follow = (): void => this.place();

  constructor(
    private readonly anchor: HTMLElement,
    private readonly widthMin: number,
    attributes: Record<string, string>,
    ...children: Node[]
  ) {
    this.root = h("div", { class: "m-popup", popover: "manual", hidden: true, ...attributes }, ...children);
  }

  get isOpen(): boolean {
    return this.shown;
  }

  show(): void {
    if (this.shown) return;
    this.shown = true;
    this.root.hidden = false;
    this.root.showPopover?.();
    this.place();
    document.addEventListener("scroll", this.follow, true);
    window.addEventListener("resize", this.follow);
  }

  hide(): void {
    if (!this.shown) return;
    this.shown = false;
    this.root.hidePopover?.();
    this.root.hidden = true;
    document.removeEventListener("scroll", this.follow, true);
    window.removeEventListener("resize", this.follow);
  }

  place(): void {
    if (!this.shown) return;
    const box = this.anchor.getBoundingClientRect();
    const { style } = this.root;
    const width = Math.min(Math.max(box.width, this.widthMin), window.innerWidth - 2 * MARGIN);
    style.width = `${width}px`;
    style.left = `${Math.max(MARGIN, Math.min(box.left, window.innerWidth - width - MARGIN))}px`;
    const height = this.root.offsetHeight;
    const below = window.innerHeight - box.bottom;
    const over = below < height + MARGIN && box.top > below;
    // Where it fits on neither side it covers the anchor rather than leave the page.
    const top = over ? box.top - height - GAP : Math.min(box.bottom + GAP, window.innerHeight - height - MARGIN);
    style.top = `${Math.max(MARGIN, top)}px`;
  }
}
