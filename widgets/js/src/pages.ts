// The rows of a long list that are here, and the asking for those that are not.
import { isAbort } from "./channel";
import type { PageOf } from "./types";

const KEPT_PAGES = 60;
const FLYING_MS = 60;

interface Page<T> {
  items: T[];
  fresh: boolean;
}

/** Keeps pages of a list of any length; fetches what is looked at, and its neighbours. */
export class Pages<T> {
  /** How many rows there are in all; undefined until a first page says so. */
  total: number | undefined;
  /** Whether there may be more than `total`, which was only counted so far. */
  atLeast = false;
  /** Why the last fetch failed; cleared by the next that succeeds and by `retry`. */
  error: unknown;
  private readonly pages = new Map<number, Page<T>>();
  private readonly inFlight = new Map<number, { controller: AbortController; landed: Promise<void> }>();
  /** Somebody waits for these, wherever the window is. */
  private readonly awaited = new Set<number>();
  private seen: [number, number] = [0, 0];
  private ended = false;
  private flying: ReturnType<typeof setTimeout> | undefined;

  /** `changed` is called after every page, and after every failure. */
  constructor(
    private readonly fetch: (offset: number, limit: number, signal: AbortSignal) => Promise<PageOf<T>>,
    private readonly changed: () => void,
    readonly size = 100,
  ) {}

  at(index: number): T | undefined {
    return this.pages.get(Math.floor(index / this.size))?.items[index % this.size];
  }

  /** Every row that is here, in order. */
  *loaded(): Generator<[number, T]> {
    for (const number of [...this.pages.keys()].sort((a, b) => a - b)) {
      const { items } = this.pages.get(number)!;
      for (let i = 0; i < items.length; i += 1) yield [number * this.size + i, items[i]!];
    }
  }

  /**
   * Says which rows are looked at: fetches their pages and gives up on others. Once they are here their neighbours
   * follow. Called every frame of a fast scroll it asks only now and then, for where the scroll has come to.
   */
  want(first: number, last: number): void {
    this.seen = [first, last];
    if (this.flying !== undefined) return;
    if (this.inFlight.size === 0) return this.fetchSeen();
    this.flying = setTimeout(() => {
      this.flying = undefined;
      this.fetchSeen();
    }, FLYING_MS);
  }

  private fetchSeen(): void {
    if (this.error) return;
    const [first, last] = this.seen;
    const low = Math.floor(Math.max(0, first) / this.size);
    const high = Math.floor(Math.max(first, last) / this.size);
    const final = this.total === undefined ? high : Math.max(0, Math.ceil(this.total / this.size) - 1);
    const seen = range(low, Math.min(high, final));
    const here = seen.every((number) => this.pages.get(number)?.fresh);
    const wanted = new Set(here ? range(Math.max(0, low - 1), Math.min(high + 1, final)) : seen);
    for (const [number, { controller }] of this.inFlight) {
      if (!wanted.has(number) && !this.awaited.has(number)) controller.abort();
    }
    for (const number of wanted) if (!this.pages.get(number)?.fresh) void this.load(number);
    this.forget(wanted);
  }

  /** Puts a page here that came by another way. `from` must be a multiple of the page size. */
  seed(from: number, page: PageOf<T>): void {
    this.count(from, page);
    this.error = undefined;
    this.pages.set(from / this.size, { items: page.items, fresh: true });
  }

  /** Fetches the page with this row, if it is not here, and gives the row. */
  async reach(index: number): Promise<T | undefined> {
    const number = Math.floor(index / this.size);
    this.awaited.add(number);
    if (!this.pages.get(number)?.fresh) await this.load(number);
    this.awaited.delete(number);
    return this.at(index);
  }

  /** Keeps showing what is here and fetches it anew when it is next wanted. */
  stale(): void {
    this.error = undefined;
    this.giveUp();
    for (const page of this.pages.values()) page.fresh = false;
    this.ended = false;
  }

  /** Lets go of everything: another list begins. */
  clear(): void {
    this.stale();
    this.pages.clear();
    this.total = undefined;
    this.atLeast = false;
  }

  /** Asks for nothing any more until something is wanted again. */
  giveUp(): void {
    clearTimeout(this.flying);
    this.flying = undefined;
    for (const { controller } of this.inFlight.values()) controller.abort();
    // Whatever is given up may be asked for again before it has heard of that.
    this.inFlight.clear();
  }

  retry(): void {
    this.error = undefined;
    this.changed();
  }

  /** A list that is only counted to a bound grows as it is read, until a page of it says where it ends. */
  private count(from: number, page: PageOf<T>): void {
    if (!page.at_least) {
      this.total = page.total;
      this.atLeast = false;
      this.ended = true;
    } else if (!this.ended) {
      const more = page.items.length >= this.size ? 1 : 0;
      this.total = Math.max(this.total ?? 0, page.total, from + page.items.length + more);
      this.atLeast = true;
    }
  }

  private load(number: number): Promise<void> {
    const flying = this.inFlight.get(number);
    if (flying && !flying.controller.signal.aborted) return flying.landed;
    const controller = new AbortController();
    const landed = this.bring(number, controller);
    this.inFlight.set(number, { controller, landed });
    return landed;
  }

  private async bring(number: number, controller: AbortController): Promise<void> {
    try {
      const page = await this.fetch(number * this.size, this.size, controller.signal);
      if (controller.signal.aborted) return;
      this.seed(number * this.size, page);
    } catch (error) {
      if (isAbort(error) || controller.signal.aborted) return;
      this.error = error;
    } finally {
      if (this.inFlight.get(number)?.controller === controller) this.inFlight.delete(number);
    }
    this.changed();
  }

  private forget(wanted: Set<number>): void {
    for (const number of this.pages.keys()) {
      if (this.pages.size <= KEPT_PAGES) return;
      if (!wanted.has(number)) this.pages.delete(number);
    }
  }
}

function range(low: number, high: number): number[] {
  return Array.from({ length: Math.max(0, high - low + 1) }, (_, i) => low + i);
}
