// Requests to the kernel and their answers, over custom messages.
import type { Failure, Model } from "./types";

type Incoming =
  | { type: "answer"; id: string; ok: true; payload: unknown }
  | { type: "answer"; id: string; ok: false; error: Failure };

interface Waiting {
  resolve(payload: unknown): void;
  reject(error: unknown): void;
}

/** A request that the kernel answered with a failure. */
export class Refused extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

/** One view's side of the protocol. Views of one model hear each other's answers; ids tell them apart. */
export class Channel {
  private readonly prefix = Math.random().toString(36).slice(2, 10);
  private readonly waiting = new Map<string, Waiting>();
  private asked = 0;
  /** The host refuses to send: the kernel of this widget is over. */
  broken = false;
  private readonly hear = (message: Incoming): void => {
    if (message?.type !== "answer") return;
    const asker = this.waiting.get(message.id);
    if (!asker) return;
    this.waiting.delete(message.id);
    if (message.ok) asker.resolve(message.payload);
    else asker.reject(message.error.reason === "SUPERSEDED" ? aborted() : new Refused(message.error));
  };

  constructor(private readonly model: Model) {
    model.on("msg:custom", this.hear);
  }

  /**
   * Asks the kernel. Rejects with `Refused` when it answers with a failure, and with an `AbortError` when the
   * answer would be of an earlier switch, or once `signal` aborts, which also cancels the work in the kernel.
   * Without a kernel it waits: the heartbeat tells.
   */
  request<T>(kind: string, payload: object = {}, signal?: AbortSignal): Promise<T> {
    this.asked += 1;
    const id = `${this.prefix}-${this.asked}`;
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted) return reject(aborted());
      this.waiting.set(id, { resolve: resolve as (payload: unknown) => void, reject });
      signal?.addEventListener("abort", () => {
        if (!this.waiting.delete(id)) return;
        this.send({ type: "cancel", id });
        reject(aborted());
      });
      this.send({ type: "request", id, kind, payload });
    });
  }

  /** Stops hearing; whoever still waits is told so. */
  close(): void {
    this.model.off("msg:custom", this.hear);
    for (const { reject } of this.waiting.values()) reject(aborted());
    this.waiting.clear();
  }

  private send(message: object): void {
    try {
      this.model.send(message);
    } catch {
      // After a kernel restart `send` throws for good. The heartbeat sees it and says what to do, so a click need
      // not fail a second way.
      this.broken = true;
    }
  }
}

function aborted(): DOMException {
  return new DOMException("The request was given up", "AbortError");
}

/** Whether an error only says that a request was given up. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** Any error as a failure that can be shown. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Refused) return error.failure;
  const message = error instanceof Error ? error.message : String(error);
  return { kind: "Error", reason: "", message, fields: [] };
}
