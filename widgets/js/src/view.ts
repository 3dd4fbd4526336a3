// What every widget's front end has in common: state that only moves forward, and the heartbeat's banner.
import { Channel } from "./channel";
import { h, text } from "./dom";
import { Epochs } from "./epochs";
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

/** What every state has. `workspace` is empty where it follows no switch. */
export interface Shown {
  rev: number;
  epoch: number;
  workspace?: string;
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
export function mount<S extends Shown>(
  make: (context: Context) => View<S>,
  model: Model,
  host: Host | undefined,
  el: HTMLElement,
): () => void {
  const channel = new Channel(model);
  const view = make({ model, channel, host });
  const alarm = banner();
  const passes = gate<S>();
  const fault = h("div", { class: "m-banner", role: "alert", hidden: true });
  const follow = (): void => {
    const state = model.get("_state") as S | undefined;
    if (!passes(state)) return;
    place?.reach(state.epoch);
    try {
      view.setState(state);
      fault.hidden = true;
    } catch (error) {
      // Half a picture would be a wrong one.
      text(fault, `This widget could not be drawn: ${String(error)}. Run its cell again.`);
      fault.hidden = false;
      console.error(error);
    }
    view.root.hidden = !fault.hidden;
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
    fault,
    view.root,
  );
  el.append(root);
  const workspace = (model.get("_state") as S | undefined)?.workspace;
  const place = workspace
    ? Epochs.of(workspace).join((behind) => root.classList.toggle("m-behind", behind))
    : undefined;
  model.on("change:_state", follow);
  follow();
  const heartbeat = Heartbeat.of(model);
  const leave = heartbeat.join(channel, (silence) => {
    alarm.show(silence);
    root.classList.toggle("m-silent", silence !== null);
    view.setAlive?.(silence === null);
  });
  const look = (): void => heartbeat.look();
  model.on("comm_live_update", look);
  return () => {
    leave();
    place?.leave();
    model.off("comm_live_update", look);
    model.off("change:_state", follow);
    view.dispose();
    channel.close();
    root.remove();
  };
}

function stop(event: Event): void {
  event.stopPropagation();
}
