// Merging one session into another: what, what that would do, where conflicts go, one sentence to agree to, the record.
import { failureOf, isAbort } from "./channel";
import { attribute, h, text, uid } from "./dom";
import { MergeConflicts } from "./merge_conflicts";
import { dropped, numbers } from "./merge_numbers";
import { MergePlan } from "./merge_plan";
import type { MergeState, Step } from "./merge_state";
import { type Action, Notice } from "./notice";
import { Pager } from "./pager";
import { ProgressLine } from "./progress_line";
import type { Failure } from "./types";
import type { Context, View } from "./view";
import "./styles/panel.css";
import "./styles/numbers.css";
import "./styles/merge.css";

const STEPS: [Step, string, string][] = [
  ["plan", "Sessions", "Which sessions, and how"],
  ["preview", "Preview", "What this would do"],
  ["conflicts", "Conflicts", "Where the conflicts go"],
  ["confirm", "Confirm", "What will happen"],
  ["record", "Record", "What was done"],
];
const DOING = { merging: "Merging", undoing: "Undoing" };
const NO_RIGHT = "You may look at this engagement, and not change it. Ask a manager for the role of an analyst; what you chose stays here.";
const when = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

export class MergeWizard implements View<MergeState> {
  readonly root: HTMLElement;
  private readonly title = h("h3", { class: "m-title", id: uid("merge") });
  private readonly steps = new Map<Step, HTMLButtonElement>();
  private readonly heading = h("h4", { class: "m-step-title", tabindex: "-1" });
  private readonly moved = h("p", { class: "m-moved", role: "status" });
  private readonly notice = new Notice();
  private readonly plan: MergePlan;
  private readonly numbers = h("div", { class: "m-numbers" });
  private readonly conflicts: MergeConflicts;
  private readonly will = h("p", { class: "m-will" });
  private readonly drops = h("ul", { class: "m-conflicts", tabindex: "-1", "aria-label": "What is not in the result" });
  private readonly dropPages: Pager;
  private readonly dropped: HTMLElement;
  private readonly back: HTMLButtonElement;
  private readonly next: HTMLButtonElement;
  private readonly cancel: HTMLButtonElement;
  private readonly undo: HTMLButtonElement;
  private readonly line = new ProgressLine("Merge", "row");
  private readonly said = h("div", { class: "m-hidden", role: "status" });
  private state: MergeState | null = null;
  private drawn = { numbers: "", drops: "" };
  /** Whether it was this page that asked for what comes next, and so takes the keyboard there. */
  private owned = false;
  private refused: Failure | null = null;

  constructor(private readonly context: Context) {
    const button = (label: string, run: () => void, more = ""): HTMLButtonElement =>
      h("button", { type: "button", class: `m-button ${more}`, onclick: run }, label);
    this.plan = new MergePlan(context.channel);
    this.conflicts = new MergeConflicts({
      only: (field) => this.ask("merge.only", { field }),
      choose: (asset, field, side) => this.ask("merge.choose", { asset, field, side }),
      back: () => void this.takeBack(),
      page: (to) => this.ask("merge.page", { to }),
    });
    this.dropPages = new Pager((to) => this.ask("merge.page", { to }), () => this.drops.focus());
    this.dropped = h("div", {}, h("h5", { class: "m-label" }, "What is not in the result"), this.drops, this.dropPages.root);
    this.back = button("Back", () => this.go(-1));
    this.next = button("Next", () => (this.state!.step === "confirm" ? this.run() : this.go(1)), "m-primary");
    this.cancel = button("Cancel", () => this.ask("merge.cancel"));
    this.undo = button("Undo this merge", () => this.own("merge.undo"));
    for (const [step, label] of STEPS) this.steps.set(step, button(label, () => this.to(step), "m-step"));
    this.root = h(
      "div",
      { class: "m-panel m-merge", role: "group", "aria-labelledby": this.title.id },
      this.title,
      h("ol", { class: "m-steps", "aria-label": "Steps" }, ...[...this.steps.values()].map((each) => h("li", {}, each))),
      this.heading,
      this.moved,
      this.notice.root,
      this.plan.root,
      this.will,
      this.numbers,
      this.conflicts.root,
      this.dropped,
      h("div", { class: "m-actions" }, this.back, this.next, this.undo, this.cancel, ...this.line.parts),
      this.said,
    );
  }

  setState(state: MergeState): void {
    const before = this.state;
    this.state = state;
    const { step, sides, doing, record } = state;
    const from = sides.source.label && `“${sides.source.label}” `;
    text(this.title, `Merge ${from}into “${sides.target.label}”`);
    for (const [each, button] of this.steps) {
      attribute(button, "aria-current", each === step ? "step" : null);
      button.disabled = each !== step && !this.may(each);
    }
    text(this.heading, doing ? DOING[doing] : STEPS.find(([each]) => each === step)![2]);
    this.moved.hidden = !state.moved;
    text(this.moved, state.moved);
    this.plan.root.hidden = step !== "plan";
    this.plan.show(state);
    this.paintNumbers(state);
    this.will.hidden = step !== "confirm" && step !== "record";
    text(this.will, record ? `${record.says} ${told(record.user, record.time)}` : state.will || "Looking…");
    this.conflicts.root.hidden = step !== "conflicts";
    if (step === "conflicts") this.conflicts.show(state);
    this.paintDrops(state);
    this.line.show(doing === "merging", state.progress, state.told);
    this.paintButtons(state);
    this.paintNotice(state);
    this.moveFocus(before, state);
  }

  dispose(): void {}

  private paintNumbers({ step, preview, refreshing, record }: MergeState): void {
    const counts = record?.counts ?? preview;
    this.numbers.hidden = step === "plan" || step === "conflicts";
    const key = JSON.stringify(counts);
    if (key !== this.drawn.numbers) {
      this.drawn.numbers = key;
      this.numbers.replaceChildren(...(counts ? numbers(counts) : [h("p", { class: "m-muted", role: "status" }, "Looking at both sessions…")]));
    }
    this.numbers.classList.toggle("m-stale", refreshing && !!counts && !record);
    attribute(this.numbers, "aria-busy", refreshing ? "true" : null);
  }

  private paintDrops({ step, drops, sides }: MergeState): void {
    const items = drops?.items ?? [];
    this.dropped.hidden = step !== "record" || items.length === 0;
    const key = JSON.stringify(items);
    if (key !== this.drawn.drops) {
      this.drawn.drops = key;
      this.drops.replaceChildren(...items.map((each) => dropped(each, sides)));
    }
    if (drops) this.dropPages.show(drops, null);
  }

  private paintButtons({ step, doing, record, preview, refreshing }: MergeState): void {
    this.back.hidden = step === "plan" || doing !== "";
    text(this.back, record ? "Merge another one" : "Back");
    this.next.hidden = step === "record" || doing !== "";
    text(this.next, step === "confirm" ? "Merge" : "Next");
    // Which step is next is known when it is known whether there are conflicts.
    const looking = step === "confirm" ? !preview || refreshing : step === "preview" && !preview;
    this.next.disabled = looking || (step !== "confirm" && !this.may(this.beside(1)));
    this.cancel.hidden = doing !== "merging";
    this.undo.hidden = !record?.undoable || doing !== "";
  }

  private paintNotice(state: MergeState): void {
    const { error, failed, rows, drops, problem } = state;
    if (this.refused) return this.notice.show(this.refused, [{ label: "Close", run: () => this.close() }]);
    if (!error) {
      const wrong = problem ?? rows?.error ?? drops?.error ?? null;
      return this.notice.show(wrong, [{ label: "Try again", run: () => this.ask("retry") }]);
    }
    const again: Action = { label: "Try again", run: () => (failed === "undoing" ? this.own("merge.undo") : this.run()) };
    const anyway: Action = { label: "Undo anyway", run: () => this.own("merge.undo", { force: true }) };
    const edited = error.reason === "DATA_EDITED";
    // What the service says is for programs too; people press a button.
    const said = edited ? { ...error, message: `${error.message.split(";")[0]}.` } : error;
    this.notice.show(said, [edited ? anyway : again], error.kind === "PermissionDenied" ? NO_RIGHT : undefined);
  }

  /** Whatever was asked for here is what the keyboard goes to. */
  private moveFocus(before: MergeState | null, { step, doing }: MergeState): void {
    if (!before || !this.owned || (before.step === step && before.doing === doing)) return;
    const at = document.activeElement;
    const away = at && at !== document.body && !this.root.contains(at);
    this.owned = !away && doing !== "";
    if (away) return;
    if (doing === "merging") this.cancel.focus();
    else if (doing === "") this.heading.focus();
  }

  /** The step beside this one: conflicts are passed over where there is nothing to choose. */
  private beside(by: number): Step {
    const order = STEPS.map(([step]) => step);
    const { step } = this.state!;
    if (step === "record") return "plan";
    let at = order.indexOf(step) + by;
    if (order[at] === "conflicts" && !this.may("conflicts")) at += by;
    return order[at]!;
  }

  private may(step: Step): boolean {
    const { sides, strategy, preview, record, doing } = this.state!;
    if (doing || record || step === "record") return false;
    if (step === "conflicts") return strategy === "combine" && !!preview?.conflict_count;
    return step === "plan" || !!sides.source.name;
  }

  private go(by: number): void {
    this.to(this.beside(by));
  }

  private to(step: Step): void {
    if (step !== this.state!.step) this.own("merge.step", { to: step });
  }

  private run(): void {
    this.own("merge.run");
  }

  private close(): void {
    this.refused = null;
    this.heading.focus();
    this.paintNotice(this.state!);
  }

  private async takeBack(): Promise<void> {
    const { undone } = await this.context.channel
      .request<{ undone: string }>("merge.back")
      .catch(() => ({ undone: "" }));
    text(this.said, undone ? `Undone: ${undone}` : "");
  }

  /** Asks for what moves the keyboard on. */
  private own(kind: string, payload: object = {}): void {
    this.owned = true;
    this.ask(kind, payload);
  }

  private ask(kind: string, payload: object = {}): void {
    this.refused = null;
    this.context.channel.request(kind, payload).catch((error) => {
      // What a merge comes to is in the state, for whoever looks at it.
      if (isAbort(error) || this.state!.error || kind === "merge.run" || kind === "merge.undo") return;
      this.refused = failureOf(error);
      this.setState(this.state!);
    });
  }
}

const told = (user: string, time: string): string => (time ? `By ${user}, ${when.format(new Date(time))}.` : "");
