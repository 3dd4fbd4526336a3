// Engagement and session side by side: choosing, making, changing, comparing, and what is going on.
import { type Channel, failureOf, isAbort } from "./channel";
import { copy } from "./clipboard";
import { type Compared, Comparing } from "./compare";
import { count, h, icon } from "./dom";
import { Form } from "./form";
import { Help, keyOf } from "./keys";
import { Combobox } from "./listbox";
import { Notice, SILENT_KERNEL } from "./notice";
import { engagementChoice, engagementDetail, sessionDetail, SessionList } from "./session_list";
import { CONNECTION, StatusLine } from "./status_line";
import type { Engagement, Failure, PageOf, SelectorState, Session } from "./types";
import type { View } from "./view";
import "./styles/selector.css";

type Outcome = "done" | "failed" | "superseded";

export class Selector implements View<SelectorState> {
  readonly root: HTMLElement;
  private readonly engagements: Combobox<Engagement>;
  private readonly sessions: SessionList;
  private readonly notice = new Notice();
  private readonly archived = h("p", { class: "m-archived m-muted", hidden: true });
  private readonly comparing: Comparing;
  private readonly help = new Help();
  private readonly form: Form;
  private readonly formBox = h("div", { class: "m-panel", hidden: true });
  private readonly status = new StatusLine();
  private state: SelectorState | null = null;
  private alive = true;
  /** Chosen here and not yet answered. */
  private chosen: Session | null = null;
  private choosing: AbortController | null = null;
  private stepping = Promise.resolve();
  /** Marks for comparison that are not yet answered. */
  private marking = 0;
  private failed: { failure: Failure; again: () => void } | null = null;

  constructor(private readonly channel: Channel) {
    const announce = (message: string): void => this.status.say(message);
    this.engagements = new Combobox<Engagement>({
      label: "Engagement",
      noun: "engagement",
      search: "Search by name",
      choice: engagementChoice,
      detail: engagementDetail,
      fetch: (query, offset, limit, signal) =>
        channel.request<PageOf<Engagement>>("engagements", { ...query, offset, limit }, signal),
      commit: (item) =>
        void this.ask("select_engagement", { engagement: item.name }, `Switching to ${item.label}`),
      announce,
    });
    this.sessions = new SessionList({
      channel,
      engagement: () => this.state?.engagement?.name ?? "",
      current: () => this.current,
      isCompared: (name) => this.comparing.has(name),
      isComparing: () => this.comparing.any,
      compare: (item) => this.compare(item),
      commit: (item) => void this.choose(item),
      changed: () => this.paint(this.state),
      announce,
      tell: (message) => this.status.show(message),
    });
    this.comparing = new Comparing({
      changed: (compared) => void this.setCompared(compared),
      copy: (code, what) => void this.copy(code, what),
    });
    this.form = new Form({
      channel,
      saved: ({ label }, created) => {
        this.closeForm();
        this.status.say(created ? `${label} created` : `${label} saved`);
      },
      cancelled: () => this.closeForm(),
    });
    this.formBox.append(this.form.root);
    this.engagements.root.classList.add("m-engagement");
    const tool = (label: string, key: string, shape: Parameters<typeof icon>[0], run: () => void): HTMLElement =>
      h(
        "button",
        {
          type: "button",
          class: "m-button m-only-icon",
          title: `${label} (${key})`,
          "aria-label": label,
          onclick: run,
        },
        icon(shape),
      );
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
        this.sessions.box.root,
        h(
          "div",
          { class: "m-side" },
          this.status.root,
          h(
            "div",
            { class: "m-tools" },
            h(
              "button",
              { type: "button", class: "m-button", title: "New session (n)", onclick: () => this.openForm("") },
              icon("plus"),
              "New session",
            ),
            tool("Edit this session", "e", "pencil", () => this.edit(this.state?.session)),
            tool("Refresh", "r", "refresh", () => this.refresh()),
            tool("Keys", "?", "keys", () => this.help.show()),
          ),
        ),
      ),
      this.notice.root,
      this.archived,
      this.comparing.root,
      this.formBox,
      this.help.root,
      this.status.live,
    );
  }

  setState(state: SelectorState): void {
    const before = this.state;
    this.state = state;
    if (before?.engagement?.name !== state.engagement?.name) this.sessions.clear();
    else if (before && before.lists !== state.lists) this.sessions.stale();
    else if (before && before.shortcuts !== state.shortcuts) this.sessions.staleShortcuts();
    if (before && before.lists !== state.lists) this.engagements.listing.stale();
    if (this.chosen?.name === state.session?.name && state.status !== "pending") this.chosen = null;
    // What is compared is shown as soon as it is marked; only news of it is taken from here.
    const compared = state.compared ?? [];
    const news = JSON.stringify(before?.compared) !== JSON.stringify(compared);
    if (news && this.marking === 0) this.comparing.show(compared);
    this.paint(before);
  }

  setAlive(alive: boolean): void {
    this.alive = alive;
    if (!alive) this.status.say(SILENT_KERNEL);
    this.paint(this.state);
  }

  dispose(): void {
    this.engagements.dispose();
    this.sessions.box.dispose();
    this.status.dispose();
  }

  private get current(): Session | null {
    return this.chosen ?? this.state?.session ?? null;
  }

  private paint(before: SelectorState | null): void {
    const state = this.state;
    if (!state) return;
    const session = this.chosen ?? state.session;
    const pending = !!this.chosen || state.status === "pending";
    const connection = this.alive ? state.connection : "disconnected";
    const blank = state.status === "loading" ? "Loading…" : "None";
    const { engagement } = state;
    this.engagements.set(
      engagement && engagementChoice(engagement),
      engagement && engagementDetail(engagement),
      blank,
    );
    this.sessions.box.set(
      session && this.sessions.choice(session),
      session && sessionDetail(session),
      blank,
      pending,
    );
    this.status.paint(connection, pending);
    this.sessions.box.trigger.classList.toggle("m-gone", state.status === "gone");
    this.paintArchived(state);
    this.paintNotice(state);
    if (before && !pending && state.status === "ready" && before.session?.name !== state.session?.name)
      this.sayCurrent(state);
    if (before && before.connection !== connection && this.alive) this.status.say(CONNECTION[connection]);
  }

  private paintArchived({ session, status }: SelectorState): void {
    const shown = !!session?.archived && status === "ready" && !this.chosen;
    if (shown === !this.archived.hidden) return;
    this.archived.hidden = !shown;
    this.archived.replaceChildren(
      "This session is archived: it can be read, and not be changed.",
      h("button", { type: "button", class: "m-link", onclick: () => this.revive("unarchive") }, "Take it up again"),
    );
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
      const message = `${state.session?.label ?? "This session"} is gone.`;
      const fallback = state.engagement?.default_session;
      const switchTo = { label: "Go to the default session", run: () => this.goTo(fallback!) };
      this.notice.show(
        { kind: "NotFound", reason: "SESSION_NOT_FOUND", message, fields: [] },
        [
          { label: "Choose another session", run: () => this.sessions.box.show() },
          ...(fallback && fallback !== state.session?.name ? [switchTo] : []),
          { label: "Bring it back", run: () => this.revive("undelete") },
        ],
        "Somebody deleted it. Nothing is switched by itself: choose the session to go on with, or bring it back with its data.",
      );
    } else {
      this.notice.show(state.error, [{ label: "Try again", run: () => this.refresh() }]);
    }
  }

  // Choosing

  private async choose(session: Session): Promise<void> {
    if (session.name === this.state?.session?.name && !this.chosen) return;
    this.chosen = session;
    const done = await this.ask("select", { session: session.name }, `Switching to ${session.label}`);
    if (done === "superseded") return;
    this.chosen = null;
    this.paint(this.state);
  }

  private goTo(session: string): void {
    void this.ask("select", { session }, "Switching to the default session");
  }

  /** Brings back what is deleted or archived. */
  private revive(kind: "undelete" | "unarchive"): void {
    const session = this.state?.session;
    if (session) void this.ask(kind, { session: session.name }, `Bringing back ${session.label}`);
  }

  /** One switch at a time: the next one takes this one's place. */
  private async ask(kind: string, payload: object, saying: string): Promise<Outcome> {
    this.choosing?.abort();
    const mine = (this.choosing = new AbortController());
    this.failed = null;
    this.status.say(saying);
    this.paint(this.state);
    try {
      await this.channel.request(kind, payload, mine.signal);
      return "done";
    } catch (error) {
      if (isAbort(error) || this.choosing !== mine) return "superseded";
      const failure = failureOf(error);
      this.failed = { failure, again: () => void this.ask(kind, payload, saying) };
      this.status.say(failure.message);
      this.paint(this.state);
      return "failed";
    }
  }

  /** The session before or after the current one; of quick keys each goes on from where the last one came to. */
  private step(by: number): void {
    this.stepping = this.stepping.then(async () => {
      const engagement = this.state?.engagement?.name;
      try {
        const next = await this.sessions.beside(by);
        if (next && engagement === this.state?.engagement?.name) void this.choose(next);
      } catch (error) {
        if (!isAbort(error)) this.status.show(failureOf(error).message);
      }
    });
  }

  // Comparing and copying

  private compare(item: Session): void {
    const added = this.comparing.toggle({ name: item.name, label: item.label });
    this.status.show(`${item.label} ${added ? "is" : "is no longer"} compared`);
  }

  private async setCompared(compared: Compared[]): Promise<void> {
    this.comparing.show(compared);
    this.sessions.box.listing.arrange();
    this.marking += 1;
    try {
      await this.channel.request("compare", { sessions: compared.map(({ name }) => name) });
    } catch (error) {
      this.comparing.show(this.state?.compared ?? []);
      this.sessions.box.listing.arrange();
      this.status.show(failureOf(error).message);
    } finally {
      this.marking -= 1;
    }
  }

  private async copy(value: string, what: string): Promise<void> {
    this.status.show((await copy(value)) ? `Copied ${what}` : "The browser did not allow copying");
  }

  // Keys

  private onKey(event: KeyboardEvent): void {
    event.stopPropagation();
    const key = keyOf(event);
    if (key === undefined) return;
    const box = this.engagements.root.contains(event.target as Node) ? this.engagements : this.sessions.box;
    // In the open list of engagements no session is meant.
    const session = this.engagements.isOpen ? null : (this.sessions.box.marked ?? this.current);
    const shortcuts: Record<string, () => void> = {
      "/": () => box.search(),
      "[": () => this.step(-1),
      "]": () => this.step(1),
      "?": () => this.help.show(),
      n: () => this.openForm(""),
      e: () => this.edit(session),
      r: () => this.refresh(),
      i: () => box.toggleDetails(),
      p: () => session && void this.sessions.pin(session),
      c: () => session && void this.copy(session.name, session.name),
      C: () => session && void this.copy(`ws.switch(${JSON.stringify(session.label)})`, "the line that switches to it"),
      "Shift+Space": () => session && this.compare(session),
      Escape: () => this.escape(box),
    };
    const shortcut = shortcuts[key];
    if (!shortcut) return;
    event.preventDefault();
    shortcut();
  }

  /** Lets go of one thing after the other; then gives the keyboard back to the notebook. */
  private escape(box: Combobox<Session> | Combobox<Engagement>): void {
    if (box.dismiss() || this.sessions.box.widen() || this.engagements.widen()) return;
    (document.activeElement as HTMLElement | null)?.blur();
    this.root.closest<HTMLElement>(".jp-Cell")?.focus();
  }

  private openForm(session: string): void {
    this.sessions.box.close();
    // What was typed is not thrown away by asking for the same form again.
    if (!this.formBox.hidden && this.form.unsaved === session) return this.form.focus();
    this.formBox.hidden = false;
    void this.form.open(session).then(() => this.form.focus());
  }

  private edit(session: Session | null | undefined): void {
    if (session) this.openForm(session.name);
  }

  private closeForm(): void {
    this.formBox.hidden = true;
    this.sessions.box.trigger.focus();
  }

  private refresh(): void {
    this.status.say("Refreshing");
    this.engagements.listing.stale();
    this.sessions.stale();
    void this.channel.request("refresh").catch(() => undefined);
  }

  private sayCurrent({ session }: SelectorState): void {
    if (!session) return;
    this.status.say(`${session.label}, ${count(session.asset_count)} assets, is now the session`);
  }
}
