// Is anybody there? A widget stays on the page after a kernel restart and looks alive while nothing works.
// The same pings tell the kernel which pages can be seen.
import type { Channel } from "./channel";
import type { HostKernel, Model } from "./types";

/**
 * Why nothing answers: a cell keeps the kernel, the kernel says nothing, this widget's kernel is over, the page
 * has lost Jupyter, or no kernel ever was there.
 */
export type Silence = "busy" | "silent" | "ended" | "offline" | "unrun";

const PERIOD_MS = 1000;
/** With the period before it less than the three seconds after which a dead widget must say so. */
const PATIENCE_MS = 1800;
/** A timer that comes later than this after its time did not wait for the kernel: the page slept, or worked. */
const LATE_MS = 500;
const PAUSE_MAX_MS = 8000;
const ENDED = new Set(["restarting", "autorestarting", "terminating", "dead"]);
const SHARED = Symbol.for("mooring.heartbeats.2");

interface Member {
  channel: Channel;
  changed(silence: Silence | null): void;
  silence: Silence | null;
  /** Whether it ever had an answer. */
  known: boolean;
  askedAt: number;
  pause: number;
  patience: ReturnType<typeof setTimeout> | undefined;
}

/**
 * Pings the kernel for all widgets of one notebook, whichever copy of the bundle they run: each second the one that
 * was heard last, and one of the others in turn. Where that is silent and the other was heard since, it is the widget
 * that is gone; else it is the kernel. What the host knows of the kernel is believed at once.
 */
export class Heartbeat {
  private readonly members = new Set<Member>();
  private readonly page = Math.random().toString(36).slice(2, 10);
  private timer: ReturnType<typeof setInterval> | undefined;
  private lastAnswer = -1;
  private lastHeard: Member | undefined;
  private lastStatus: string | undefined;
  private readonly seen = (): void => this.onVisibility();

  constructor(
    private readonly kernel: () => HostKernel | null | undefined = () => undefined,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** The heartbeat shared by the widgets of a model's notebook. */
  static of(model: Model): Heartbeat {
    const page = globalThis as unknown as Record<symbol, WeakMap<object, Heartbeat> | undefined>;
    const shared = (page[SHARED] ??= new WeakMap());
    const manager = model.widget_manager;
    const key = manager ?? shared;
    let heartbeat = shared.get(key);
    if (!heartbeat) shared.set(key, (heartbeat = new Heartbeat(() => manager?.kernel)));
    return heartbeat;
  }

  /**
   * Pings through this channel too, until the returned function is called. `changed` hears why nothing answers,
   * and null when something does again.
   */
  join(channel: Channel, changed: (silence: Silence | null) => void): () => void {
    const member: Member = {
      channel,
      changed,
      silence: null,
      known: false,
      askedAt: -1,
      pause: 0,
      patience: undefined,
    };
    this.members.add(member);
    if (this.members.size === 1) {
      this.timer = setInterval(() => this.tick(), PERIOD_MS);
      document.addEventListener("visibilitychange", this.seen);
    }
    return () => {
      this.members.delete(member);
      clearTimeout(member.patience);
      if (this.members.size > 0) return;
      clearInterval(this.timer);
      document.removeEventListener("visibilitychange", this.seen);
    };
  }

  /** To be called when the host says that something about the kernel has changed. */
  look(): void {
    const kernel = this.kernel();
    if (kernel?.status !== this.lastStatus) {
      this.lastStatus = kernel?.status;
      for (const member of this.members) member.pause = 0;
    }
    for (const member of this.members) {
      if (member.channel.broken || (kernel && ENDED.has(kernel.status ?? ""))) this.set(member, "ended");
      else if (kernel === null) this.set(member, member.known ? "ended" : "unrun");
    }
  }

  private tick(): void {
    if (document.hidden) return;
    this.look();
    const now = this.now();
    // Whoever is silent is asked again, ever more seldom: a question put to a kernel that was not there is never
    // answered, and those put to a busy one wait for it.
    const due = [...this.members].filter((member) =>
      member.silence ? now - member.askedAt >= member.pause : !member.patience,
    );
    const next = due.filter((member) => member !== this.lastHeard).sort((a, b) => a.askedAt - b.askedAt)[0];
    for (const member of due) if (member === this.lastHeard || member === next) this.ask(member);
  }

  private ask(member: Member): void {
    const sent = this.now();
    member.askedAt = sent;
    if (member.silence) member.pause = Math.min(2 * member.pause || PERIOD_MS, PAUSE_MAX_MS);
    clearTimeout(member.patience);
    member.patience = setTimeout(() => this.missed(member, sent), PATIENCE_MS);
    member.channel.request("ping", { page: this.page, visible: true }).then(
      () => this.answered(member),
      () => undefined,
    );
    if (member.channel.broken) this.set(member, "ended");
  }

  private answered(member: Member): void {
    clearTimeout(member.patience);
    member.patience = undefined;
    member.known = true;
    member.pause = 0;
    this.lastAnswer = this.now();
    if (!this.lastHeard || !this.members.has(this.lastHeard) || this.lastHeard.silence) this.lastHeard = member;
    if (!member.silence) return;
    this.set(member, null);
    // The kernel is back: the others need not wait for their turn.
    for (const other of this.members) if (other.silence) this.ask(other);
  }

  private missed(member: Member, sent: number): void {
    member.patience = undefined;
    // Timers slow down in a hidden page and stop while a laptop sleeps: that silence was ours.
    if (document.hidden) return;
    if (this.now() - sent > PATIENCE_MS + LATE_MS) return this.ask(member);
    const alone = this.lastAnswer >= sent;
    for (const each of alone ? [member] : this.members) this.set(each, alone ? "ended" : this.why(each));
  }

  private why(member: Member): Silence {
    const kernel = this.kernel();
    if (member.silence === "ended") return "ended";
    if (kernel === null) return member.known ? "ended" : "unrun";
    if (kernel?.connectionStatus && kernel.connectionStatus !== "connected") return "offline";
    return kernel?.status === "busy" ? "busy" : "silent";
  }

  private onVisibility(): void {
    if (!document.hidden) return this.tick();
    const [member] = this.members;
    member?.channel.request("ping", { page: this.page, visible: false }).catch(() => undefined);
  }

  private set(member: Member, silence: Silence | null): void {
    if (silence === member.silence) return;
    member.silence = silence;
    member.changed(silence);
  }
}
