// The form of a preview: what each column of a file is, and a button that imports it.
import { type Channel, failureOf, isAbort } from "./channel";
import { attribute, count, h, text, uid } from "./dom";
import { Notice } from "./notice";
import type { State } from "./types";
import type { Context, View } from "./view";

interface Option {
  value: string;
  label: string;
}

interface Column {
  name: string;
  /** The field that it goes to; "" for an attribute. */
  field: string;
  unit: string;
  /** Whether the unit is named nowhere. */
  assumed: boolean;
  samples: string;
}

interface ImportState extends State {
  file: string;
  into: string;
  summary: string;
  kinds: Option[];
  kind: string;
  sheets: string[];
  sheet: string;
  types: Option[];
  type: string;
  fields: Option[];
  /** The units of the fields that are amounts. */
  units: Record<string, string[]>;
  columns: Column[];
  progress: { phase: string; done: number; total: number } | null;
  outcome: {
    equation: string;
    facts: string[];
    rejected: string[];
    rejected_count: number;
    notes: string[];
  } | null;
}

interface Row {
  column: Column;
  field: HTMLSelectElement;
  unit: HTMLSelectElement;
}

export class ImportForm implements View<ImportState> {
  readonly root: HTMLElement;
  private readonly channel: Channel;
  private readonly title = h("h3", { class: "m-title", id: uid("import") });
  private readonly summary = h("p", { class: "m-muted", role: "status" });
  private readonly kind = h("select", { class: "m-input", id: uid("kind"), onchange: () => void this.read() });
  private readonly sheet = h("select", { class: "m-input", id: uid("sheet"), onchange: () => void this.read() });
  private readonly type = h("select", { class: "m-input", id: uid("type") });
  private readonly sheetRow: HTMLElement;
  private readonly columns = h("div", { class: "m-columns", role: "group", "aria-label": "Columns" });
  private readonly notice = new Notice();
  private readonly button = h("button", { type: "submit", class: "m-button m-primary" }, "Import");
  private readonly bar = h("progress", { class: "m-progress", "aria-label": "Import", hidden: true });
  private readonly phase = h("span", { class: "m-muted", role: "status" });
  private readonly outcome = h("div", { role: "status" });
  private state: ImportState | null = null;
  private rows: Row[] = [];
  private drawn = "";
  private busy = false;

  constructor({ channel }: Context) {
    this.channel = channel;
    this.sheetRow = row("Sheet", this.sheet);
    this.root = h(
      "form",
      {
        class: "m-panel m-import",
        novalidate: true,
        "aria-labelledby": this.title.id,
        onsubmit: (event: Event) => {
          event.preventDefault();
          if (!this.button.disabled) void this.run();
        },
      },
      this.title,
      this.summary,
      h("div", { class: "m-ways" }, row("Read as", this.kind), this.sheetRow, row("Type of assets", this.type)),
      this.columns,
      this.notice.root,
      h("div", { class: "m-actions" }, this.button, this.bar, this.phase),
      this.outcome,
    );
  }

  setState(state: ImportState): void {
    this.state = state;
    text(this.title, `Import ${state.file} into ${state.into}`);
    text(this.summary, state.summary);
    const key = JSON.stringify([state.kinds, state.kind, state.sheets, state.sheet, state.columns]);
    if (key !== this.drawn) {
      this.drawn = key;
      fill(this.kind, state.kinds, state.kind);
      fill(this.sheet, state.sheets.map(plain), state.sheet);
      fill(this.type, state.types, state.type, "find out");
      this.sheetRow.hidden = state.sheets.length === 0;
      this.rows = state.columns.map((column) => this.makeRow(column));
      this.columns.replaceChildren(...this.rows.map((each) => this.lay(each)));
    }
    const { progress } = state;
    this.bar.hidden = !progress;
    attribute(this.bar, "max", progress?.total || null);
    attribute(this.bar, "value", progress?.total ? progress.done : null);
    text(this.phase, progress ? `${progress.phase}…` : "");
    this.outcome.replaceChildren(...(state.outcome ? told(state.outcome) : []));
    this.paint();
  }

  dispose(): void {}

  private makeRow(column: Column): Row {
    const field = h("select", { class: "m-input", id: uid("field") });
    const unit = h("select", { class: "m-input", "aria-label": `Unit of ${column.name}` });
    const known = this.state!.fields.some(({ value }) => value === column.field);
    const more = known ? [] : [plain(column.field)];
    fill(field, [...this.state!.fields, ...more], column.field, "keep as an attribute");
    const made = { column, field, unit };
    field.addEventListener("change", () => this.fillUnit(made));
    this.fillUnit(made);
    return made;
  }

  private fillUnit({ column, field, unit }: Row): void {
    const units = this.state!.units[field.value];
    const found = field.value === column.field ? column.unit : "";
    const more = found && !units?.includes(found) ? [plain(found)] : [];
    unit.hidden = !units;
    fill(unit, [plain(""), ...(units ?? []).map(plain), ...more], found, "as it says");
  }

  private lay({ column, field, unit }: Row): HTMLElement {
    const samples = column.assumed ? `${column.samples} (its unit is assumed)` : column.samples;
    return h(
      "div",
      { class: "m-column" },
      h("label", { for: field.id, title: column.name }, column.name),
      field,
      unit,
      h("span", { class: "m-muted m-samples", title: samples }, samples),
    );
  }

  /** The columns for which something else was chosen than was found. */
  private chosen(): Record<string, [string, string]> {
    const changed = this.rows.filter(
      ({ column, field, unit }) =>
        field.value !== column.field || unit.value !== (unit.hidden ? "" : column.unit),
    );
    return Object.fromEntries(changed.map((each) => [each.column.name, [each.field.value, each.unit.value]]));
  }

  private read(): Promise<void> {
    // Another kind has other sheets.
    const sheet = this.kind.value === this.state!.kind ? this.sheet.value : "";
    return this.ask("import.read", { as: this.kind.value, sheet }, () => this.read());
  }

  private run(): Promise<void> {
    return this.ask("import.run", { columns: this.chosen(), type: this.type.value }, () => this.run());
  }

  private async ask(kind: string, payload: object, again: () => Promise<void>): Promise<void> {
    this.busy = true;
    this.notice.show(null);
    this.paint();
    try {
      await this.channel.request(kind, payload);
    } catch (error) {
      if (!isAbort(error))
        this.notice.show(failureOf(error), [{ label: "Try again", run: () => void again() }]);
    } finally {
      this.busy = false;
      this.paint();
    }
  }

  private paint(): void {
    const over = !!this.state?.outcome;
    const idle = !this.busy && !this.state?.progress && !over;
    text(this.button, over ? "Imported" : this.busy ? "One moment…" : "Import");
    this.button.disabled = !idle;
    const controls = [this.kind, this.sheet, this.type, ...this.rows.flatMap(({ field, unit }) => [field, unit])];
    for (const control of controls) control.disabled = !idle;
  }
}

const plain = (value: string): Option => ({ value, label: value });

function fill(select: HTMLSelectElement, options: Option[], value: string, empty = ""): void {
  select.replaceChildren(
    ...options.map((option) => h("option", { value: option.value }, option.label || empty)),
  );
  select.value = value;
}

function row(label: string, control: HTMLElement): HTMLElement {
  return h("div", { class: "m-row" }, h("label", { class: "m-label", for: control.id }, label), control);
}

function told({ equation, facts, rejected, rejected_count, notes }: NonNullable<ImportState["outcome"]>): Node[] {
  const rest = rejected_count - rejected.length;
  const lines = rest > 0 ? [...rejected, `… and ${count(rest)} more`] : rejected;
  return [
    h("p", {}, h("strong", {}, `${equation}.`), " The views show it already."),
    list(facts),
    list(lines),
    list(notes),
  ];
}

function list(lines: string[]): HTMLElement {
  return h("ul", { class: "m-lines", hidden: lines.length === 0 }, ...lines.map((line) => h("li", {}, line)));
}
