// A form for the fields of a session, to make one or to change it.
import { type Channel, failureOf, isAbort } from "./channel";
import { Conflict } from "./conflict";
import { attribute, h, text, uid } from "./dom";
import { FIELDS, LABELS, clashes, differences, merged, type Field, type Values } from "./fields";
import { Notice } from "./notice";
import type { Failure } from "./types";
import "./styles/panel.css";
import "./styles/form.css";

interface Choice {
  value: string;
  label: string;
}

interface Opened {
  session: string;
  etag: string;
  values: Values;
  types: Choice[];
  /** Of a new session: what it may start from, and what it does. */
  sources: Choice[];
  source: string;
}

/** What was typed and not saved, and what it was typed over. */
interface Draft {
  opened: Opened;
  values: Values;
}

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

// A save whose fields nobody else touched is made again on what they wrote; people are slower than this.
const TRIES = 3;

interface Options {
  channel: Channel;
  /** Hears the name and label of what was saved. */
  saved(session: { name: string; label: string }, created: boolean): void;
  cancelled(): void;
}

/** The form; saves only what changed. Ctrl+Enter saves from anywhere in it, Escape cancels.
 *
 * What was typed stays until it is saved or cancelled, also while another session is edited.
 */
export class Form {
  readonly root: HTMLFormElement;
  private readonly title = h("h3", { class: "m-title" });
  private readonly controls: Record<Field, Control>;
  private readonly errors: Record<Field, HTMLElement>;
  private readonly source = h("select", { class: "m-input", id: uid("source") });
  private readonly sourceRow: HTMLElement;
  private readonly notice = new Notice();
  private readonly conflict: Conflict;
  private readonly others = h("p", { class: "m-drafts m-muted", hidden: true });
  private readonly switchTo = h("input", { type: "checkbox", id: uid("switch"), checked: true });
  private readonly switchRow: HTMLElement;
  private readonly save: HTMLButtonElement;
  private readonly state = h("span", { class: "m-muted", role: "status" });
  private readonly drafts = new Map<string, Draft>();
  private opened: Opened | null = null;
  private opening: AbortController | undefined;
  private saving = false;
  private warned = false;

  constructor(private readonly options: Options) {
    this.controls = {
      display_name: h("input", {
        type: "text",
        class: "m-input",
        id: uid("name"),
        autocomplete: "off",
        maxlength: "200",
        "aria-required": "true",
      }),
      description: h("textarea", { class: "m-input", id: uid("description"), rows: "2" }),
      type: h("select", { class: "m-input", id: uid("type") }),
    };
    this.errors = { display_name: error(), description: error(), type: error() };
    this.source.addEventListener("change", () => void this.startFrom(this.source.value));
    this.sourceRow = h(
      "div",
      { class: "m-row m-row-source" },
      h("label", { class: "m-label", for: this.source.id }, "Start from"),
      this.source,
    );
    this.conflict = new Conflict({
      chosen: (field, value) => {
        this.controls[field].value = value;
        this.paint();
      },
      shown: (field, value) => this.shown(field, value),
    });
    this.switchRow = h("label", { class: "m-check", for: this.switchTo.id }, this.switchTo, "Switch to it");
    this.save = h("button", { type: "submit", class: "m-button m-primary" }, "Save");
    this.root = h(
      "form",
      {
        class: "m-form",
        novalidate: true,
        onsubmit: (event: Event) => this.submit(event),
        oninput: () => this.touched(),
        onkeydown: (event: KeyboardEvent) => this.onKey(event),
      },
      this.title,
      this.field("display_name"),
      this.field("type"),
      this.sourceRow,
      this.field("description"),
      this.conflict.root,
      this.notice.root,
      h(
        "div",
        { class: "m-actions" },
        this.save,
        h("button", { type: "button", class: "m-button", onclick: () => this.cancel() }, "Cancel"),
        this.switchRow,
        this.state,
      ),
      this.others,
    );
    attribute(this.root, "aria-labelledby", (this.title.id = uid("form")));
  }

  /** The session that is being changed, "" for a new one; undefined while nothing was typed that could be lost. */
  get unsaved(): string | undefined {
    return this.hasChanges ? this.opened!.session : undefined;
  }

  /** Fills the fields: those of a session, or empty ones for a new session; what was typed there before stays. */
  async open(session: string): Promise<void> {
    this.keep();
    const draft = this.drafts.get(session);
    if (draft) {
      this.opening?.abort();
      this.fill(draft.opened, draft.values);
    } else {
      await this.load(session);
    }
  }

  focus(): void {
    this.controls.display_name.focus();
  }

  private get hasChanges(): boolean {
    return Object.keys(this.changes()).length > 0;
  }

  private async load(session: string, source = ""): Promise<void> {
    this.opening?.abort();
    const mine = (this.opening = new AbortController());
    this.opened = null;
    this.fail(null);
    this.conflict.show([]);
    text(this.title, session ? "Edit session" : "New session");
    text(this.save, session ? "Save" : "Create");
    this.switchRow.hidden = this.sourceRow.hidden = !!session;
    text(this.state, "Loading…");
    this.paint();
    try {
      const opened = await this.ask(session, source, mine.signal);
      this.fill(opened, opened.values);
    } catch (error) {
      // Opened for something else meanwhile: the fields are that one's.
      if (mine.signal.aborted) return;
      if (!isAbort(error))
        this.fail(failureOf(error), [{ label: "Try again", run: () => void this.load(session, source) }]);
    }
    text(this.state, "");
    this.paint();
  }

  private ask(session: string, source: string, signal?: AbortSignal): Promise<Opened> {
    return this.options.channel.request<Opened>("form.open", { session, source }, signal);
  }

  private fill(opened: Opened, values: Values): void {
    this.opened = opened;
    this.drafts.delete(opened.session);
    this.controls.type.replaceChildren(...opened.types.map(option));
    this.source.replaceChildren(...opened.sources.map(option));
    this.source.value = opened.source;
    this.write(values);
    this.entitle();
    text(this.save, opened.session ? "Save" : "Create");
    this.switchRow.hidden = !!opened.session;
    this.sourceRow.hidden = !!opened.session || opened.sources.length < 2;
    this.fail(null);
    this.conflict.show([]);
    this.warned = false;
    text(this.state, "");
    this.paint();
  }

  private entitle(): void {
    const { session, values } = this.opened!;
    text(this.title, session ? `Edit “${values.display_name}”` : "New session");
  }

  /** A new session takes over what its source says, but for what was typed. */
  private async startFrom(source: string): Promise<void> {
    const typed = this.changes();
    await this.load("", source);
    if (!this.opened) return;
    this.write({ ...this.opened.values, ...typed });
    this.paint();
    this.source.focus();
  }

  private field(field: Field): HTMLElement {
    const control = this.controls[field];
    const errors = this.errors[field];
    attribute(control, "aria-describedby", (errors.id = uid("error")));
    return h(
      "div",
      { class: `m-row m-row-${field}` },
      h("label", { class: "m-label", for: control.id }, LABELS[field]),
      control,
      errors,
    );
  }

  private shown(field: Field, value: string): string {
    return this.opened?.types.find((each) => field === "type" && each.value === value)?.label ?? value;
  }

  private values(): Values {
    const { display_name, description, type } = this.controls;
    return { display_name: display_name.value, description: description.value, type: type.value };
  }

  private write(values: Values): void {
    for (const field of FIELDS) this.controls[field].value = values[field];
  }

  private changes(): Partial<Values> {
    return this.opened ? differences(this.opened.values, this.values()) : {};
  }

  private touched(): void {
    this.warned = false;
    text(this.state, "");
    this.paint();
  }

  private paint(): void {
    this.save.disabled = this.saving || !this.opened || !this.hasChanges;
    for (const control of [...Object.values(this.controls), this.source])
      control.disabled = this.saving || !this.opened;
    const kept = [...this.drafts].map(([session, { opened }]) =>
      h(
        "button",
        { type: "button", class: "m-link", onclick: () => void this.open(session).then(() => this.focus()) },
        opened.values.display_name || "new session",
      ),
    );
    this.others.hidden = kept.length === 0;
    this.others.replaceChildren("Not saved yet: ", ...kept);
  }

  private keep(): void {
    if (this.opened && this.hasChanges)
      this.drafts.set(this.opened.session, { opened: this.opened, values: this.values() });
  }

  private onKey(event: KeyboardEvent): void {
    // Keys belong to the field that is being typed in, not to the shortcuts around the form.
    event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      if (this.hasChanges && !this.warned) {
        this.warned = true;
        text(this.state, "Not saved. Esc again throws the changes away.");
      } else this.cancel();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.root.requestSubmit();
    }
  }

  private cancel(): void {
    this.opening?.abort();
    this.opened = null;
    this.options.cancelled();
  }

  private submit(event: Event): void {
    event.preventDefault();
    if (this.save.disabled) return;
    void this.send();
  }

  private async send(): Promise<void> {
    const { session } = this.opened!;
    this.saving = true;
    this.fail(null);
    this.conflict.show([]);
    text(this.state, "Saving…");
    this.paint();
    let failure: Failure | undefined;
    try {
      const saved = await this.saved(session);
      if (saved) {
        this.opened = null;
        this.options.saved(saved, !session);
      }
    } catch (error) {
      if (!isAbort(error)) failure = failureOf(error);
    } finally {
      this.saving = false;
      text(this.state, "");
      this.paint();
    }
    if (failure) this.fail(failure);
    if (this.conflict.isOpen) this.conflict.focus();
    else this.root.querySelector<Control>("[aria-invalid=true]")?.focus();
  }

  /** What was saved; null where somebody else was faster and a choice is to be made. */
  private async saved(session: string): Promise<{ name: string; label: string } | null> {
    for (let left = TRIES; ; left -= 1) {
      const opened = this.opened!;
      // Somebody else wrote the same.
      if (session && !this.hasChanges) return { name: session, label: opened.values.display_name };
      try {
        return await this.options.channel.request("form.save", {
          session,
          etag: opened.etag,
          source: opened.source,
          values: this.changes(),
          switch: !session && this.switchTo.checked,
        });
      } catch (error) {
        if (isAbort(error) || failureOf(error).kind !== "Conflict" || !session || left === 1) throw error;
      }
      const theirs = await this.ask(session, "");
      const mine = this.values();
      const both = clashes(opened.values, mine, theirs.values);
      this.opened = theirs;
      this.entitle();
      this.write(merged(opened.values, mine, theirs.values));
      this.conflict.show(both);
      if (both.length) return null;
    }
  }

  /** Shows each field's error beside the field, and only what belongs to none of them in the strip. */
  private fail(failure: Failure | null, actions: { label: string; run(): void }[] = []): void {
    let placed = false;
    for (const field of FIELDS) {
      const wrong = failure?.fields.find((f) => f.field.split(".").pop() === field);
      text(this.errors[field], wrong?.message ?? "");
      attribute(this.controls[field], "aria-invalid", wrong ? "true" : null);
      placed ||= !!wrong;
    }
    this.notice.show(placed ? null : failure, actions);
  }
}

function option({ value, label }: Choice): HTMLOptionElement {
  return h("option", { value }, label);
}

function error(): HTMLElement {
  return h("span", { class: "m-field-error", role: "alert" });
}
