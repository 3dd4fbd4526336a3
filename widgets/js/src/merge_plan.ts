// Which sessions are merged, and how.
import { failureOf, isAbort, type Channel } from "./channel";
import { attribute, h, text, uid } from "./dom";
import type { MergeState, Side } from "./merge_state";

/** A session that is found by its name. */
class SessionField {
  readonly root: HTMLElement;
  readonly input: HTMLInputElement;
  private readonly names = h("datalist", { id: uid("names") });
  private readonly error = h("span", { class: "m-field-error", id: uid("wrong"), role: "alert" });
  private asking = new AbortController();
  private label = "";

  constructor(
    private readonly channel: Channel,
    private readonly side: Side,
    label: string,
  ) {
    this.input = h("input", {
      type: "text",
      class: "m-input",
      id: uid("session"),
      list: this.names.id,
      autocomplete: "off",
      spellcheck: "false",
      "aria-describedby": this.error.id,
      onfocus: () => void this.offer(),
      oninput: () => void this.offer(),
      onchange: () => void this.take(),
    });
    this.root = h(
      "div",
      { class: "m-row" },
      h("label", { class: "m-label", for: this.input.id }, label),
      this.input,
      this.names,
      this.error,
    );
  }

  show(label: string): void {
    // What is being typed stays.
    if (this.input.value === this.label) this.input.value = label;
    this.label = label;
  }

  /** Names like what was typed. */
  private async offer(): Promise<void> {
    this.asking.abort();
    const asking = (this.asking = new AbortController());
    // A name that was chosen is not searched for: others are wanted then.
    const typed = this.input.value === this.label ? "" : this.input.value;
    const names = await this.channel
      .request<string[]>("merge.names", { text: typed }, asking.signal)
      .catch(() => [] as string[]);
    if (!asking.signal.aborted) this.names.replaceChildren(...names.map((value) => h("option", { value })));
  }

  private async take(): Promise<void> {
    if (!this.input.value.trim()) this.input.value = this.label;
    if (this.input.value === this.label) return this.fail("");
    try {
      const { label } = await this.channel.request<{ label: string }>("merge.side", { side: this.side, text: this.input.value });
      this.label = this.input.value = label;
      this.fail("");
    } catch (error) {
      if (!isAbort(error)) this.fail(failureOf(error).message);
    }
  }

  private fail(message: string): void {
    text(this.error, message);
    attribute(this.input, "aria-invalid", message ? "true" : null);
  }
}

export class MergePlan {
  readonly root: HTMLElement;
  private readonly fields: { [side in Side]: SessionField };
  private readonly strategies = h("div", { class: "m-strategies", role: "radiogroup", "aria-label": "How" });
  private readonly keep = h("input", { type: "checkbox", onchange: () => this.choose() });
  private readonly kept = h("span", {});
  private strategy = "";

  constructor(private readonly channel: Channel) {
    this.fields = {
      source: new SessionField(channel, "source", "Take from"),
      target: new SessionField(channel, "target", "Merge into"),
    };
    this.root = h(
      "div",
      { class: "m-plan" },
      this.fields.source.root,
      this.fields.target.root,
      this.strategies,
      h("label", { class: "m-check" }, this.keep, this.kept),
    );
  }

  show({ sides, strategies, strategy, keep_source }: MergeState): void {
    this.fields.source.show(sides.source.label);
    this.fields.target.show(sides.target.label);
    if (this.strategies.childElementCount === 0) {
      const name = uid("strategy");
      for (const { value, label, says } of strategies) {
        const radio = h("input", { type: "radio", name, value, onchange: () => this.choose(value) });
        this.strategies.append(h("label", { class: "m-check" }, radio, h("span", {}, label, " ", h("span", { class: "m-muted" }, says))));
      }
    }
    this.strategy = strategy;
    for (const radio of this.strategies.querySelectorAll("input")) radio.checked = radio.value === strategy;
    this.keep.checked = keep_source;
    const source = sides.source.label ? `“${sides.source.label}”` : "the source";
    text(this.kept, `Keep ${source} as it is; else it is archived, and can be taken up again`);
  }

  private choose(strategy = this.strategy): void {
    this.channel
      .request("merge.plan", { strategy, keep_source: this.keep.checked })
      .catch(() => undefined);
  }
}
