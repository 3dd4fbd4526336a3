// Who did what, and when: a list by days, the newest first.
import { attribute, count, counted, h, text, uid } from "./dom";
import { Frame } from "./frame";
import type { ViewState } from "./types";
import type { Context, View } from "./view";
import "./styles/views.css";
import "./styles/activity.css";

/** `{actor} {done} {what}`, in `session` where that is not what it was done to. */
interface Line {
  /** ISO 8601, in UTC. */
  time: string;
  actor: string;
  done: string;
  what: string;
  session: string;
  resource: string;
}

interface ActivityState extends ViewState {
  kinds: { value: string; label: string }[];
  kind: string;
  /** Of the session, rather than of its whole engagement. */
  of_session: boolean;
  /** Of the session for good. */
  fixed: boolean;
  lines: Line[] | null;
  /** How many changes the lines are about. */
  count: number;
  /** There are older ones, and they can be asked for here. */
  more: boolean;
  /** There are older ones, but not here. */
  cut: boolean;
}

export class Activity implements View<ActivityState> {
  readonly root: HTMLElement;
  private readonly frame: Frame;
  private readonly kind = h("select", { class: "m-input", id: uid("kind"), onchange: () => this.choose() });
  private readonly scope = h("select", { class: "m-input", id: uid("scope"), onchange: () => this.choose() });
  private readonly scopeField: HTMLElement;
  private readonly days = h("div", { class: "m-days", tabindex: "0", role: "group" });
  private readonly older = h("button", { type: "button", class: "m-button", onclick: () => this.askOlder() }, "Older");
  private readonly rest = h("p", { class: "m-muted" });
  private drawn = "";

  constructor(private readonly context: Context) {
    this.frame = new Frame("activity", context.channel);
    this.root = this.frame.root;
    this.scope.append(
      h("option", { value: "" }, "The whole engagement"),
      h("option", { value: "session" }, "The current session"),
    );
    this.scopeField = field("Of", this.scope);
    // Outside the body, which is hidden where nothing of a kind has happened: another can be chosen then.
    this.root.firstElementChild!.after(h("div", { class: "m-choices" }, field("Show", this.kind), this.scopeField));
    this.frame.body.append(this.days, this.older, this.rest);
  }

  setState(state: ActivityState): void {
    this.frame.hold(state);
    if (this.kind.length === 0)
      this.kind.append(...state.kinds.map(({ value, label }) => h("option", { value }, label)));
    this.kind.value = state.kind;
    this.scope.value = state.of_session ? "session" : "";
    this.scopeField.hidden = state.fixed;
    // The words for days change at midnight.
    const key = `${state.session} ${new Date().toDateString()} ${JSON.stringify(state.lines)}`;
    if (key !== this.drawn) {
      this.drawn = key;
      this.days.replaceChildren(...byDay(state.lines ?? []));
    }
    attribute(this.days, "aria-label", `${state.title} of ${state.session_label}`);
    // A button that has the focus and goes would drop it to the top of the page.
    if (!state.more && document.activeElement === this.older) this.kind.focus();
    this.older.hidden = !state.more;
    this.rest.hidden = !state.cut;
    text(this.rest, state.cut ? "There is more of it, further back: ws.activity.recent(None) has all." : "");
    this.frame.paint(
      state,
      !!state.lines,
      state.more || state.cut ? `The newest ${count(state.count)}` : counted(state.count, "change"),
      state.kind ? "Nothing of this kind has happened." : "Nothing has happened yet.",
    );
  }

  dispose(): void {}

  private choose(): void {
    void this.context.channel
      .request("activity.choose", { only: this.kind.value, of_session: this.scope.value === "session" })
      .catch(() => undefined);
  }

  private askOlder(): void {
    void this.context.channel.request("activity.older").catch(() => undefined);
  }
}

function field(label: string, control: HTMLElement): HTMLElement {
  return h("div", { class: "m-choice" }, h("label", { class: "m-label", for: control.id }, label), control);
}

const DAY_MS = 86_400_000;
const long = new Intl.DateTimeFormat("en", { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const exact = new Intl.DateTimeFormat("en", { dateStyle: "long", timeStyle: "long" });

/** The lines under the days of whoever looks at them. */
function byDay(lines: Line[]): HTMLElement[] {
  const days = new Map<string, HTMLElement>();
  const shown: HTMLElement[] = [];
  for (const line of lines) {
    const when = new Date(line.time);
    const day = when.toDateString();
    let list = days.get(day);
    if (!list) {
      const title = h("h4", { class: "m-day", id: uid("day") }, dayName(when));
      list = h("ol", { class: "m-lines-of-day", "aria-labelledby": title.id });
      days.set(day, list);
      shown.push(title, list);
    }
    list.append(written(line, when));
  }
  return shown;
}

function written({ time, actor, done, what, session, resource }: Line, when: Date): HTMLElement {
  const at = h("time", { class: "m-muted m-time", datetime: time, title: exact.format(when) }, clock.format(when));
  const sentence = h("span", { class: "m-sentence" }, h("strong", {}, actor), ` ${done} `, h("span", { class: "m-what" }, what));
  attribute(sentence, "title", resource);
  if (session) sentence.append(" in ", h("span", { class: "m-what" }, session));
  return h("li", { class: "m-line" }, at, sentence);
}

function dayName(when: Date): string {
  const now = new Date();
  if (when.toDateString() === now.toDateString()) return "Today";
  if (when.toDateString() === new Date(now.getTime() - DAY_MS).toDateString()) return "Yesterday";
  return long.format(when);
}
