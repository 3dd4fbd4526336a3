// How old something is that nothing keeps true just now, in words that follow the clock.
import { attribute, h, text } from "./dom";

const UNITS: [string, number][] = [
  ["day", 86_400],
  ["h", 3600],
  ["min", 60],
];
const PERIOD_MS = 15_000;

/** `as of 3 min ago`; both times in seconds since the epoch. */
export function agoOf(asOf: number, now: number): string {
  const age = Math.max(0, now - asOf);
  for (const [unit, seconds] of UNITS) {
    const whole = Math.floor(age / seconds);
    if (whole > 0) return `as of ${whole} ${unit === "day" && whole > 1 ? "days" : unit} ago`;
  }
  return "as of just now";
}

/** A text that says how old something is; empty while it is kept true. */
export class Age {
  readonly root = h("span", { class: "m-age", hidden: true });
  private asOf: number | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;

  /** Seconds since the epoch; null while what is shown is kept true. */
  show(asOf: number | null): void {
    this.asOf = asOf;
    this.root.hidden = asOf === null;
    attribute(this.root, "title", asOf === null ? null : new Date(asOf * 1000).toLocaleString());
    clearInterval(this.timer);
    if (asOf !== null) {
      this.timer = setInterval(() => (this.root.isConnected ? this.paint() : clearInterval(this.timer)), PERIOD_MS);
    }
    this.paint();
  }

  private paint(): void {
    text(this.root, this.asOf === null ? "" : agoOf(this.asOf, Date.now() / 1000));
  }
}
