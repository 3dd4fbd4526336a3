// Fields of assets and dependencies, and how their values are written.
import { bytes, decimal } from "./dom";

export type Cell = string | number | null;

export interface Field {
  key: string;
  label: string;
  group: string;
  /** `plain` is a number that nobody adds up, such as a port. */
  kind: "text" | "number" | "bytes" | "plain" | "time";
  /** As a column, in pixels, at least; columns share what is left in this proportion. */
  width: number;
  /** How filters compare it; empty: not at all. */
  filter: "" | "words" | "text" | "enum" | "number" | "time" | "flag";
  /** The service's order by it; empty where there is none. */
  order: string;
  /** Which of a row's assets it is about. */
  end: number;
}

const ATTRIBUTE = "attributes.";

export const attributeKey = (key: string): string => `${ATTRIBUTE}${key}`;

/** The attribute that a column shows; empty for a field. */
export function attributeOf(key: string): string {
  return key.startsWith(ATTRIBUTE) ? key.slice(ATTRIBUTE.length) : "";
}

const moment = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

const WRITE: Record<Field["kind"], (value: string | number) => string> = {
  text: String,
  number: (value) => (typeof value === "number" ? decimal(value) : String(value)),
  bytes: (value) => (typeof value === "number" ? bytes(value) : String(value)),
  plain: String,
  time: (value) => moment.format(new Date(value)),
};

/** A value for people; empty where it is not known. */
export function written(kind: Field["kind"], value: Cell): string {
  return value === null || value === "" ? "" : WRITE[kind](value);
}

/** Rows of values as a spreadsheet takes them: numbers bare, and what would break a line or a cell in quotes. */
export function tsv(rows: readonly (readonly Cell[])[]): string {
  const cell = (value: Cell): string => {
    const plain = value === null ? "" : String(value);
    return /[\t\n\r"]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
  };
  return rows.map((row) => row.map(cell).join("\t")).join("\n");
}
