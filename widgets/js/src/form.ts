// The fields of a session, to make one or to change it.
import { type Channel, failureOf, isAbort } from "./channel";
import { attribute, h, text, uid } from "./dom";
import { Notice } from "./notice";
import type { Failure } from "./types";

interface Opened {
  session: string;
  etag: string;
  values: Values;
  types: { value: string; label: string }[];
}

interface Values {
  display_name: string;
  description: string;
  type: string;
}

type Field = keyof Values;
const FIELDS: readonly Field[] = ["display_name", "description", "type"];
type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

interface Options {
  channel: Channel;
  /** Hears the name and label of what was saved. */
  saved(session: { name: string; label: string }, created: boolean): void;
  cancelled(): void;
}

/** The form; saves only what changed. Ctrl+Enter saves from anywhere in it, Escape cancels. */
export class Form {
  readonly root: HTMLFormElement;
  private readonly title = h("h3", { class: "m-title" });
  private readonly controls: Record<Field, Control>;
  private readonly errors: Record<Field, HTMLElement>;
  private readonly notice = new Notice();
  private readonly switchTo = h("input", { type: "checkbox", id: uid("switch"), checked: true });
  private readonly switchRow: HTMLElement;
  private readonly save: HTMLButtonElement;
  private readonly state = h("span", { class: "m-muted", role: "status" });
  private opened: Opened | null = null;
  private opening: AbortController | undefined;
  private saving = false;

  constructor(private readonly options: Options) {
    this.controls = {
      display_name: h("input", {
        type: "text",
        class: "m-input",
        id: uid("name"),
        autocomplete: "off",
        maxlength: "200",
        required: true,
      }),
      description: h("textarea", { class: "m-input", id: uid("description"), rows: "2" }),
      type: h("select", { class: "m-input", id: uid("type") }),
    };
    this.errors = { display_name: error(), description: error(), type: error() };
    this.switchRow = h("label", { class: "m-check", for: this.switchTo.id }, this.switchTo, "Switch to it");
    this.save = h("button", { type: "submit", class: "m-button m-primary" }, "Save");
    this.root = h(
      "form",
      {
        class: "m-form",
        novalidate: true,
        onsubmit: (event: Event) => this.submit(event),
        oninput: () => this.paint(),
        onkeydown: (event: KeyboardEvent) => this.onKey(event),
      },
      this.title,
      this.field("display_name", "Name"),
      this.field("type", "Type"),
      this.field("description", "Description"),
      this.notice.root,
      h(
        "div",
        { class: "m-actions" },
        this.save,
        h("button", { type: "button", class: "m-button", onclick: () => this.options.cancelled() }, "Cancel"),
        this.switchRow,
        this.state,
      ),
    );
    attribute(this.root, "aria-labelledby", (this.title.id = uid("form")));
  }

  /** The session that is being changed, "" for a new one; undefined while nothing was typed that could be lost. */
  get unsaved(): string | undefined {
    return Object.keys(this.changes()).length > 0 ? this.opened!.session : undefined;
  }

  /** Fills the fields: those of a session, or empty ones for a new session. */
  async open(session: string): Promise<void> {
    this.opening?.abort();
    const mine = (this.opening = new AbortController());
    this.opened = null;
    this.fail(null);
    text(this.title, session ? "Edit session" : "New session");
    text(this.save, session ? "Save" : "Create");
    this.switchRow.hidden = !!session;
    text(this.state, "Loading…");
    this.paint();
    try {
      this.fill(await this.options.channel.request<Opened>("form.open", { session }, mine.signal));
    } catch (error) {
      // Opened for something else meanwhile: the fields are that one's.
      if (mine.signal.aborted) return;
      if (!isAbort(error))
        this.fail(failureOf(error), [{ label: "Try again", run: () => void this.open(session) }]);
    }
    text(this.state, "");
    this.paint();
  }

  focus(): void {
    this.controls.display_name.focus();
  }

  private fill(opened: Opened): void {
    this.opened = opened;
    const types = opened.types.map(({ value, label }) => h("option", { value }, label));
    this.controls.type.replaceChildren(...types);
    for (const field of FIELDS) this.controls[field].value = opened.values[field];
  }

  private field(field: Field, label: string): HTMLElement {
    const control = this.controls[field];
    const errors = this.errors[field];
    attribute(control, "aria-describedby", (errors.id = uid("error")));
    return h(
      "div",
      { class: `m-row m-row-${field}` },
      h("label", { class: "m-label", for: control.id }, label),
      control,
      errors,
    );
  }

  private changes(): Partial<Values> {
    const before = this.opened?.values;
    if (!before) return {};
    return Object.fromEntries(
      FIELDS.filter((f) => this.controls[f].value !== before[f]).map((f) => [f, this.controls[f].value]),
    );
  }

  private paint(): void {
    const changed = Object.keys(this.changes()).length > 0;
    this.save.disabled = this.saving || !this.opened || !changed;
    for (const control of Object.values(this.controls)) control.disabled = this.saving || !this.opened;
  }

  private onKey(event: KeyboardEvent): void {
    // Keys belong to the field that is being typed in, not to the shortcuts around the form.
    event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      this.options.cancelled();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.root.requestSubmit();
    }
  }

  private submit(event: Event): void {
    event.preventDefault();
    if (this.save.disabled) return;
    void this.send();
  }

  private async send(): Promise<void> {
    const { session, etag } = this.opened!;
    this.saving = true;
    this.fail(null);
    text(this.state, "Saving…");
    this.paint();
    try {
      const saved = await this.options.channel.request<{ name: string; label: string }>("form.save", {
        session,
        etag,
        values: this.changes(),
        switch: !session && this.switchTo.checked,
      });
      this.options.saved(saved, !session);
    } catch (error) {
      if (!isAbort(error)) this.refused(failureOf(error), session);
    } finally {
      this.saving = false;
      text(this.state, "");
      this.paint();
    }
    this.root.querySelector<Control>("[aria-invalid=true]")?.focus();
  }

  private refused(failure: Failure, session: string): void {
    const conflict = failure.kind === "Conflict" && !!session;
    const reload = {
      label: "Load the newest version",
      run: () => void this.open(session).then(() => this.focus()),
    };
    this.fail(failure, conflict ? [reload] : []);
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

function error(): HTMLElement {
  return h("span", { class: "m-field-error", role: "alert" });
}
