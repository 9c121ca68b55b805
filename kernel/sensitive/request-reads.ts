/** Describes what was read of one type in a request. */
export interface TypeReads {
  /** The type. */
  type: string
  fields: Set<string>
  ids: Set<string>
  /** Those of `ids` that are about the viewer. */
  own: Set<string>
  /** Of summaries: what was read are amounts of groups, and no single row. */
  summary: SummaryReads | null
  /** Tells whether something was added since the last entry. */
  isNew: boolean
  /** Tells whether the answer must not leave without the entry. */
  isRequired: boolean
}

/** Describes which groups of summaries were read. */
export interface SummaryReads {
  /** Each once. */
  groups: Set<object>
  /** Names what they have in common, such as `department`. */
  by: Set<string>
  /** Counts the rows of the largest group, which the total is. */
  rows: number
}

/** Reads of recorded classes in one request, by type and kind. Empty for most requests, which never touch it. */
export type RequestReads = Map<string, TypeReads>
