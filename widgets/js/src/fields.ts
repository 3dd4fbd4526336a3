// The fields of a session as a person changes them: what there was, what was typed, what somebody else wrote.

export interface Values {
  display_name: string;
  description: string;
  type: string;
}

export type Field = keyof Values;
export const FIELDS: readonly Field[] = ["display_name", "description", "type"];
export const LABELS: Record<Field, string> = { display_name: "Name", description: "Description", type: "Type" };

/** The fields of `to` that are not as in `from`. */
export function differences(from: Values, to: Values): Partial<Values> {
  return Object.fromEntries(FIELDS.filter((f) => from[f] !== to[f]).map((f) => [f, to[f]]));
}

export interface Clash {
  field: Field;
  mine: string;
  theirs: string;
}

/** Both changed these, and not to the same. */
export function clashes(base: Values, mine: Values, theirs: Values): Clash[] {
  return FIELDS.filter((f) => mine[f] !== base[f] && theirs[f] !== base[f] && mine[f] !== theirs[f]).map((field) => ({
    field,
    mine: mine[field],
    theirs: theirs[field],
  }));
}

/** What either changed; mine where both did. */
export function merged(base: Values, mine: Values, theirs: Values): Values {
  return { ...theirs, ...differences(base, mine) };
}
