// The form as a widget of its own.
import { Form } from "./form";
import { h, text } from "./dom";
import type { State } from "./types";
import type { Context, View } from "./view";

export class FormView implements View<State> {
  readonly root: HTMLElement;
  private readonly form: Form;
  private readonly done = h("p", { class: "m-muted", role: "status" });
  private session: string | undefined;

  constructor({ channel }: Context) {
    this.form = new Form({
      channel,
      saved: ({ name, label }, created) => {
        text(this.done, created ? `${label} created.` : `${label} saved.`);
        void this.form.open(created ? "" : name);
      },
      cancelled: () => void this.form.open(this.session ?? ""),
    });
    this.root = h("div", { class: "m-panel" }, this.form.root, this.done);
  }

  setState({ session }: State): void {
    if (session === this.session) return;
    this.session = session;
    void this.form.open(session);
  }

  dispose(): void {}
}
