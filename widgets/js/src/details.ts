// Everything about one row that does not fit into it: under an open list, and beside a closed one.
import { h, text } from "./dom";

export interface Detail {
  label: string;
  name: string;
  description: string;
  /** Counts, kind, who and when: a few words each. */
  facts: string[];
  labels: [string, string][];
}

/** Shows the details of one thing at a time. */
export class Details {
  readonly root: HTMLElement;
  private readonly title = h("p", { class: "m-about-title" });
  private readonly name = h("p", { class: "m-about-name m-muted" });
  private readonly description = h("p", { class: "m-about-text" });
  private readonly facts = h("p", { class: "m-about-facts m-muted" });
  private readonly labels = h("ul", { class: "m-labels", "aria-label": "Labels" });

  constructor(attributes: Record<string, string> = {}) {
    this.root = h(
      "div",
      { class: "m-about", ...attributes },
      this.title,
      this.name,
      this.description,
      this.facts,
      this.labels,
    );
  }

  /** What is shown, as one text. */
  get words(): string {
    const parts = [...this.root.querySelectorAll("p:not([hidden]), li")];
    return parts.map((each) => each.textContent).join(". ");
  }

  show(detail: Detail | null): void {
    this.root.hidden = !detail;
    text(this.title, detail?.label ?? "");
    text(this.name, detail?.name ?? "");
    text(this.description, detail?.description ?? "");
    text(this.facts, detail?.facts.filter(Boolean).join(" · ") ?? "");
    this.description.hidden = !detail?.description;
    const labels = detail?.labels ?? [];
    this.labels.hidden = labels.length === 0;
    this.labels.replaceChildren(
      ...labels.map(([key, value]) => h("li", { class: "m-label-of" }, value ? `${key}: ${value}` : key)),
    );
  }
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** How long ago a moment was, in words; empty where it is not known. */
export function ago(moment: string, now = Date.now()): string {
  if (!moment) return "";
  const seconds = (Date.parse(moment) - now) / 1000;
  const [unit, size] = STEPS.find(([, size]) => Math.abs(seconds) >= size) ?? ["minute", Infinity];
  return size === Infinity ? "just now" : relative.format(Math.round(seconds / size), unit);
}
