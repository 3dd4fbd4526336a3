// The form of a preview: what each column of a file is, and a button that imports it.
import { failureOf, isAbort } from "./channel";
import { h, text, uid } from "./dom";
import { Notice } from "./notice";
import { type Progress, ProgressLine } from "./progress_line";
import { type Outcome, type Sample, sampled, sentence, told } from "./report";
import type { Failure, State } from "./types";
import type { Context, View } from "./view";
import "./styles/panel.css";
import "./styles/importing.css";

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

interface ImportState extends State, Sample {
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
  doing: "" | "importing" | "undoing";
  /** What the error is of. */
  failed: "" | "importing" | "undoing";
  progress: Progress | null;
  /** What became of it where there is no report. */
  told: string;
  outcome: Outcome | null;
}

interface Row {
  column: Column;
  field: HTMLSelectElement;
  unit: HTMLSelectElement;
}

const UPLOAD_GONE = "An upload is kept for a day, and until it is imported. Run the cell with its preview again.";

export class ImportForm implements View<ImportState> {
  readonly root: HTMLElement;
  private readonly title = h("h3", { class: "m-title", id: uid("import") });
  private readonly summary = h("p", { class: "m-muted", role: "status" });
  private readonly kind = h("select", { class: "m-input", id: uid("kind"), onchange: () => void this.read() });
  private readonly sheet = h("select", { class: "m-input", id: uid("sheet"), onchange: () => void this.read() });
  private readonly type = h("select", { class: "m-input", id: uid("type"), onchange: () => void this.look() });
  private readonly sheetRow: HTMLElement;
  private readonly columns = h("div", { class: "m-columns", role: "group", "aria-label": "Columns" });
  private readonly sample = h("div", {});
  private readonly notice = new Notice();
  private readonly button = h("button", { type: "submit", class: "m-button m-primary" }, "Import");
  private readonly cancel = button("Cancel", () => this.ask("import.cancel"));
  private readonly undo = button("Undo this import", () => this.ask("import.undo"));
  private readonly line = new ProgressLine("Import", "row");
  private readonly result = h("p", { role: "status", tabindex: "-1" });
  private readonly outcome = h("div", {});
  private state: ImportState | null = null;
  private rows: Row[] = [];
  private drawn = { columns: "", sample: "", outcome: "" };
  private reading = new AbortController();
  /** Whether what is under way was asked for here. */
  private owned = false;
  /** What went wrong with a question that was asked here; what goes wrong with the import is in the state. */
  private refused: { failure: Failure; again: () => void } | null = null;

  constructor(private readonly context: Context) {
    this.sheetRow = row("Sheet", this.sheet);
    this.root = h(
      "form",
      {
        class: "m-panel m-import",
        novalidate: true,
        "aria-labelledby": this.title.id,
        onsubmit: (event: Event) => {
          event.preventDefault();
          if (!this.button.disabled) this.run();
        },
      },
      this.title,
      this.summary,
      h("div", { class: "m-ways" }, row("Read as", this.kind), this.sheetRow, row("Type of assets", this.type)),
      this.columns,
      this.sample,
      this.notice.root,
      h("div", { class: "m-actions" }, this.button, this.cancel, ...this.line.parts),
      this.result,
      this.outcome,
      h("div", { class: "m-actions" }, this.undo),
    );
  }

  setState(state: ImportState): void {
    const before = this.state;
    this.state = state;
    text(this.title, `Import ${state.file} into ${state.into}`);
    text(this.summary, state.summary);
    this.changed("columns", [state.kinds, state.kind, state.sheets, state.sheet, state.columns], () => {
      fill(this.kind, state.kinds, state.kind);
      fill(this.sheet, state.sheets.map(plain), state.sheet);
      fill(this.type, state.types, state.type, "find out");
      this.sheetRow.hidden = state.sheets.length === 0;
      this.rows = state.columns.map((column) => this.makeRow(column));
      const none = h("p", { class: "m-muted" }, "A file of this kind has no columns to choose for.");
      this.columns.replaceChildren(...(this.rows.length ? this.rows.map((each) => this.lay(each)) : [none]));
    });
    this.changed("sample", [state.sample, state.rejected, state.rejected_count, state.notes], () => {
      const folds = (): HTMLDetailsElement[] => [...this.sample.querySelectorAll("details")];
      const unfolded = folds().map(({ open }) => open);
      this.sample.replaceChildren(...sampled(state));
      // Whoever looks at the rows while choosing goes on looking.
      folds().forEach((fold, at) => (fold.open = unfolded[at] ?? false));
    });
    text(this.result, state.outcome ? sentence(state.outcome) : "");
    this.changed("outcome", state.outcome, () =>
      this.outcome.replaceChildren(...(state.outcome ? told(state.outcome) : [])),
    );
    const { doing, progress } = state;
    this.line.show(doing === "importing", progress, doing === "undoing" ? "Undoing" : state.told);
    this.paint();
    this.moveFocus(before, state);
  }

  dispose(): void {
    this.reading.abort();
  }

  private changed(part: keyof ImportForm["drawn"], of: unknown, draw: () => void): void {
    const key = JSON.stringify(of);
    if (key === this.drawn[part]) return;
    this.drawn[part] = key;
    draw();
  }

  /** A button that was pressed here and goes gives the focus to what comes next. */
  private moveFocus(before: ImportState | null, { doing }: ImportState): void {
    if (!this.owned || before?.doing === doing) return;
    const at = document.activeElement;
    const away = at && at !== document.body && !this.root.contains(at);
    this.owned = !away && doing !== "";
    if (away || doing === "undoing") return;
    const next = [this.cancel, this.undo, this.button].find((each) => !each.hidden && !each.disabled);
    (next ?? this.result).focus();
  }

  private makeRow(column: Column): Row {
    const field = h("select", { class: "m-input", id: uid("field") });
    const unit = h("select", { class: "m-input", "aria-label": `Unit of ${column.name}` });
    const known = this.state!.fields.some(({ value }) => value === column.field);
    const more = known ? [] : [plain(column.field)];
    fill(field, [...this.state!.fields, ...more], column.field, "keep as an attribute");
    const made = { column, field, unit };
    field.addEventListener("change", () => {
      this.fillUnit(made);
      void this.look();
    });
    unit.addEventListener("change", () => void this.look());
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

  /** Reads the file as another kind, or another sheet of it. */
  private read(): Promise<void> {
    // Another kind has other sheets.
    const sheet = this.kind.value === this.state!.kind ? this.sheet.value : "";
    return this.inquire("import.read", { as: this.kind.value, sheet }, () => this.read());
  }

  /** Looks what the first rows become. */
  private look(): Promise<void> {
    return this.inquire("import.look", this.wanted(), () => this.look());
  }

  private run(): void {
    this.ask("import.run", this.wanted());
  }

  private wanted(): object {
    return { columns: this.chosen(), type: this.type.value };
  }

  /** Asks about the preview; what is asked later is what counts. */
  private async inquire(kind: string, payload: object, again: () => Promise<void>): Promise<void> {
    this.reading.abort();
    const reading = (this.reading = new AbortController());
    this.refused = null;
    this.root.setAttribute("aria-busy", "true");
    this.paint();
    try {
      await this.context.channel.request(kind, payload, reading.signal);
    } catch (error) {
      if (isAbort(error)) return;
      this.refused = { failure: failureOf(error), again: () => void again() };
    }
    this.root.removeAttribute("aria-busy");
    this.paint();
  }

  /** Asks for something to be done; how it goes is in the state, for whoever looks at it. */
  private ask(kind: string, payload: object = {}): void {
    this.owned = true;
    this.refused = null;
    this.context.channel.request(kind, payload).catch(() => undefined);
  }

  private paint(): void {
    const { doing, outcome } = this.state!;
    const idle = !doing && !outcome;
    text(this.button, outcome?.undone ? "Undone" : outcome ? "Imported" : "Import");
    this.button.disabled = !idle;
    this.cancel.hidden = doing !== "importing";
    this.undo.hidden = !outcome?.undoable;
    this.undo.disabled = !!doing;
    const controls = [this.kind, this.sheet, this.type, ...this.rows.flatMap(({ field, unit }) => [field, unit])];
    for (const control of controls) control.disabled = !idle;
    this.paintNotice();
  }

  private paintNotice(): void {
    const { error, failed } = this.state!;
    if (this.refused)
      return this.notice.show(this.refused.failure, [{ label: "Try again", run: this.refused.again }]);
    const again = { label: "Try again", run: () => (failed === "undoing" ? this.ask("import.undo") : this.run()) };
    const anyway = { label: "Undo anyway", run: () => this.ask("import.undo", { force: true }) };
    const gone = error?.reason === "UPLOAD_NOT_FOUND";
    const actions = gone ? [] : error?.reason === "DATA_EDITED" ? [anyway] : [again];
    this.notice.show(error, actions, gone ? UPLOAD_GONE : undefined);
  }
}

const button = (label: string, run: () => void): HTMLButtonElement =>
  h("button", { type: "button", class: "m-button", hidden: true, onclick: run }, label);

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
