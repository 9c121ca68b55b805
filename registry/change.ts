import { createHash } from 'node:crypto'
import type { ChangeCode } from './rules'
import type { Position } from './usage/forms'

/**
 * Describes what a change does to those who use the API today.
 * - `breaking`: operations that worked fail, or answer with less
 * - `dangerous`: operations stay valid and may behave differently
 * - `safe`: nobody notices
 */
export type Severity = 'breaking' | 'dangerous' | 'safe'

/** One difference between two schemas. */
export interface Change {
  code: ChangeCode
  severity: Severity
  /** The schema coordinate it is about: `User`, `User.email`, `Query.users(first:)`, `Plan.TRIAL`, `@defer`. */
  coordinate: string
  /** Holds what happened, in a sentence. */
  message: string
  /** Holds what was there before and what is there now, as text; part of the change's identity. */
  from?: string
  to?: string
  /**
   * The operations of the old schema that it affects: those that any of these finds. Empty: usage cannot tell, the
   * severity stands whatever operations are known.
   */
  affects: readonly Affected[]
}

/**
 * Operations by what they do:
 * - a mark of usage/vocabulary.ts
 * - `all` of several marks
 * - `omits`: leave an argument or input field out, or may
 * - `sends`: send it in a form that was taken there and is refused now, or may be; `alike` when the new named type
 *   takes whatever the old one took
 */
export type Affected =
  | string
  | { all: readonly string[] }
  | { omits: string }
  | { sends: string; was: Position; is: Position; alike: boolean }

/** Identifies a change by its content: the same change has the same hash, a different one never has. */
export function changeHash({ code, coordinate, from = '', to = '' }: Change): string {
  return createHash('sha256')
    .update(JSON.stringify([code, coordinate, from, to]))
    .digest('hex')
    .slice(0, 16)
}

const order: Record<Severity, number> = { breaking: 0, dangerous: 1, safe: 2 }

/** Worst first, then by coordinate: the same list whatever order the schemas are written in. */
export function sorted<T extends Change>(changes: readonly T[]): T[] {
  const text = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
  return [...changes].sort(
    (a, b) =>
      order[a.severity] - order[b.severity] || text(a.coordinate, b.coordinate) || text(a.code, b.code),
  )
}
