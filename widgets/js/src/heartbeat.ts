// Is anybody there? A widget stays on the page after a kernel restart and looks alive while nothing works.
import type { Channel } from "./channel";
import type { Model } from "./types";

const PERIOD_MS = 1000;
const PATIENCE_MS = 3000;
const SHARED = Symbol.for("mooring.heartbeats");

interface Member {
  channel: Channel;
  changed(alive: boolean): void;
}

/** Pings the kernel once a second for all widgets of one notebook, whichever copy of the bundle they run. */
export class Heartbeat {
  alive = true;
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
    const member = { channel, changed };
    this.members.add(member);
    if (this.members.size === 1) {
      this.lastTick = this.lastAnswer = this.now();
      this.timer = setInterval(() => this.tick(), PERIOD_MS);
    }
    if (!this.alive) changed(false);
    return () => {
      this.members.delete(member);
      if (this.members.size === 0) clearInterval(this.timer);
    };
  }

  private tick(): void {
    const now = this.now();
    // Timers slow down in a hidden page and stop while a laptop sleeps: that silence was ours.
    if (document.hidden || now - this.lastTick > PATIENCE_MS) this.lastAnswer = now;
    this.lastTick = now;
    if (document.hidden) return;
    if (now - this.lastAnswer > PATIENCE_MS) this.set(false);
    // Every member in turn: one whose widget was closed in the kernel must not speak for the others.
    const [member] = this.members;
    if (!member) return;
    this.members.delete(member);
    this.members.add(member);
    member.channel.request("ping").then(
      () => {
        this.lastAnswer = this.now();
        this.set(true);
      },
      () => undefined,
    );
  }

  private set(alive: boolean): void {
    if (alive === this.alive) return;
    this.alive = alive;
    for (const { changed } of [...this.members]) changed(alive);
  }
}
