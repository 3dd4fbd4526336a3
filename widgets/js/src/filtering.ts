// The filter of a table: its text, what is wrong with it, and which fields there are.
import { Refused, failureOf, isAbort, type Channel } from "./channel";
import { attribute, h, text, uid } from "./dom";
import type { Field } from "./table_fields";
import type { Failure } from "./types";
import "./styles/filter.css";

/** A filter that was refused, with names that are near those that it does not know. */
export interface FilterFailure extends Failure {
  near?: { wrong: string; names: string[] }[];
}

const EXAMPLES: Record<Exclude<Field["filter"], "">, [operator: string, words: string]> = {
  words: [":", "words, or = to the letter"],
  text: [" = ", "= to the letter; pro* begins so"],
  enum: [" = ", "one of its names"],
  number: [" >= ", "= != < <= > >="],
  time: [" > ", "2026-01-31, or with a time"],
  flag: [" = ", "true or false"],
};

const JOINT = " AND ";

/** The box above a table that narrows it. What the service refuses is said beside it and changes nothing. */
export class FilterBox {
  readonly root: HTMLFormElement;
  readonly input: HTMLInputElement;
  private readonly error = h("div", { class: "m-filter-error", id: uid("wrong"), role: "alert", hidden: true });
  private readonly go = h("button", { type: "submit", class: "m-button" }, "Filter");
  private readonly clearing = h(
    "button",
    { type: "button", class: "m-button", hidden: true, onclick: () => this.clear() },
    "Clear",
  );
  private readonly fields = h("div", { class: "m-filter-help", id: uid("fields"), hidden: true });
  private readonly help: HTMLButtonElement;
  private applied = "";
  private told = "";
  private asking: AbortController | null = null;

  /** `left` is called when the keyboard is to go on to the table; `tools` stand at the end of the line. */
  constructor(
    private readonly channel: Channel,
    fields: readonly Field[],
    private readonly left: () => void,
    ...tools: HTMLElement[]
  ) {
    this.input = h("input", {
      type: "text",
      class: "m-input",
      autocomplete: "off",
      autocapitalize: "off",
      spellcheck: "false",
      "aria-label": "Filter",
      "aria-describedby": this.error.id,
      oninput: () => this.paint(),
      onkeydown: (event: KeyboardEvent) => this.onKey(event),
    });
    this.help = h(
      "button",
      {
        type: "button",
        class: "m-button",
        "aria-expanded": "false",
        "aria-controls": this.fields.id,
        onclick: () => this.toggleHelp(),
      },
      "Fields",
    );
    this.root = h(
      "form",
      { class: "m-filter", role: "search", onsubmit: (event: Event) => this.onSubmit(event) },
      h("div", { class: "m-filter-line" }, this.input, this.go, this.clearing, this.help, ...tools),
      this.error,
      this.fields,
    );
    this.fields.append(
      h(
        "p",
        {},
        "Words find what begins so; terms side by side must all hold; ",
        ...["OR", "NOT", "( )"].flatMap((word) => [h("code", {}, word), " "]),
        "join them. A text with spaces goes in quotes; ",
        h("code", {}, "field:*"),
        " is whether it is known.",
      ),
      h(
        "ul",
        { class: "m-filter-fields" },
        ...fields.filter(({ filter }) => filter).map((field) => this.fieldRow(field)),
      ),
    );
  }

  /** Shows the filter that holds. What is being typed stays. */
  set(filter: string, noun: string, error: FilterFailure | null): void {
    attribute(this.root, "aria-label", `Filter the ${noun}`);
    attribute(this.input, "placeholder", `Filter the ${noun}: words, or field = value`);
    if (filter !== this.applied || (error && this.told !== filter)) {
      if (this.input.value.trim() === this.applied || error) this.input.value = filter;
      this.applied = filter;
      this.fail(error);
      this.told = error ? filter : "";
    }
    this.paint();
  }

  /** Narrows by one more term. */
  add(term: string): void {
    // OR binds tighter than AND, so what is there needs no parentheses.
    const terms = this.applied ? this.applied.split(JOINT) : [];
    void this.apply(terms.includes(term) ? this.applied : [...terms, term].join(JOINT));
  }

  /** Lets everything through, and keeps the keyboard: the button that was pressed may be gone then. */
  clear(): void {
    this.input.focus();
    void this.apply("");
  }

  /** Asks for the rows of a filter, and for no other order of asking than the last. */
  async apply(filter: string): Promise<void> {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    this.input.value = filter;
    this.fail(null);
    this.paint();
    try {
      const { refused } = await this.channel.request<{ refused: FilterFailure | null }>(
        "table.arrange",
        { filter },
        asking.signal,
      );
      if (refused) this.fail(refused);
      else this.applied = filter.trim();
    } catch (error) {
      if (isAbort(error) || !(error instanceof Refused)) return;
      this.fail(failureOf(error));
    } finally {
      if (this.asking === asking) this.asking = null;
      this.paint();
    }
  }

  private paint(): void {
    const typed = this.input.value.trim();
    this.clearing.hidden = !typed && !this.applied;
    text(this.go, this.asking ? "Filtering…" : "Filter");
    attribute(this.root, "aria-busy", this.asking ? "true" : null);
    this.input.classList.toggle("m-unapplied", typed !== this.applied);
  }

  private fail(failure: FilterFailure | null): void {
    this.error.hidden = !failure;
    attribute(this.input, "aria-invalid", failure ? "true" : null);
    if (!failure) return this.error.replaceChildren();
    const near = (failure.near ?? []).flatMap(({ wrong, names }) =>
      names.map((name) =>
        h("button", { type: "button", class: "m-link", onclick: () => this.replace(wrong, name) }, name),
      ),
    );
    this.error.replaceChildren(
      h("span", {}, failure.message),
      near.length > 0 ? h("span", {}, " Did you mean ", ...near, "?") : "",
    );
  }

  private replace(wrong: string, name: string): void {
    this.input.focus();
    void this.apply(this.input.value.replace(wrong, name));
  }

  private onSubmit(event: Event): void {
    event.preventDefault();
    void this.apply(this.input.value);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key === "Enter" && !event.isComposing) {
      // Said here too, since a host may keep forms from being submitted.
      this.onSubmit(event);
    } else if (event.key === "Escape") {
      event.preventDefault();
      if (this.input.value.trim() === this.applied) return this.left();
      this.input.value = this.applied;
      this.fail(null);
      this.paint();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      this.left();
    }
  }

  private toggleHelp(): void {
    this.fields.hidden = !this.fields.hidden;
    attribute(this.help, "aria-expanded", String(!this.fields.hidden));
  }

  private fieldRow({ key, label, filter }: Field): HTMLElement {
    const [operator, words] = EXAMPLES[filter as keyof typeof EXAMPLES];
    const insert = (): void => {
      const before = this.input.value.trimEnd();
      this.input.value = `${before}${before ? " " : ""}${key}${operator}`;
      this.input.focus();
      this.paint();
    };
    return h(
      "li",
      {},
      h("button", { type: "button", class: "m-link", title: `Add ${key} to the filter`, onclick: insert }, key),
      h("span", { class: "m-muted" }, ` ${label}: ${words}`),
    );
  }
}
