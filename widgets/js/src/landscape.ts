// What a session's assets add up to: totals, and bars by each field.
import { bytes, count, counted, decimal, h } from "./dom";
import { Frame } from "./frame";
import type { ViewState } from "./types";
import type { Context, View } from "./view";

interface Totals {
  asset_count: number;
  cpu_cores: number;
  memory_bytes: number;
  storage_bytes: number;
}

/** The largest buckets; `rest` below stands for those that were not sent. */
interface Group {
  field: string;
  label: string;
  buckets: { value: string; label: string; asset_count: number }[];
  value_count: number;
}

interface LandscapeState extends ViewState {
  landscape: { totals: Totals; groups: Group[] } | null;
}

export class Landscape implements View<LandscapeState> {
  readonly root: HTMLElement;
  private readonly frame: Frame;
  private readonly totals = h("ul", { class: "m-totals" });
  private readonly groups = h("div", { class: "m-groups" });
  private drawn: string | undefined;

  constructor({ channel }: Context) {
    this.frame = new Frame("landscape", channel);
    this.root = this.frame.root;
    this.frame.body.append(this.totals, this.groups);
  }

  setState(state: LandscapeState): void {
    const { landscape } = state;
    this.frame.hold(state);
    const key = `${state.session} ${JSON.stringify(landscape)}`;
    if (key !== this.drawn) {
      this.drawn = key;
      this.totals.replaceChildren(...tiles(landscape?.totals));
      this.groups.replaceChildren(
        ...(landscape?.groups ?? []).map((group) => bars(group, landscape!.totals.asset_count)),
      );
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

function tiles(totals: Totals | undefined): HTMLElement[] {
  const written: [string, string][] = [
    ["Assets", totals ? count(totals.asset_count) : "–"],
    ["CPU cores", totals ? decimal(totals.cpu_cores) : "–"],
    ["Memory", totals ? bytes(totals.memory_bytes) : "–"],
    ["Storage", totals ? bytes(totals.storage_bytes) : "–"],
  ];
  return written.map(([label, value]) =>
    h(
      "li",
      { class: "m-tile" },
      h("span", { class: "m-label" }, label),
      h("span", { class: "m-number" }, value),
    ),
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
    { class: "m-group" },
    h("h4", { class: "m-group-title" }, label),
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
      count(value),
      h("span", { class: "m-muted m-percent" }, ` ${percent}`),
    ),
    h("span", { class: "m-track", "aria-hidden": "true" }, fill),
  );
}
