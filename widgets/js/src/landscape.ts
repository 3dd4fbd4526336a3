// What a session's assets add up to: totals, bars by each field, applications, dependencies, and what is not known.
import { bytes, count, counted, decimal, h } from "./dom";
import { Frame } from "./frame";
import type { ViewState } from "./types";
import type { Context, View } from "./view";
import "./styles/views.css";
import "./styles/landscape.css";

/** A sum over assets of none of which the value is known is null, which is not 0. */
interface Totals {
  asset_count: number;
  cpu_cores: number | null;
  memory_bytes: number | null;
  storage_bytes: number | null;
  known: { cpu_cores: number; memory_bytes: number; storage_bytes: number };
}

/** The largest buckets; `rest` below stands for those that were not sent. */
interface Group {
  field: string;
  label: string;
  buckets: { value: string; label: string; asset_count: number }[];
  value_count: number;
}

interface Application {
  label: string;
  totals: Totals;
  server_count: number;
  /** The first of them. */
  servers: string[];
}

interface Dependencies {
  count: number;
  kinds: { label: string; count: number }[];
  isolated: number;
  degrees: { label: string; needed_by: number; needs: number }[];
}

interface LandscapeState extends ViewState {
  landscape: {
    totals: Totals;
    groups: Group[];
    /** The fields of which nothing is known. */
    unknown: string[];
    applications: Application[];
    application_count: number;
    dependencies: Dependencies;
    completeness: { label: string; known: number }[];
  } | null;
}

const UNKNOWN = "–";

export class Landscape implements View<LandscapeState> {
  readonly root: HTMLElement;
  private readonly frame: Frame;
  private readonly totals = h("ul", { class: "m-totals" });
  private readonly groups = h("div", { class: "m-parts" });
  private readonly more = h("div", { class: "m-more" });
  private drawn: string | undefined;

  constructor({ channel }: Context) {
    this.frame = new Frame("landscape", channel);
    this.root = this.frame.root;
    this.frame.body.append(this.totals, this.groups, this.more);
  }

  setState(state: LandscapeState): void {
    const { landscape } = state;
    this.frame.hold(state);
    const key = `${state.session} ${JSON.stringify(landscape)}`;
    if (key !== this.drawn) {
      this.drawn = key;
      this.totals.replaceChildren(...tiles(landscape?.totals));
      this.groups.replaceChildren(...(landscape ? sections(landscape) : []));
      this.more.replaceChildren(...(landscape ? remarks(landscape) : []));
    }
    const total = landscape?.totals.asset_count ?? 0;
    this.frame.paint(
      state,
      !!landscape,
      counted(total, "asset"),
      'No assets yet, so nothing to add up. Bring some in: ws.import_inventory("estate.xlsx")',
    );
  }

  dispose(): void {}
}

type Shown = NonNullable<LandscapeState["landscape"]>;

const cores = (totals: Totals): string => (totals.cpu_cores == null ? UNKNOWN : decimal(totals.cpu_cores));
const size = (value: number | null): string => (value == null ? UNKNOWN : bytes(value));

function tiles(totals: Totals | undefined): HTMLElement[] {
  const written: [string, string, (number | undefined)?][] = [
    ["Assets", totals ? count(totals.asset_count) : UNKNOWN],
    ["CPU cores", totals ? cores(totals) : UNKNOWN, totals?.known.cpu_cores],
    ["Memory", totals ? size(totals.memory_bytes) : UNKNOWN, totals?.known.memory_bytes],
    ["Storage", totals ? size(totals.storage_bytes) : UNKNOWN, totals?.known.storage_bytes],
  ];
  return written.map(([label, value, known]) =>
    h(
      "li",
      { class: "m-tile" },
      h("span", { class: "m-label" }, label),
      h("span", { class: "m-number" }, value),
      known !== undefined && h("span", { class: "m-known" }, knownOf(known, totals!.asset_count)),
    ),
  );
}

/** Of how many assets a sum is. */
function knownOf(known: number, total: number): string {
  if (known === 0) return "not known";
  return known === total ? "of all assets" : `of ${count(known)} of ${counted(total, "asset")}`;
}

function sections({ totals, groups, applications, application_count, dependencies }: Shown): HTMLElement[] {
  const shown = groups.map((group) => bars(group, totals.asset_count));
  if (applications.length > 0) shown.push(applicationTable(applications, application_count));
  if (dependencies.count > 0) shown.push(dependencyTable(dependencies, totals.asset_count));
  return shown;
}

function remarks({ totals, unknown, completeness }: Shown): HTMLElement[] {
  const shown: HTMLElement[] = [];
  if (unknown.length > 0)
    shown.push(h("p", { class: "m-muted" }, `Nothing is known of: ${unknown.join(", ").toLowerCase()}.`));
  if (completeness.length > 0 && totals.asset_count > 0) {
    const rows = completeness.map(({ label, known }) =>
      bar(label, known, totals.asset_count, totals.asset_count, false),
    );
    const complete = completeness.filter(({ known }) => known === totals.asset_count).length;
    shown.push(
      h(
        "details",
        { class: "m-details" },
        h("summary", {}, `How much is known: ${complete} of ${counted(completeness.length, "field")} of every asset`),
        h("ul", { class: "m-bars m-completeness" }, ...rows),
      ),
    );
  }
  return shown;
}

function applicationTable(applications: Application[], all: number): HTMLElement {
  const rows = applications.map(({ label, totals, server_count, servers }) => [
    h("th", { scope: "row", title: label }, label),
    h("td", {}, count(totals.asset_count)),
    h("td", { title: servers.join(", ") || null }, count(server_count)),
    h("td", {}, cores(totals)),
  ]);
  const note = all > applications.length ? `The ${applications.length} largest of ${count(all)}` : null;
  return table("Applications", ["Application", "Assets", "Servers", "Cores"], rows, note);
}

function dependencyTable({ count: all, kinds, isolated, degrees }: Dependencies, total: number): HTMLElement {
  const rows = degrees.map(({ label, needed_by, needs }) => [
    h("th", { scope: "row", title: label }, label),
    h("td", {}, count(needed_by)),
    h("td", {}, count(needs)),
  ]);
  const told = kinds.map(({ label, count: of }) => `${count(of)} ${label.toLowerCase()}`).join(", ");
  const alone = `${count(isolated)} of ${counted(total, "asset")} without any`;
  return table(
    "Dependencies",
    ["Most connected", "Needed by", "Needs"],
    rows,
    `${counted(all, "dependency")} (${told}); ${alone}`,
  );
}

function table(title: string, head: string[], rows: HTMLElement[][], note: string | null): HTMLElement {
  return h(
    "section",
    { class: "m-part" },
    h("h4", { class: "m-part-title" }, title),
    h(
      "table",
      { class: "m-small", "aria-label": title },
      h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
      h("tbody", {}, ...rows.map((cells) => h("tr", {}, ...cells))),
    ),
    note && h("p", { class: "m-muted m-note" }, note),
  );
}

function bars({ label, buckets, value_count }: Group, total: number): HTMLElement {
  const rest = total - buckets.reduce((sum, bucket) => sum + bucket.asset_count, 0);
  const longest = Math.max(1, rest, ...buckets.map((bucket) => bucket.asset_count));
  const named = buckets.filter((bucket) => bucket.value !== "").length;
  const rows = buckets.map((bucket) =>
    bar(bucket.label, bucket.asset_count, total, longest, bucket.value === ""),
  );
  if (rest > 0) rows.push(bar(`${count(Math.max(1, value_count - named))} more`, rest, total, longest, true));
  return h(
    "section",
    { class: "m-part" },
    h("h4", { class: "m-part-title" }, label),
    h("ul", { class: "m-bars" }, ...rows),
  );
}

function bar(label: string, value: number, total: number, longest: number, quiet: boolean): HTMLElement {
  const share = total > 0 ? (100 * value) / total : 0;
  const percent = share > 0 && share < 1 ? "<1 %" : `${Math.round(share)} %`;
  const fill = h("span", { class: quiet ? "m-fill m-quiet" : "m-fill" });
  fill.style.width = `${(100 * value) / longest}%`;
  return h(
    "li",
    { class: "m-bar-row" },
    h("span", { class: "m-bar-label", title: label }, label),
    h(
      "span",
      { class: "m-bar-value" },
      value > 0 ? count(value) : UNKNOWN,
      h("span", { class: "m-muted m-percent" }, value > 0 ? ` ${percent}` : ""),
    ),
    h("span", { class: "m-track", "aria-hidden": "true" }, value > 0 && fill),
  );
}
