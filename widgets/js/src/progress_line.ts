// How far something long is: a bar, what it does, and how much of it is done.
import { attribute, count, counted, h, text } from "./dom";
import "./styles/progress.css";

export interface Progress {
  phase: string;
  done: number;
  total: number;
}

const PHASES: Record<string, string> = {
  queued: "Waiting for its turn",
  publishing: "Almost there",
};

export class ProgressLine {
  private readonly bar: HTMLProgressElement;
  private readonly phase = h("span", { class: "m-muted", role: "status" });
  private readonly amount = h("span", { class: "m-muted m-amount" });
  readonly parts: readonly HTMLElement[];

  /** `label` is what the bar is of, `noun` what is counted. */
  constructor(
    label: string,
    private readonly noun: string,
  ) {
    this.bar = h("progress", { class: "m-progress", "aria-label": label, hidden: true });
    this.parts = [this.bar, this.phase, this.amount];
  }

  /** `words` stand there instead while there is nothing to measure. */
  show(running: boolean, progress: Progress | null, words: string): void {
    const { phase, done, total } = progress ?? { phase: "starting", done: 0, total: 0 };
    this.bar.hidden = !running;
    attribute(this.bar, "max", total || null);
    attribute(this.bar, "value", total ? done : null);
    text(this.phase, running ? (PHASES[phase] ?? phase.charAt(0).toUpperCase() + phase.slice(1)) : words);
    // Not in the live region: numbers that run would be read out without end.
    text(this.amount, running && total ? `${count(done)} of ${counted(total, this.noun)}` : "");
  }
}
