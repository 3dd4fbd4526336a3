// Is anybody there? A widget stays on the page after a kernel restart and looks alive while nothing works.
import type { Channel } from "./channel";
import type { Model } from "./types";

const PERIOD_MS = 1000;
const PATIENCE_MS = 3000;
const SHARED = Symbol.for("mooring.heartbeats");

interface Member {
  channel: Channel;
  changed(alive: boolean): void;
  alive: boolean;
  ping: { sent: number; given: AbortController } | undefined;
}

/**
 * Pings the kernel for all widgets of one notebook, whichever copy of the bundle they run: one of them a second,
 * in turn. Where one is silent and another was heard since, it is the widget that is gone; else it is the kernel.
 */
export class Heartbeat {
  private readonly members = new Set<Member>();
  private timer: ReturnType<typeof setInterval> | undefined;
  private lastTick = 0;
  private lastAnswer = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** The heartbeat shared by the widgets of a model's notebook. */
  static of(model: Model): Heartbeat {
    const page = globalThis as unknown as Record<symbol, WeakMap<object, Heartbeat> | undefined>;
    const shared = (page[SHARED] ??= new WeakMap());
    const key = model.widget_manager ?? shared;
    let heartbeat = shared.get(key);
    if (!heartbeat) shared.set(key, (heartbeat = new Heartbeat()));
    return heartbeat;
  }

  /** Pings through this channel too, until the returned function is called. `changed` hears of every change. */
  join(channel: Channel, changed: (alive: boolean) => void): () => void {
    const member: Member = { channel, changed, alive: true, ping: undefined };
    this.members.add(member);
    if (this.members.size === 1) {
      this.lastTick = this.now();
      this.timer = setInterval(() => this.tick(), PERIOD_MS);
    }
    return () => {
      this.members.delete(member);
      member.ping?.given.abort();
      if (this.members.size === 0) clearInterval(this.timer);
    };
  }

  private tick(): void {
    const now = this.now();
    // Timers slow down in a hidden page and stop while a laptop sleeps: that silence was ours.
    const ours = document.hidden || now - this.lastTick > PATIENCE_MS;
    this.lastTick = now;
    for (const member of this.members) {
      if (!member.ping) continue;
      if (ours) member.ping.sent = now;
      else if (now - member.ping.sent > PATIENCE_MS) this.missed(member, member.ping.sent);
    }
    if (document.hidden) return;
    // Whoever is silent is asked again: a question put to a kernel that was not there is never answered.
    const [next] = [...this.members].filter((member) => !member.ping || !member.alive);
    if (!next) return;
    this.members.delete(next);
    this.members.add(next);
    this.send(next);
  }

  private send(member: Member): void {
    member.ping?.given.abort();
    const given = new AbortController();
    member.ping = { sent: this.now(), given };
    member.channel.request("ping", {}, given.signal).then(
      () => this.answered(member),
      () => undefined,
    );
  }

  private answered(member: Member): void {
    member.ping = undefined;
    this.lastAnswer = this.now();
    if (member.alive) return;
    this.set(member, true);
    // The kernel is back: the others need not wait for their turn.
    for (const other of this.members) if (!other.alive) this.send(other);
  }

  private missed(member: Member, since: number): void {
    member.ping?.given.abort();
    member.ping = undefined;
    const kernel = this.lastAnswer < since;
    for (const each of kernel ? this.members : [member]) this.set(each, false);
  }

  private set(member: Member, alive: boolean): void {
    if (alive === member.alive) return;
    member.alive = alive;
    member.changed(alive);
  }
}
