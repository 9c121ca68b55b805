import type { DataClass } from '../retention/classes'

/** Types of the people whose data can be asked for. */
export const subjectTypes = ['User', 'Customer', 'Employee'] as const
export type SubjectType = (typeof subjectTypes)[number]

/** Says why rows stay although their person is to be erased, and for how long. SQL is over alias `t`, the tenant as `$1`. */
export interface KeptRows {
  /** The time: as the tenant's rules have it, else by default; null when they stay until the time begins, and no longer. */
  dataClass: DataClass | null
  /** The instant or day at which the time begins; null while it has not: until then they stay without an end. */
  startsAt: string
  /** The reason in the receipt: the duty, with its source. */
  reason: string
  /** Tells that rows whose time is over are removed by retention, and never emptied. */
  isRemoved?: true
}

/** Says of the rows of a type what does not follow from its fields. SQL is over alias `t`, the tenant as `$1`, the person as `$2`. */
export interface PersonalRows {
  /** Rows that are about a person too, besides those that name one in a field called like the person's type. */
  about?: Partial<Record<SubjectType, string>>
  /** Rows that are given to the person; others tell of other people, or are secret by law. */
  given?: string
  /** Fields that tell of other people, or how the business decides. */
  withheld?: readonly string[]
  /** False where the person did not provide it, or it is kept by a duty: it is not taken along (article 20(1) GDPR). */
  isPorted?: false
  kept?: KeptRows
  /** Fields that stay for good, because they name nobody once the account that the row refers to is emptied: sums of books. */
  anonymous?: readonly string[]
  /** Properties that no field shows as they are, and that are emptied as well. */
  hidden?: readonly string[]
  /** Condition besides empty fields, that nothing is left to empty. */
  isEmpty?: string
  /** Statements before the fields of rows are emptied: `$2` are their ids, `$3` the instant. */
  before?: readonly string[]
  /** The statement that empties them where the role may not: in place of an update; `$2` and `$3` as before. */
  empty?: string
}

export type PersonalDeclarations = Readonly<Record<string, PersonalRows>>
