// Another widget inside this one.
import type { Context } from "./view";

/** A widget as the kernel names it. */
export interface Embedded {
  model_id: string;
  anywidget: boolean;
}

/** An anywidget is lent by its host, any other one by Jupyter's manager. */
export async function place(
  { host, model }: Context,
  { model_id, anywidget }: Embedded,
  holder: HTMLElement,
  signal: AbortSignal,
): Promise<void> {
  if (anywidget && host) {
    const widget = await host.getWidget(`anywidget:${model_id}`);
    if (!signal.aborted) await widget.render({ el: holder, signal });
    return;
  }
  const manager = model.widget_manager;
  if (!manager?.get_model || !manager.create_view) throw new Error("this notebook shows anywidgets only");
  const view = await manager.create_view(await manager.get_model(model_id));
  if (signal.aborted) return view.remove?.();
  signal.addEventListener("abort", () => view.remove?.());
  holder.append(view.el);
}
