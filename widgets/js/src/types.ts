// What the kernel sends and what the host page lends us.

/** The part of anywidget's model that is used here. */
export interface Model {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown): void;
  on(event: string, callback: (...args: never[]) => void): void;
  off(event: string, callback: (...args: never[]) => void): void;
  widget_manager?: WidgetManager;
}

/** Jupyter's widget manager; marimo has none. */
export interface WidgetManager {
  get_model?(id: string): Promise<unknown>;
  create_view?(model: unknown, options?: object): Promise<{ el: HTMLElement; remove?: () => void }>;
  /** null: the notebook has none. */
  kernel?: HostKernel | null;
}

/** What Jupyter knows of a kernel. */
export interface HostKernel {
  status?: string;
  connectionStatus?: string;
}

/** anywidget's host: lends other widgets of the page. */
export interface Host {
  getWidget(ref: string): Promise<{ render(args: { el: HTMLElement; signal?: AbortSignal }): Promise<void> }>;
}

/** A failure as the kernel words it. */
export interface Failure {
  kind: string;
  reason: string;
  message: string;
  /** What a person can do about it; the front end has a word of its own where the kernel has none. */
  hint?: string;
  fields: { field: string; message: string }[];
}

export interface Engagement {
  name: string;
  label: string;
  session_count: number;
  description: string;
  default_session: string;
}

export interface Session {
  name: string;
  id: string;
  label: string;
  is_default: boolean;
  asset_count: number;
  dependency_count: number;
  description: string;
  type: string;
  labels: Record<string, string>;
  creator: string;
  /** Made by who looks at it. */
  mine: boolean;
  /** RFC 3339; empty where not known. */
  last_activity: string;
  archived: boolean;
}

export interface PageOf<T> {
  items: T[];
  total: number;
  /** The total was only counted so far: there may be more. */
  at_least?: boolean;
}

export type Status = "loading" | "ready" | "empty" | "error" | "pending" | "gone" | "disconnected";

/** What every widget's `_state` carries: `rev` and `epoch` only rise; an older one is never painted. */
export interface State {
  rev: number;
  epoch: number;
  session: string;
  status: Status;
  error: Failure | null;
}

export interface SelectorState extends Omit<State, "session"> {
  connection: "live" | "connecting" | "disconnected";
  engagement: Engagement | null;
  session: Session | null;
  /** Sessions that are being compared. */
  compared: { name: string; label: string }[];
  /** Rises whenever a list may have changed. */
  lists: number;
  /** The same of what stands above the list. */
  shortcuts: number;
}

/** A dependent view: the session it shows, and whether a fresher answer is on its way. */
export interface ViewState extends State {
  title: string;
  session_label: string;
  refreshing: boolean;
  /** How old it is where nothing keeps it true, in seconds since the epoch; null while changes arrive. */
  as_of?: number | null;
}
