// A list that is read page after page: the rows that are here, and the ways on and back.
import { count, h, text } from "./dom";
import type { Failure } from "./types";

/** A page as the kernel shows it; `items` is null while none of this list is here. */
export interface PageState<T> {
  /** From 1. */
  number: number;
  items: T[] | null;
  more: boolean;
  refreshing: boolean;
  error: Failure | null;
}

const SIZE = 50;

/** The buttons under a page. `go` asks for another one. */
export class Pager {
  readonly root: HTMLElement;
  private readonly back: HTMLButtonElement;
  private readonly on: HTMLButtonElement;
  private readonly place = h("span", { class: "m-muted", role: "status" });

  /** `left` takes the focus where the button that has it can do no more. */
  constructor(
    go: (to: "next" | "previous") => void,
    private readonly left: () => void,
  ) {
    const button = (label: string, to: "next" | "previous"): HTMLButtonElement =>
      h("button", { type: "button", class: "m-button", onclick: () => go(to) }, label);
    this.back = button("Previous page", "previous");
    this.on = button("Next page", "next");
    this.root = h("div", { class: "m-actions m-pager" }, this.back, this.on, this.place);
  }

  /** `total` is how many rows there are in all; null where nobody counted them. */
  show({ number, items, more, refreshing }: PageState<unknown>, total: number | null): void {
    const before = (number - 1) * SIZE;
    const here = items?.length ?? 0;
    const focused = document.activeElement;
    this.back.disabled = number === 1;
    // Not while the next page is on its way: a button that is disabled loses the keyboard.
    this.on.disabled = !more;
    if ((focused === this.back && number === 1) || (focused === this.on && items && !more)) this.left();
    this.root.hidden = number === 1 && !more;
    const of = total === null ? (more ? "" : ` of ${count(before + here)}`) : ` of ${count(total)}`;
    text(this.place, here && !refreshing ? `${count(before + 1)}–${count(before + here)}${of}` : "");
  }
}
