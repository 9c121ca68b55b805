import type { DataClass } from '../retention/classes'
import type { Marking } from '../schema/derived-forms'

/** Groups of data that are kept and erased alike, for the planner of retention and erasure. */
export type RetentionClass = 'ACCOUNT' | 'CUSTOMER' | 'EMPLOYMENT' | 'TICKET' | 'COMPLIANCE' | 'AUDIT'

/** For how long each is kept in spite of erasure, as a class of retention; null where a person's wish is enough. */
export const keptAs: Readonly<Record<RetentionClass, DataClass | null>> = {
  ACCOUNT: null,
  CUSTOMER: null,
  TICKET: null,
  EMPLOYMENT: 'USER_DATA',
  COMPLIANCE: 'COMPLIANCE',
  AUDIT: 'AUDIT',
}

/** Describes what one class of `@sensitive` demands. Every part is stated for every class. */
export interface SensitiveClass {
  /** Names the access rule that guards the value: one of the field itself, or one of its type at least. */
  access: 'field' | 'type'
  /** Tells whether the value is encrypted in the database. */
  encrypted: boolean
  /**
   * Says what a read leaves in the audit trail: nothing, an entry, or an entry without which the answer is refused. The
   * entry names the rows and fields, never values.
   */
  reads: 'unrecorded' | 'recorded' | 'required'
  /** The marks that a field of the class may carry. A filter of an encrypted value compares whole values only. */
  marks: readonly Marking[]
  /** By what the value is kept or erased. What is kept otherwise is of another class. */
  retention: RetentionClass
}

/**
 * Holds all classes of sensitive data. What is of a class is never shown in the audit trail or in a log, whatever the
 * class: the trail tells with a keyed digest that a value changed.
 */
export const sensitiveClasses = {
  // By which colleagues know each other; too common for an entry per read.
  NAME: {
    access: 'type',
    encrypted: false,
    reads: 'unrecorded',
    marks: ['filter', 'order', 'search'],
    retention: 'ACCOUNT',
  },
  // About people outside, and where people come from: network addresses among it.
  PERSONAL: {
    access: 'type',
    encrypted: false,
    reads: 'recorded',
    marks: ['filter', 'order', 'search'],
    retention: 'CUSTOMER',
  },
  // What customers wrote to the tenant's support: two years after the end, or until the customer is erased.
  TICKET: {
    access: 'type',
    encrypted: false,
    reads: 'recorded',
    marks: ['filter', 'order', 'search'],
    retention: 'TICKET',
  },
  CONTACT: {
    access: 'field',
    encrypted: true,
    reads: 'recorded',
    marks: ['filter'],
    retention: 'ACCOUNT',
  },
  // Summed in the database, so not encrypted.
  PAY: {
    access: 'field',
    encrypted: false,
    reads: 'required',
    marks: ['measure'],
    retention: 'EMPLOYMENT',
  },
  ASSESSMENT: {
    access: 'field',
    encrypted: false,
    reads: 'required',
    marks: ['measure'],
    retention: 'EMPLOYMENT',
  },
  HEALTH: {
    access: 'field',
    encrypted: true,
    reads: 'required',
    marks: [],
    retention: 'EMPLOYMENT',
  },
  IDENTITY_DOCUMENT: {
    access: 'field',
    encrypted: true,
    reads: 'required',
    marks: [],
    retention: 'COMPLIANCE',
  },
  // What the trail itself tells; reading it is noted like any other read.
  TRAIL: {
    access: 'field',
    encrypted: false,
    reads: 'recorded',
    marks: [],
    retention: 'AUDIT',
  },
  // Never a field of the graph: columns that the product alone reads.
  SECRET: {
    access: 'field',
    encrypted: true,
    reads: 'required',
    marks: [],
    retention: 'ACCOUNT',
  },
} as const satisfies Readonly<Record<string, SensitiveClass>>

export type SensitiveClassName = keyof typeof sensitiveClasses

/** The class of a name; undefined when there is none. */
export function sensitiveClass(name: string): SensitiveClass | undefined {
  return Object.hasOwn(sensitiveClasses, name) ? sensitiveClasses[name as SensitiveClassName] : undefined
}
