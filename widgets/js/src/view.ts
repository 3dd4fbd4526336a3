// What every widget's front end has in common: state that only moves forward, and the heartbeat's banner.
import { Channel } from "./channel";
import { h } from "./dom";
import { Heartbeat } from "./heartbeat";
import { banner } from "./notice";
import type { Host, Model } from "./types";

/** The front end of one kind of widget. */
export interface View<S> {
  readonly root: HTMLElement;
  setState(state: S): void;
  setAlive?(alive: boolean): void;
  dispose(): void;
}

export interface Context {
  model: Model;
  channel: Channel;
  host: Host | undefined;
}

/** Lets a state through only if nothing newer was shown: not by a later write, not of a later switch. */
export function gate<S extends { rev: number; epoch: number }>(): (state: S | undefined) => state is S {
  let rev = -1;
  let epoch = -1;
  return (state): state is S => {
    if (!state || state.rev === undefined || state.rev <= rev || state.epoch < epoch) return false;
    ({ rev, epoch } = state);
    return true;
  };
}

/** Mounts a view into a cell's output; the answer takes it away again. */
export function mount<S extends { rev: number; epoch: number }>(
  make: (context: Context) => View<S>,
  model: Model,
  host: Host | undefined,
  el: HTMLElement,
): () => void {
  const channel = new Channel(model);
  const view = make({ model, channel, host });
  const alarm = banner();
  const passes = gate<S>();
  const follow = (): void => {
    const state = model.get("_state") as S | undefined;
    if (passes(state)) view.setState(state);
  };
  // Lumino leaves keys alone inside an element that says so, and nothing else of the page sees them either.
  const root = h(
    "div",
    {
      class: "mooring",
      "data-lm-suppress-shortcuts": "true",
      onkeydown: stop,
      onkeyup: stop,
      onkeypress: stop,
    },
    alarm.root,
    view.root,
  );
  el.append(root);
  model.on("change:_state", follow);
  follow();
  const leave = Heartbeat.of(model).join(channel, (alive) => {
    alarm.show(!alive);
    root.classList.toggle("m-silent", !alive);
    view.setAlive?.(alive);
  });
  return () => {
    leave();
    model.off("change:_state", follow);
    view.dispose();
    channel.close();
    root.remove();
  };
}

function stop(event: Event): void {
  event.stopPropagation();
}
