// One asset: all that is known of it, where that comes from, what it needs and what needs it.
import type { Channel } from "./channel";
import { attribute, count, h, icon, text, uid } from "./dom";
import { type Cell, type Field, written } from "./table_fields";
import { Frame } from "./frame";
import { Notice } from "./notice";
import type { Failure, ViewState } from "./types";
import type { Context, View } from "./view";
import "./styles/views.css";
import "./styles/asset.css";

interface Fact {
  key: string;
  label: string;
  kind: Field["kind"];
  value: Cell;
  /** The filter that lets through what has the same value; empty where none can. */
  filter: string;
}

/** The asset at the other end of a dependency. */
interface End {
  id: string;
  label: string;
  kind: string;
  /** Port, protocol and process. */
  through: string;
  description: string;
}

interface Ends {
  items: End[];
  total: number;
  at_least: boolean;
  /** There are more, and they can be asked for here. */
  more: boolean;
}

export interface Detail {
  name: string;
  /** How many assets led to this one. */
  depth: number;
  error: Failure | null;
  refreshing: boolean;
  asset: { title: string; groups: { title: string; fields: Fact[] }[] } | null;
  needs: Ends | null;
  needed_by: Ends | null;
}

interface Options {
  /** The session and the epoch that are shown, which every request names. */
  place(): { session: string; epoch: number };
  /** Narrows a table to what has the same value; values are texts alone without it. */
  filter?: (term: string) => void;
  /** The keyboard is to go back to where the asset was opened. */
  left(): void;
  /** The first asset stays: there is nothing that it was opened from. */
  fixed?: boolean;
}

/** A panel with one asset, from which its dependencies can be followed and gone back. */
export class AssetPanel {
  readonly root: HTMLElement;
  private readonly title = h("h4", { class: "m-asset-title", id: uid("asset"), tabindex: "-1" });
  private readonly backward: HTMLButtonElement;
  private readonly closing: HTMLButtonElement;
  private readonly notice = new Notice();
  private readonly facts = h("div", { class: "m-facts" });
  private readonly waiting = h("p", { class: "m-muted" }, "Loading…");
  private detail: Detail | null = null;
  private drawn = "";
  /** Whether it was this page that asked for what comes next, and so takes the keyboard there. */
  private expecting = false;

  constructor(
    private readonly channel: Channel,
    private readonly options: Options,
  ) {
    this.backward = h(
      "button",
      { type: "button", class: "m-button", title: "Back (Backspace)", onclick: () => this.back() },
      "Back",
    );
    this.closing = h(
      "button",
      {
        type: "button",
        class: "m-button m-only-icon",
        "aria-label": "Close",
        title: "Close (Esc)",
        hidden: options.fixed,
        onclick: () => this.close(),
      },
      icon("cross"),
    );
    this.root = h(
      "section",
      {
        class: "m-asset",
        "aria-labelledby": this.title.id,
        hidden: true,
        onkeydown: (event: KeyboardEvent) => this.onKey(event),
      },
      h("div", { class: "m-asset-head" }, this.title, this.backward, this.closing),
      this.notice.root,
      this.waiting,
      this.facts,
    );
  }

  get isOpen(): boolean {
    return this.detail !== null;
  }

  /** Opens an asset, and takes the keyboard to it. */
  open(id: string): void {
    this.expecting = true;
    this.ask("asset.open", { id });
  }

  close(): void {
    this.ask("asset.close");
    this.options.left();
  }

  set(detail: Detail | null): void {
    const before = this.detail;
    this.detail = detail;
    this.root.hidden = !detail;
    if (!detail) {
      if (before && this.root.contains(document.activeElement)) this.options.left();
      this.facts.replaceChildren();
      this.drawn = "";
      return;
    }
    const { asset, error } = detail;
    text(this.title, asset?.title ?? "…");
    this.backward.hidden = detail.depth === 0;
    this.waiting.hidden = !!asset || !!error;
    this.root.classList.toggle("m-stale", detail.refreshing);
    attribute(this.root, "aria-busy", !asset && !error ? "true" : null);
    this.notice.show(error, [{ label: "Try again", run: () => this.retry() }]);
    const another = before?.name !== detail.name;
    const drawn = JSON.stringify([asset, detail.needs, detail.needed_by]);
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      const at = this.buttons.indexOf(document.activeElement as HTMLButtonElement);
      this.facts.replaceChildren(
        ...(asset?.groups ?? []).map(({ title, fields }) => this.group(title, fields)),
        ...(asset ? [this.ends("Needs", detail.needs), this.ends("Needed by", detail.needed_by)] : []),
      );
      // What had the keyboard is gone; what came in its place has it then, or it would be lost to the top of the page.
      if (at >= 0) (another ? this.title : (this.buttons[at] ?? this.title)).focus();
    }
    if (another) this.root.scrollTop = 0;
    if (another && this.expecting) {
      this.expecting = false;
      this.title.focus();
    }
  }

  private group(title: string, fields: Fact[]): HTMLElement {
    return section(
      title,
      h(
        "dl",
        { class: "m-fact-list" },
        ...fields.flatMap((fact) => [h("dt", { class: "m-muted" }, fact.label), h("dd", {}, this.value(fact))]),
      ),
    );
  }

  private value({ kind, value, filter }: Fact): Node | string {
    const words = written(kind, value);
    const narrow = this.options.filter;
    if (!narrow || !filter) return words;
    return h(
      "button",
      { type: "button", class: "m-link m-fact", title: `Show only ${filter}`, onclick: () => narrow(filter) },
      words,
    );
  }

  private ends(title: string, ends: Ends | null): HTMLElement {
    if (!ends) return section(title, h("p", { class: "m-muted" }, "Loading…"));
    const total = `${ends.at_least ? "at least " : ""}${count(ends.total)}`;
    if (ends.items.length === 0) return section(title, h("p", { class: "m-muted" }, "Nothing that is known"));
    return section(
      `${title} (${total})`,
      h("ul", { class: "m-ends" }, ...ends.items.map((end) => this.end(end))),
      ends.more &&
        h("button", { type: "button", class: "m-button", onclick: () => this.ask("asset.more") }, "More"),
    );
  }

  private end({ id, label, kind, through, description }: End): HTMLElement {
    const words = [kind, through].filter(Boolean).join(", ");
    return h(
      "li",
      { title: description || null },
      h("button", { type: "button", class: "m-link", onclick: () => this.open(id) }, label),
      h("span", { class: "m-muted" }, ` ${words}`),
    );
  }

  private get buttons(): HTMLButtonElement[] {
    return [...this.facts.querySelectorAll("button")];
  }

  private retry(): void {
    // The button goes with the error.
    this.title.focus();
    this.ask("retry");
  }

  private back(): void {
    if (!this.detail) return;
    if (this.detail.depth === 0) {
      if (!this.options.fixed) this.close();
      return;
    }
    this.expecting = true;
    this.ask("asset.back");
  }

  private onKey(event: KeyboardEvent): void {
    if ((event.key !== "Escape" && event.key !== "Backspace") || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (event.key === "Escape" && this.options.fixed && this.detail?.depth === 0) return this.options.left();
    this.back();
  }

  private ask(kind: string, payload: object = {}): void {
    void this.channel.request(kind, { ...this.options.place(), ...payload }).catch(() => (this.expecting = false));
  }
}

function section(title: string, ...children: (Node | false)[]): HTMLElement {
  const heading = h("h5", { class: "m-facts-title", id: uid("facts") }, title);
  return h("div", { role: "group", "aria-labelledby": heading.id }, heading, ...children);
}

interface AssetState extends ViewState {
  wanted: string;
  /** How many assets of the session are called so. */
  same: number;
  detail: Detail | null;
}

/** An asset by itself. */
export class AssetView implements View<AssetState> {
  readonly root: HTMLElement;
  private readonly frame: Frame;
  private readonly panel: AssetPanel;
  private state: AssetState | null = null;

  constructor({ channel }: Context) {
    this.frame = new Frame("one-asset", channel);
    this.root = this.frame.root;
    this.panel = new AssetPanel(channel, {
      place: () => ({ session: this.state!.session, epoch: this.state!.epoch }),
      left: () => leave(this.root),
      fixed: true,
    });
    this.frame.body.append(this.panel.root);
  }

  setState(state: AssetState): void {
    this.frame.hold(state);
    this.state = state;
    this.panel.set(state.detail);
    this.frame.paint(
      state,
      !!state.detail,
      state.same > 1 ? `The first of ${count(state.same)} called ${state.wanted}` : "",
      `There is no asset called ${state.wanted} here. Look for it: ws.discovery(filter="…")`,
    );
  }

  dispose(): void {}
}

/** Gives the keyboard back to the notebook. */
export function leave(root: HTMLElement): void {
  (document.activeElement as HTMLElement | null)?.blur();
  root.closest<HTMLElement>(".jp-Cell")?.focus();
}
