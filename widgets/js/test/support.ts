// A page without a browser, and a kernel that answers as a test says.
import { Window } from "happy-dom";
import type { Failure, Model, Session } from "../src/types";

const page = new Window({ width: 1000, height: 800 });
const lent = [
  "document",
  "HTMLElement",
  "Element",
  "Node",
  "DocumentFragment",
  "DOMParser",
  "KeyboardEvent",
  "MouseEvent",
  "Event",
  "CustomEvent",
  "MessageEvent",
  "ResizeObserver",
  "DOMException",
] as const;
const world = globalThis as unknown as Record<string, unknown>;
world["window"] = page;
for (const name of lent) world[name] = (page as unknown as Record<string, unknown>)[name] ?? world[name];
world["requestAnimationFrame"] = (paint: () => void) => setTimeout(paint, 0);
// happy-dom lays nothing out: every element has room for ten rows.
Object.defineProperty(page.HTMLElement.prototype, "clientHeight", { configurable: true, get: () => 320 });

/** Lets timers of no length, frames and promises run. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 6; i += 1) await new Promise((resolve) => setTimeout(resolve, 0));
}

export type Sent = { type: string; id: string; kind: string; payload: Record<string, unknown> };
type Handler = (payload: Record<string, unknown>) => unknown;

/** A failure as a handler throws it. */
export function failing(more: Partial<Failure> = {}): Failure {
  return { kind: "Internal", reason: "INTERNAL", message: "internal error", fields: [], ...more };
}

/** A model whose kernel answers by `handlers`; a kind that has none is never answered. */
export class FakeModel implements Model {
  readonly sent: Sent[] = [];
  readonly widget_manager = {};
  private readonly data = new Map<string, unknown>();
  private readonly listeners = new Map<string, Set<(...args: unknown[]) => void>>();

  constructor(
    data: Record<string, unknown> = {},
    readonly handlers: Record<string, Handler> = {},
  ) {
    for (const [key, value] of Object.entries(data)) this.data.set(key, value);
  }

  get(key: string): unknown {
    return this.data.get(key);
  }

  set(key: string, value: unknown): void {
    this.data.set(key, value);
    this.fire(`change:${key}`);
  }

  save_changes(): void {}

  send(content: unknown): void {
    const message = content as Sent;
    this.sent.push(message);
    const handler = message.type === "request" ? this.handlers[message.kind] : undefined;
    if (!handler) return;
    void Promise.resolve().then(async () => {
      try {
        this.answer(message.id, await handler(message.payload));
      } catch (error) {
        this.refuse(message.id, error as Failure);
      }
    });
  }

  on(event: string, callback: (...args: never[]) => void): void {
    const known = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, known.add(callback as (...args: unknown[]) => void));
  }

  off(event: string, callback: (...args: never[]) => void): void {
    this.listeners.get(event)?.delete(callback as (...args: unknown[]) => void);
  }

  fire(event: string, ...args: unknown[]): void {
    for (const listener of [...(this.listeners.get(event) ?? [])]) listener(...args);
  }

  answer(id: string, payload: unknown): void {
    this.fire("msg:custom", { type: "answer", id, ok: true, payload });
  }

  refuse(id: string, error: Failure): void {
    this.fire("msg:custom", { type: "answer", id, ok: false, error });
  }

  /** What was asked of one kind, in order. */
  asked(kind: string): Record<string, unknown>[] {
    return this.sent.filter((message) => message.kind === kind).map((message) => message.payload);
  }

  /** Shows another state, as the kernel does. */
  show(changes: object): void {
    const state = this.get("_state") as { rev: number };
    this.set("_state", { ...state, ...changes, rev: state.rev + 1 });
  }
}

export function session(index: number): Session {
  return {
    name: `engagements/e/sessions/s${index}`,
    id: `s${index}`,
    label: index === 0 ? "Baseline" : `Wave ${index}`,
    is_default: index === 0,
    asset_count: index * 10,
    dependency_count: index,
    description: "",
    type: "data_import",
    labels: {},
    creator: "ann",
    mine: false,
    last_activity: "",
    archived: false,
  };
}

/** A slice of a list of `total`, as a page. */
export function slice<T>(
  make: (index: number) => T,
  total: number,
  payload: Record<string, unknown>,
): { items: T[]; total: number } {
  const [offset, limit] = [Number(payload["offset"]), Number(payload["limit"])];
  const length = Math.max(0, Math.min(limit, total - offset));
  return { items: Array.from({ length }, (_, i) => make(offset + i)), total };
}

/** Presses a key where it would land; whether something took it. */
export function press(element: Element, key: string, more: object = {}): boolean {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  return !element.dispatchEvent(event);
}

export const into = (element: HTMLElement): HTMLElement => {
  document.body.replaceChildren(element);
  return element;
};
