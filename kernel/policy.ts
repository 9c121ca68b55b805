import type { Declarations, Requirement } from './access/access'
import type { SubgraphContext, Viewer } from './context'
import type { EntityClass, EntityModel } from './entity'
import { forbidden, passwordChangeRequired, unauthenticated } from './errors'

/**
 * A row rule, which the schema names in `@policy`. On a field it decides for the row that has the field; on a type it
 * decides which rows exist for the viewer, in every list and look-up.
 */
export interface Policy {
  /** What of the row it looks at; every read that needs the rule fetches them. */
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
}

/**
 * A row rule by code, for fields. The row has only the columns named, so a forgotten one does not compile.
 * @param writers the scopes with which a mutation may write the columns; none may when omitted
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
 */
export function rowPolicy<E, K extends keyof E & string>(
  _entity: EntityClass<E>,
  columns: readonly K[],
  where: (viewer: Viewer) => readonly { readonly [P in K]?: E[P] | readonly E[P][] }[] | null,
  { writers }: Pick<Policy, 'writers'> = {},
): Policy {
  return {
    columns,
    writers,
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

/** Whether the viewer meets a requirement; policies look at the row. True, or the error to answer with. */
export function decide(
  requirement: Requirement,
  policies: Policies,
  context: SubgraphContext,
  row: Readonly<Record<string, unknown>>,
): true | Error {
  const { viewer } = context
  if (!viewer) return unauthenticated()
  if (viewer.passwordChangeRequired && !requirement.beforePasswordChange) return passwordChangeRequired()
  const holds =
    requirement.kind === 'scopes'
      ? (scope: string) => viewer.scopes.has(scope)
      : (name: string) => allows(name, policies[name]!, viewer, row)
  return requirement.anyOf.some((group) => group.every(holds)) || forbidden()
}

function allows(
  name: string,
  policy: Policy,
  viewer: Viewer,
  row: Readonly<Record<string, unknown>>,
): boolean {
  const missing = policy.columns.find((column) => !(column in row))
  if (missing) throw new Error(`policy ${name} needs ${missing}, which the row it is asked about lacks`)
  return policy.allow(viewer, row)
}

/** The row rules on a type itself. */
export function typePolicies(typeName: string, declarations: Declarations): Requirement[] {
  const requirements = declarations.types.get(typeName)?.access?.requirements ?? []
  return requirements.filter(({ kind }) => kind === 'policies')
}

/** The names of all policies in some requirements. */
export function policyNames(requirements: readonly Requirement[]): string[] {
  return requirements.filter(({ kind }) => kind === 'policies').flatMap(({ anyOf }) => anyOf.flat())
}

/** Gives a model the row rule of its type, if it has one: what its reads fetch and which rows they find. */
export function bindRowRule(model: EntityModel, declarations: Declarations, policies: Policies): void {
  const named = policyNames(typePolicies(model.name, declarations)).map((name) => policies[name]!)
  if (named.length === 0) return
  for (const column of named.flatMap(({ columns }) => columns)) model.always.add(column)
  model.rowFilter = ({ viewer }) => {
    if (!viewer) return []
    const alternatives = named.map((policy) => policy.where!(viewer))
    return alternatives.includes(null)
      ? null
      : alternatives.flatMap((some) => some!.map((one) => ({ ...one })))
  }
}

/** Tells a model who may read its rows, for those who find them without a guard on their way. */
export function bindAdmission(model: EntityModel, declarations: Declarations, policies: Policies): void {
  const requirements = declarations.types.get(model.name)?.access?.requirements ?? []
  model.admits = (context, row) =>
    requirements.every((requirement) => decide(requirement, policies, context, row) === true)
}

/** Tells a model which of its columns its row rules look at: writing them is refused unless the rule names writers. */
export function bindRuleColumns(model: EntityModel, declarations: Declarations, policies: Policies): void {
  const type = declarations.types.get(model.name)
  const fields = [...(type?.fields.values() ?? [])].flatMap(({ access }) => access?.requirements ?? [])
  for (const name of new Set(policyNames([...typePolicies(model.name, declarations), ...fields]))) {
    const policy = policies[name]!
    for (const column of policy.columns)
      model.ruled.set(column, (model.ruled.get(column) ?? new Map<string, Policy>()).set(name, policy))
  }
}

/** Lets each field whose rule looks at the row fetch what the rule looks at, whenever the field is selected. */
export function bindFieldRules(model: EntityModel, declarations: Declarations, policies: Policies): void {
  for (const { field, access } of declarations.types.get(model.name)?.fields.values() ?? []) {
    const columns = policyNames(access?.requirements ?? []).flatMap((name) => policies[name]!.columns)
    if (columns.length > 0)
      model.fields.set(field, [...new Set([...(model.fields.get(field) ?? []), ...columns])])
  }
}
