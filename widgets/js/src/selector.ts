// Engagement and session side by side: choosing, making, changing, and what is going on.
import { type Channel, failureOf, isAbort } from "./channel";
import { counted, count, h, icon, text } from "./dom";
import { Form } from "./form";
import { type Choice, Combobox } from "./listbox";
import { Notice, SILENT_KERNEL } from "./notice";
import type { Engagement, Failure, PageOf, SelectorState, Session } from "./types";
import type { View } from "./view";

const CONNECTION = { live: "Live", connecting: "Connecting…", disconnected: "Disconnected" } as const;
const GONE: Failure = {
  kind: "NotFound",
  reason: "SESSION_NOT_FOUND",
  message: "This session is gone.",
  fields: [],
};

function engagementChoice(item: Engagement): Choice {
  return { name: item.name, label: item.label, detail: counted(item.session_count, "session") };
}

function sessionChoice(item: Session): Choice {
  const choice = { name: item.name, label: item.label, detail: counted(item.asset_count, "asset") };
  return item.is_default ? { ...choice, badge: "Default" } : choice;
}

export class Selector implements View<SelectorState> {
  readonly root: HTMLElement;
  private readonly engagements: Combobox<Engagement>;
  private readonly sessions: Combobox<Session>;
  private readonly notice = new Notice();
  private readonly form: Form;
  private readonly formBox = h("div", { class: "m-panel", hidden: true });
  private readonly status = h(
    "span",
    { class: "m-status" },
    h("span", { class: "m-dot", "aria-hidden": "true" }),
    h("span", {}),
  );
  private readonly pending = h(
    "span",
    { class: "m-pending", hidden: true },
    h("span", { class: "m-spinner", "aria-hidden": "true" }),
    "Switching…",
  );
  private readonly live = h("div", { class: "m-hidden", role: "status", "aria-live": "polite" });
  private state: SelectorState | null = null;
  private alive = true;
  /** Chosen here and not yet answered. */
  private chosen: Session | null = null;
  private choosing: AbortController | null = null;
  private failed: { failure: Failure; again: () => void } | null = null;
  private spoken = "";

  constructor(private readonly channel: Channel) {
    const announce = (message: string): void => this.say(message);
    this.engagements = new Combobox<Engagement>({
      label: "Engagement",
      plural: "Engagements",
      choice: engagementChoice,
      fetch: (offset, limit, signal) =>
        channel.request<PageOf<Engagement>>("engagements", { offset, limit }, signal),
      commit: (item) =>
        void this.ask("select_engagement", { engagement: item.name }, `Switching to ${item.label}`),
      announce,
    });
    this.sessions = new Combobox<Session>({
      label: "Session",
      plural: "Sessions",
      choice: sessionChoice,
      fetch: (offset, limit, signal) =>
        channel.request<PageOf<Session>>(
          "sessions",
          { engagement: this.state?.engagement?.name ?? "", offset, limit },
          signal,
        ),
      commit: (item) => void this.choose(item),
      announce,
    });
    this.form = new Form({
      channel,
      saved: ({ label }, created) => {
        this.closeForm();
        this.say(created ? `${label} created` : `${label} saved`);
      },
      cancelled: () => this.closeForm(),
    });
    this.formBox.append(this.form.root);
    this.engagements.root.classList.add("m-engagement");
    this.root = h(
      "div",
      {
        class: "m-selector",
        role: "group",
        "aria-label": "Mooring session",
        onkeydown: (event: KeyboardEvent) => this.onKey(event),
      },
      h(
        "div",
        { class: "m-bar" },
        this.engagements.root,
        this.sessions.root,
        h(
          "div",
          { class: "m-side" },
          h("div", { class: "m-state" }, this.pending, this.status),
          h(
            "div",
            { class: "m-tools" },
            h(
              "button",
              {
                type: "button",
                class: "m-button",
                title: "New session (n)",
                onclick: () => this.openForm(""),
              },
              icon("plus"),
              "New session",
            ),
            h(
              "button",
              {
                type: "button",
                class: "m-button m-only-icon",
                title: "Edit this session (e)",
                "aria-label": "Edit this session",
                onclick: () => this.edit(),
              },
              icon("pencil"),
            ),
            h(
              "button",
              {
                type: "button",
                class: "m-button m-only-icon",
                title: "Refresh (r)",
                "aria-label": "Refresh",
                onclick: () => this.refresh(),
              },
              icon("refresh"),
            ),
          ),
        ),
      ),
      this.notice.root,
      this.formBox,
      this.live,
    );
  }

  setState(state: SelectorState): void {
    const before = this.state;
    this.state = state;
    if (before?.engagement?.name !== state.engagement?.name) this.sessions.clear();
    else if (before && before.lists !== state.lists) this.sessions.stale();
    if (before && before.lists !== state.lists) this.engagements.stale();
    if (this.chosen?.name === state.session?.name && state.status !== "pending") this.chosen = null;
    this.paint(before);
  }

  setAlive(alive: boolean): void {
    this.alive = alive;
    if (!alive) this.say(SILENT_KERNEL);
    this.paint(this.state);
  }

  dispose(): void {
    this.engagements.dispose();
    this.sessions.dispose();
  }

  private paint(before: SelectorState | null): void {
    const state = this.state;
    if (!state) return;
    const session = this.chosen ?? state.session;
    const pending = !!this.chosen || state.status === "pending";
    const connection = this.alive ? state.connection : "disconnected";
    const blank = state.status === "loading" ? "Loading…" : "None";
    this.engagements.set(state.engagement && engagementChoice(state.engagement), blank);
    this.sessions.set(session && sessionChoice(session), blank, pending);
    this.pending.hidden = !pending || connection !== "live";
    this.status.hidden = !this.pending.hidden;
    this.status.dataset["connection"] = connection;
    text(this.status.lastElementChild!, CONNECTION[connection]);
    this.sessions.trigger.classList.toggle("m-gone", state.status === "gone");
    this.paintNotice(state);
    if (before && !pending && state.status === "ready" && before.session?.name !== state.session?.name)
      this.sayCurrent(state);
    if (before && before.connection !== connection && this.alive) this.say(CONNECTION[connection]);
  }

  private paintNotice(state: SelectorState): void {
    if (this.failed) {
      const { failure, again } = this.failed;
      const dismiss = (): void => {
        this.failed = null;
        this.paint(state);
      };
      this.notice.show(failure, [
        { label: "Try again", run: again },
        { label: "Dismiss", run: dismiss },
      ]);
    } else if (state.status === "gone") {
      this.notice.show(
        { ...GONE, message: `${state.session?.label ?? "This session"} is gone.` },
        [
          {
            label: "Choose another session",
            run: () => (this.sessions.trigger.focus(), this.sessions.show()),
          },
        ],
        "Somebody deleted it. Nothing is switched by itself: choose the session to go on with.",
      );
    } else {
      this.notice.show(state.error, [{ label: "Try again", run: () => this.refresh() }]);
    }
  }

  private async choose(session: Session): Promise<void> {
    if (session.name === this.state?.session?.name && !this.chosen) return;
    this.chosen = session;
    const done = await this.ask("select", { session: session.name }, `Switching to ${session.label}`);
    if (done === "superseded") return;
    this.chosen = null;
    this.paint(this.state);
  }

  /** One switch at a time: the next one takes this one's place. */
  private async ask(
    kind: string,
    payload: object,
    saying: string,
  ): Promise<"done" | "failed" | "superseded"> {
    this.choosing?.abort();
    const mine = (this.choosing = new AbortController());
    this.failed = null;
    this.say(saying);
    this.paint(this.state);
    try {
      await this.channel.request(kind, payload, mine.signal);
      return "done";
    } catch (error) {
      if (isAbort(error) || this.choosing !== mine) return "superseded";
      const failure = failureOf(error);
      this.failed = { failure, again: () => void this.ask(kind, payload, saying) };
      this.say(failure.message);
      this.paint(this.state);
      return "failed";
    }
  }

  /** The session before or after the current one. */
  private async step(by: number): Promise<void> {
    const current = (this.chosen ?? this.state?.session)?.name;
    try {
      if (this.sessions.pages.total === undefined) await this.sessions.pages.reach(0);
      const here = this.sessions.indexOf(current);
      if (here < 0) return this.say("Open the list to choose a session");
      const next = here + by < 0 ? undefined : await this.sessions.pages.reach(here + by);
      if (next) void this.choose(next);
      else this.say(by < 0 ? "This is the first session" : "This is the last session");
    } catch (error) {
      this.say(failureOf(error).message);
    }
  }

  private onKey(event: KeyboardEvent): void {
    event.stopPropagation();
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const shortcuts: Record<string, () => void> = {
      "[": () => void this.step(-1),
      "]": () => void this.step(1),
      n: () => this.openForm(""),
      e: () => this.edit(),
      c: () => void this.copy(),
      r: () => this.refresh(),
      Escape: () => this.leave(),
    };
    const shortcut = shortcuts[event.key];
    if (!shortcut) return;
    event.preventDefault();
    shortcut();
  }

  /** Gives the keyboard back to the notebook. */
  private leave(): void {
    (document.activeElement as HTMLElement | null)?.blur();
    this.root.closest<HTMLElement>(".jp-Cell")?.focus();
  }

  private openForm(session: string): void {
    // What was typed is not thrown away by asking for the same form again.
    if (!this.formBox.hidden && this.form.unsaved === session) return this.form.focus();
    this.formBox.hidden = false;
    void this.form.open(session).then(() => this.form.focus());
  }

  private edit(): void {
    if (this.state?.session) this.openForm(this.state.session.name);
  }

  private closeForm(): void {
    this.formBox.hidden = true;
    this.sessions.trigger.focus();
  }

  private async copy(): Promise<void> {
    const name = this.state?.session?.name;
    if (!name) return;
    try {
      await navigator.clipboard.writeText(name);
      this.say(`Copied ${name}`);
    } catch {
      this.say("The browser did not allow copying");
    }
  }

  private refresh(): void {
    this.say("Refreshing");
    this.engagements.stale();
    this.sessions.stale();
    void this.channel.request("refresh").catch(() => undefined);
  }

  private sayCurrent(state: SelectorState): void {
    if (state.session)
      this.say(`${state.session.label}, ${count(state.session.asset_count)} assets, is now the session`);
  }

  /** Announces politely; the same words twice are said twice. */
  private say(message: string): void {
    this.spoken = this.spoken === message ? `${message}\u00a0` : message;
    text(this.live, this.spoken);
  }
}
