// What the kernel says of a merge.
import type { PageState } from "./pager";
import type { Progress } from "./progress_line";
import type { Cell, Field } from "./table_fields";
import type { Failure, State } from "./types";

export type Step = "plan" | "preview" | "conflicts" | "confirm" | "record";
export type Side = "source" | "target";
/** Where a conflict goes; empty: nothing was said of this one. */
export type Choice = Side | "newest" | "";

export interface ByField {
  field: string;
  label: string;
  count: number;
}

/** What a merge does: of assets and of dependencies how many are new, changed and kept. */
export interface Numbers {
  assets: number[];
  dependencies: number[];
  fills: ByField[];
  conflicts: ByField[];
  to_source: number;
  fill_count: number;
  conflict_count: number;
}

interface Value {
  label: string;
  kind: Field["kind"];
  target: Cell;
  source: Cell;
}

export interface FieldInConflict extends Value {
  field: string;
  /** Where it goes as things stand. */
  side: Side;
  /** What was said of this very one. */
  chosen: Choice;
}

export interface Conflicting {
  asset: string;
  label: string;
  /** The side that was changed last. */
  newer: Side;
  fields: FieldInConflict[];
}

export interface Dropped extends Value {
  taken: Side;
}

export interface Drop {
  label: string;
  values: Dropped[];
}

export interface Record {
  name: string;
  says: string;
  user: string;
  /** ISO 8601, in UTC. */
  time: string;
  counts: Numbers;
  undone: boolean;
  undoable: boolean;
}

export interface MergeState extends State {
  step: Step;
  sides: { [side in Side]: { name: string; label: string } };
  strategies: { value: string; label: string; says: string }[];
  strategy: string;
  keep_source: boolean;
  preview: Numbers | null;
  /** What will happen, in one sentence. */
  will: string;
  refreshing: boolean;
  /** What is wrong with a question; what goes wrong with the merge itself is `error`. */
  problem: Failure | null;
  /** Who has changed what since it was looked at. */
  moved: string;
  /** The field whose conflicts are listed; empty: all. */
  only: string;
  /** Where those of a field go; the empty one is all. */
  rules: { [field: string]: Choice };
  /** How many choices there are. */
  chosen: number;
  undoable: boolean;
  rows: PageState<Conflicting> | null;
  doing: "" | "merging" | "undoing";
  failed: "" | "merging" | "undoing";
  progress: Progress | null;
  /** What became of it where there is no record. */
  told: string;
  record: Record | null;
  drops: PageState<Drop> | null;
}
