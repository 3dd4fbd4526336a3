// The sessions to choose from: what their rows say, what stands above them, and pins.
import { type Channel, failureOf } from "./channel";
import { ago, type Detail } from "./details";
import { counted } from "./dom";
import type { Filter } from "./finder";
import type { Group } from "./groups";
import { Combobox } from "./listbox";
import type { Choice, RowAction } from "./option";
import type { Engagement, PageOf, Session } from "./types";

// Fewer are seen at a glance, so that nothing need stand above them.
const FEW = 10;

interface Shortcuts {
  default: Session | null;
  pinned: Session[];
  recent: Session[];
}

export const TYPES: readonly (readonly [string, string])[] = [
  ["", "Any type"],
  ["data_import", "Data import"],
  ["validation_run", "Validation run"],
  ["incremental_update", "Incremental update"],
  ["comparison_analysis", "Comparison analysis"],
  ["cleanup_operation", "Cleanup operation"],
];

const FILTERS: readonly Filter[] = [
  { key: "mine", label: "Mine", title: "Only sessions that I made" },
  { key: "archived", label: "Archived too", title: "Archived sessions as well" },
  { key: "latest", label: "Latest first", title: "By last activity instead of by name" },
  { key: "type", label: "Type", title: "Only sessions of one type", choices: TYPES },
];

const ACTIONS: readonly RowAction[] = [
  { kind: "compare", title: ({ compared }) => (compared ? "Do not compare" : "Compare (Shift+Space)") },
  { kind: "pin", title: ({ pinned }) => (pinned ? "Unpin (Alt+P)" : "Pin (Alt+P)") },
];

export function engagementChoice(item: Engagement): Choice {
  return { name: item.name, label: item.label, detail: counted(item.session_count, "session") };
}

export function engagementDetail(item: Engagement): Detail {
  const { name, label, description } = item;
  return { name, label, description, facts: [counted(item.session_count, "session")], labels: [] };
}

export function sessionDetail(item: Session): Detail {
  return {
    name: item.name,
    label: item.label,
    description: item.description,
    facts: [
      counted(item.asset_count, "asset"),
      counted(item.dependency_count, "dependency"),
      TYPES.find(([type]) => type && type === item.type)?.[1].toLowerCase() ?? "",
      item.creator && `made by ${item.mine ? "you" : item.creator}`,
      item.last_activity && `active ${ago(item.last_activity)}`,
    ],
    labels: Object.entries(item.labels),
  };
}

interface Options {
  channel: Channel;
  engagement(): string;
  current(): Session | null;
  isCompared(name: string): boolean;
  isComparing(): boolean;
  compare(item: Session): void;
  commit(item: Session): void;
  /** What is known of the current session's place has changed. */
  changed(): void;
  announce(message: string): void;
  /** As `announce`, where nothing on the page shows it. */
  tell(message: string): void;
}

/** The combobox of sessions. */
export class SessionList {
  readonly box: Combobox<Session>;
  private shortcuts: Shortcuts | null = null;
  private fresh = false;
  private asking: AbortController | null = null;

  constructor(private readonly options: Options) {
    const { channel } = options;
    this.box = new Combobox<Session>({
      label: "Session",
      noun: "session",
      search: "Search by name, description or label:value",
      filters: FILTERS,
      actions: ACTIONS,
      choice: (item) => this.choice(item),
      detail: sessionDetail,
      groups: (total) => this.groups(total),
      comparing: () => options.isComparing(),
      fetch: (query, offset, limit, signal) =>
        channel.request<PageOf<Session>>(
          "sessions",
          { ...query, engagement: options.engagement(), offset, limit },
          signal,
        ),
      opening: () => void this.fetchShortcuts(),
      commit: (item) => options.commit(item),
      act: (kind, item) => (kind === "pin" ? void this.pin(item) : options.compare(item)),
      announce: (message) => options.announce(message),
    });
  }

  choice(item: Session): Choice {
    const badges = [item.is_default ? "Default" : "", item.archived ? "Archived" : ""].filter(Boolean);
    return {
      name: item.name,
      label: item.label,
      detail: counted(item.asset_count, "asset"),
      badges,
      pinned: this.isPinned(item.name),
      compared: this.options.isCompared(item.name),
    };
  }

  /** The lists may have changed. */
  stale(): void {
    this.box.listing.stale();
    this.staleShortcuts();
  }

  /** What stands above the list may have changed. */
  staleShortcuts(): void {
    this.fresh = false;
    if (this.box.isOpen) void this.fetchShortcuts();
  }

  /** Another engagement. */
  clear(): void {
    this.fresh = false;
    this.shortcuts = null;
    this.asking?.abort();
    this.box.clear();
  }

  /** Pins a session, or takes its pin away; shown at once, and taken back where it is refused. */
  async pin(item: Session): Promise<void> {
    const { channel, tell } = this.options;
    const before = this.shortcuts;
    let expected = before;
    if (before) {
      const others = before.pinned.filter(({ name }) => name !== item.name);
      const unpin = others.length < before.pinned.length;
      this.asking?.abort();
      this.take((expected = { ...before, pinned: unpin ? others : [...others, item] }));
    }
    try {
      const { pinned } = await channel.request<{ pinned: boolean }>("pin", { session: item.name });
      tell(`${item.label} ${pinned ? "pinned" : "unpinned"}`);
    } catch (error) {
      // What has come meanwhile is newer, or of another engagement.
      if (this.shortcuts === expected) this.take(before);
      tell(failureOf(error).message);
    }
  }

  /** The session before or after the current one, in the list as it was narrowed; says so where there is none. */
  async beside(by: number): Promise<Session | null> {
    const { channel, tell, engagement } = this.options;
    const { query, pages } = this.box.listing.walked;
    const current = this.options.current()?.name;
    if (pages.total === undefined) await pages.reach(0);
    let here = -1;
    for (const [index, item] of pages.loaded()) if (item.name === current) here = index;
    if (here < 0 && current) {
      const asked = { ...query, engagement: engagement(), session: current };
      here = (await channel.request<{ index: number }>("place", asked)).index;
    }
    // A session that is not in the list has its neighbours at the ends.
    const at = here >= 0 ? here + by : by > 0 ? 0 : (pages.total ?? 0) - 1;
    const next = at < 0 ? undefined : await pages.reach(at);
    if (!next) tell(by < 0 ? "This is the first session" : "This is the last session");
    return next ?? null;
  }

  private take(shortcuts: Shortcuts | null): void {
    this.shortcuts = shortcuts;
    this.box.listing.arrange();
    this.options.changed();
  }

  private isPinned(name: string): boolean {
    return this.shortcuts?.pinned.some((pinned) => pinned.name === name) ?? false;
  }

  private groups(total: number): Group<Session>[] {
    const { default: first, pinned, recent } = this.shortcuts ?? { default: null, pinned: [], recent: [] };
    if (!this.shortcuts || (total <= FEW && pinned.length === 0)) return [];
    const others = pinned.filter(({ name }) => name !== first?.name);
    const top = first ? [first, ...others] : others;
    const title = [first && "Default", pinned.length > 0 && "Pinned"].filter(Boolean).join(" and ");
    const groups = [{ title: title.replace("and P", "and p"), items: top }];
    if (total <= FEW) return groups;
    const current = this.options.current();
    const visited = current ? [current, ...recent.filter(({ name }) => name !== current.name)] : recent;
    const rest = visited.filter(({ name }) => !top.some((each) => each.name === name));
    return [...groups, { title: "Recent", items: rest }];
  }

  private async fetchShortcuts(): Promise<void> {
    if (this.fresh || !this.options.engagement()) return;
    this.fresh = true;
    this.asking?.abort();
    const mine = (this.asking = new AbortController());
    try {
      const engagement = this.options.engagement();
      this.take(await this.options.channel.request<Shortcuts>("shortcuts", { engagement }, mine.signal));
    } catch {
      // The list is whole without them; they are asked for again when it is next opened.
      if (this.asking === mine) this.fresh = false;
    }
  }
}
