import type { Viewer } from './context'
import type { EntityClass } from './entity'

/**
 * A row rule, which the schema names in `@policy`. On a field it decides for the row that has the field; on a type it
 * decides which rows exist for the viewer, in every list and look-up.
 */
export interface Policy {
  /** Holds what of the row it looks at; every read that needs the rule fetches them. */
  columns: readonly string[]
  allow(viewer: Viewer, row: Readonly<Record<string, unknown>>): boolean
  /**
   * The same rule as equalities for SQL: a row passes when it matches any of the alternatives (a list value means one
   * of its elements). Null lets every row pass, an empty list none. Needed where the rule stands on a type.
   */
  where?(viewer: Viewer): readonly Readonly<Record<string, unknown>>[] | null
  /**
   * Scopes that a viewer must hold, all of them, to write one of the columns. Without, no mutation may: whoever writes
   * what a rule looks at decides whom it favours.
   */
  writers?: readonly string[]
  /** The columns are written when a row is made and never again: a new row shows nobody what was not its maker's to tell. */
  setOnce?: boolean
}

/**
 * A row rule by code, for fields. The row has only the columns named, so a forgotten one does not compile.
 * @param writers the scopes with which a mutation may write the columns; none may when omitted
 * @example fieldPolicy(Employee, ['userId'], (viewer, { userId }) => userId === viewer.userId)
 */
export function fieldPolicy<E, K extends keyof E & string>(
  _entity: EntityClass<E>,
  columns: readonly K[],
  allow: (viewer: Viewer, row: Readonly<Pick<E, K>>) => boolean,
  { writers }: Pick<Policy, 'writers'> = {},
): Policy {
  return { columns, writers, allow: (viewer, row) => allow(viewer, row as unknown as Pick<E, K>) }
}

/**
 * A row rule by equalities, for types and fields: what it allows in memory is derived from what it asks of SQL, so the
 * two cannot differ.
 * @example rowPolicy(Department, ['isActive'], () => [{ isActive: true }])
 */
export function rowPolicy<E, K extends keyof E & string>(
  _entity: EntityClass<E>,
  columns: readonly K[],
  where: (viewer: Viewer) => readonly { readonly [P in K]?: E[P] | readonly E[P][] }[] | null,
  options: Pick<Policy, 'writers' | 'setOnce'> = {},
): Policy {
  return {
    ...options,
    columns,
    where,
    allow: (viewer, row) => {
      const alternatives: readonly Readonly<Record<string, unknown>>[] | null = where(viewer)
      return alternatives === null || alternatives.some((alternative) => matches(row, alternative))
    },
  }
}

function matches(
  row: Readonly<Record<string, unknown>>,
  alternative: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(alternative).every(([property, value]) =>
    Array.isArray(value) ? value.includes(row[property]) : row[property] === value,
  )
}

/** The row rules of one subgraph, by the name the schema calls them. */
export type Policies = Readonly<Record<string, Policy>>
