// The line under an open list: how many there are, or what is wrong, and a way on.
import { h, text } from "./dom";

export interface Way {
  label: string;
  run(): void;
}

export class Foot {
  readonly root: HTMLElement;
  private readonly words = h("span", {});

  /** `done` hears when the way on was taken, which may be gone then. */
  constructor(private readonly done: () => void) {
    this.root = h("div", { class: "m-foot" }, this.words);
  }

  show(words: string, failed: boolean, way: Way | null): void {
    text(this.words, words);
    this.words.classList.toggle("m-foot-error", failed);
    // Made once, so that it keeps the focus.
    const [there] = this.root.getElementsByTagName("button");
    if ((there?.textContent ?? "") === (way?.label ?? "")) return;
    there?.remove();
    if (!way) return;
    const run = (): void => (way.run(), this.done());
    this.root.append(h("button", { type: "button", class: "m-link", onclick: run }, way.label));
  }
}
