// What differs between two sessions: how much of what, and each difference, page by page.
import { type Embedded, place } from "./embed";
import { attribute, count, counted, h, text, uid } from "./dom";
import { FilterBox } from "./filtering";
import { Frame } from "./frame";
import { Notice } from "./notice";
import { type PageState, Pager } from "./pager";
import { type Cell, type Field, written } from "./table_fields";
import type { ViewState } from "./types";
import type { Context, View } from "./view";
import "./styles/views.css";
import "./styles/numbers.css";
import "./styles/differences.css";

type Table = "assets" | "dependencies";
type Kind = "added" | "removed" | "changed" | "unchanged";
type Counts = Record<Kind, number>;

interface Change {
  label: string;
  kind: Field["kind"];
  before: Cell;
  after: Cell;
}

interface Difference {
  kind: Kind;
  label: string;
  /** What it is, where nothing of it has changed. */
  about: string;
  changes: Change[];
}

interface ComparisonState extends ViewState {
  /** The session and the one that is held against it. */
  labels: string[];
  counts: Record<Table, Counts> | null;
  table: Table;
  /** Empty: all that differ. */
  kind: Kind | "";
  filter: string;
  rows: PageState<Difference> | null;
  /** The pages are of what was there before. */
  moved: boolean;
  /** The wizard that merges them, while it is open. */
  wizard: Embedded | null;
  /** The session that was deleted, if one was. */
  gone: string;
}

const TABLES: [Table, string, string][] = [
  ["assets", "Assets", "asset"],
  ["dependencies", "Dependencies", "dependency"],
];
const KINDS: [Kind | "", string, string][] = [
  ["", "All that differ", ""],
  ["added", "Added", "+"],
  ["removed", "Removed", "−"],
  ["changed", "Changed", "±"],
  ["unchanged", "Unchanged", "="],
];
const CHANGES_SHOWN = 6;

export class Comparison implements View<ComparisonState> {
  readonly root: HTMLElement;
  private readonly frame: Frame;
  private readonly numbers = new Map<string, { choice: HTMLInputElement; number: HTMLElement }>();
  private readonly filters: Record<Table, FilterBox>;
  private readonly note: HTMLElement;
  private readonly rows = h("tbody", {});
  private readonly list: HTMLElement;
  private readonly none = h("p", { class: "m-empty", role: "status" });
  private readonly notice = new Notice();
  private readonly pager: Pager;
  private readonly merge: HTMLButtonElement;
  private readonly wizard = h("div", {});
  private embedding = new AbortController();
  private embedded = "";
  private drawn = "";

  constructor(private readonly context: Context) {
    this.frame = new Frame("comparison", context.channel);
    this.root = this.frame.root;
    const fields = (context.model.get("_fields") ?? { assets: [], dependencies: [] }) as Record<Table, Field[]>;
    const leave = (): void => this.list.focus();
    this.filters = {
      assets: new FilterBox(context.channel, fields.assets, leave),
      dependencies: new FilterBox(context.channel, fields.dependencies, leave),
    };
    this.note = h(
      "p",
      { class: "m-moved", role: "status", hidden: true },
      "One of the sessions has changed since; these pages show what was there before. ",
      h("button", { type: "button", class: "m-link", onclick: () => this.refresh() }, "Show what differs now"),
    );
    this.list = h(
      "div",
      { class: "m-differences", tabindex: "0", role: "group", "aria-label": "Differences" },
      h(
        "table",
        { "aria-label": "Differences" },
        h("thead", {}, h("tr", {}, ...["Difference", "Name", "What"].map((name) => h("th", { scope: "col" }, name)))),
        this.rows,
      ),
    );
    this.merge = h("button", { type: "button", class: "m-button", onclick: () => void this.ask("comparison.merge") }, "Merge…");
    this.pager = new Pager((to) => void this.ask("comparison.page", { to }), leave);
    this.frame.body.append(
      h("div", { class: "m-overview" }, this.matrix(), this.merge),
      this.wizard,
      this.filters.assets.root,
      this.filters.dependencies.root,
      this.note,
      this.notice.root,
      this.none,
      this.list,
      this.pager.root,
    );
  }

  setState(state: ComparisonState): void {
    this.frame.hold(state);
    for (const [table, , noun] of TABLES) {
      this.filters[table].root.hidden = table !== state.table;
      if (table === state.table) this.filters[table].set(state.filter, counted(2, noun).slice(2), null);
      for (const [kind] of KINDS) this.paintNumber(state, table, noun, kind);
    }
    this.note.hidden = !state.moved || !state.rows || state.rows.number === 1;
    this.paintRows(state);
    this.embed(state.wizard);
    const deleted = state.gone && {
      label: "Bring it back",
      run: () => void this.ask("comparison.undelete", { session: state.gone }),
    };
    this.frame.paint(
      state,
      !!state.counts,
      summary(state.counts),
      "Neither session has any data, so there is nothing to compare.",
      deleted ? [deleted] : [],
    );
  }

  dispose(): void {
    this.embedding.abort();
  }

  private embed(wizard: Embedded | null): void {
    attribute(this.merge, "aria-expanded", String(!!wizard));
    if ((wizard?.model_id ?? "") === this.embedded) return;
    const asked = document.activeElement === this.merge;
    this.embedded = wizard?.model_id ?? "";
    this.embedding.abort();
    this.embedding = new AbortController();
    const holder = h("div", {});
    this.wizard.replaceChildren(holder);
    if (!wizard) return;
    place(this.context, wizard, holder, this.embedding.signal).then(
      () => asked && holder.querySelector<HTMLElement>("input")?.focus(),
      () => text(holder, "This notebook cannot show the wizard here: run ws.merge_wizard() in a cell of its own."),
    );
  }

  /** What there is of each kind; a number is a choice of what is listed. */
  private matrix(): HTMLElement {
    const name = uid("shown");
    const cell = (table: Table, kind: Kind | ""): HTMLElement => {
      const choose = (): void => void this.ask("comparison.choose", { table, only: kind });
      const choice = h("input", { type: "radio", name, onchange: choose });
      const number = h("span", { "aria-hidden": "true" });
      this.numbers.set(`${table} ${kind}`, { choice, number });
      return h("td", {}, h("label", { class: "m-number-of" }, choice, number));
    };
    return h(
      "table",
      { class: "m-matrix", "aria-label": "How much differs" },
      h(
        "thead",
        {},
        h("tr", {}, h("td", {}), ...KINDS.map(([, label]) => h("th", { scope: "col" }, label))),
      ),
      h(
        "tbody",
        {},
        ...TABLES.map(([table, label]) =>
          h("tr", {}, h("th", { scope: "row" }, label), ...KINDS.map(([kind]) => cell(table, kind))),
        ),
      ),
    );
  }

  private paintNumber(state: ComparisonState, table: Table, noun: string, kind: Kind | ""): void {
    const { choice, number } = this.numbers.get(`${table} ${kind}`)!;
    const value = state.counts ? amount(state.counts[table], kind) : null;
    const label = KINDS.find(([each]) => each === kind)![1].toLowerCase();
    choice.checked = table === state.table && kind === state.kind;
    attribute(choice, "aria-label", `${value === null ? table : counted(value, noun)}, ${label}`);
    text(number, value === null ? "…" : count(value));
    number.classList.toggle("m-muted", !value);
  }

  private paintRows(state: ComparisonState): void {
    const { rows, counts, table, kind } = state;
    const items = rows?.items ?? [];
    const key = `${state.session} ${state.epoch} ${rows?.number} ${JSON.stringify(items)}`;
    if (key !== this.drawn) {
      this.drawn = key;
      this.rows.replaceChildren(...items.map(line));
      this.list.scrollTop = 0;
    }
    this.list.hidden = items.length === 0;
    this.list.classList.toggle("m-stale", !!rows?.refreshing);
    attribute(this.list, "aria-busy", rows?.refreshing ? "true" : null);
    const waiting = !rows?.items && !rows?.error;
    this.none.hidden = items.length > 0 || !!rows?.error || !counts;
    text(this.none, waiting ? "Loading…" : state.filter ? "Nothing here passes the filter." : nothing(table, kind));
    this.notice.show(rows?.error ?? null, [{ label: "Try again", run: () => void this.ask("retry") }]);
    const all = counts && !state.filter && !state.moved ? amount(counts[table], kind) : null;
    if (rows) this.pager.show(rows, all);
  }

  private refresh(): void {
    this.list.focus();
    void this.ask("comparison.page", { to: "first" });
  }

  private async ask(kind: string, payload: object = {}): Promise<void> {
    await this.context.channel.request(kind, payload).catch(() => undefined);
  }
}

function amount(counts: Counts, kind: Kind | ""): number {
  return kind ? counts[kind] : counts.added + counts.removed + counts.changed;
}

function summary(counts: ComparisonState["counts"]): string {
  if (!counts) return "";
  const all = amount(counts.assets, "") + amount(counts.dependencies, "");
  return all ? counted(all, "difference") : "No difference";
}

function nothing(table: Table, kind: Kind | ""): string {
  return kind ? `No ${table} are ${kind === "unchanged" ? "the same" : kind}.` : `No difference: the ${table} are the same.`;
}

function line({ kind, label, about, changes }: Difference): HTMLElement {
  const [, word, sign] = KINDS.find(([each]) => each === kind)!;
  const shown = changes.slice(0, CHANGES_SHOWN);
  const rest = changes.slice(CHANGES_SHOWN);
  return h(
    "tr",
    {},
    h("td", { class: `m-kind m-is-${kind}` }, h("span", { "aria-hidden": "true" }, sign), word),
    h("th", { scope: "row", title: label }, label),
    h(
      "td",
      {},
      about && h("span", { class: "m-muted" }, about),
      shown.length > 0 && h("ul", {}, ...shown.map(change)),
      rest.length > 0 &&
        h(
          "details",
          {},
          h("summary", {}, counted(rest.length, "more field")),
          h("ul", {}, ...rest.map(change)),
        ),
    ),
  );
}

function change({ label, kind, before, after }: Change): HTMLElement {
  const value = (cell: Cell): HTMLElement | string => written(kind, cell) || h("em", { class: "m-muted" }, "nothing");
  return h("li", {}, h("span", { class: "m-label" }, label), " ", value(before), " → ", value(after));
}
