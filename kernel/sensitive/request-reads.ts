/** Describes what was read of one type in a request. */
export interface TypeReads {
  fields: Set<string>
  ids: Set<string>
  /** Those of `ids` that are about the viewer. */
  own: Set<string>
  /** Tells whether something was added since the last entry. */
  isNew: boolean
  /** Tells whether the answer must not leave without the entry. */
  isRequired: boolean
}

/** Reads of recorded classes in one request, by type. Empty for most requests, which never touch it. */
export type RequestReads = Map<string, TypeReads>
