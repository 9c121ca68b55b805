import { getNamedType, isCompositeType, isObjectType, type GraphQLObjectType } from 'graphql'
import type { Kind } from './coverage'
import {
  argumentsOf,
  groupedSelections,
  inputValue,
  isWrapper,
  leavesOf,
  packed,
  queryAlong,
  queryOf,
  selectionOf,
  selectionsOf,
  type Field,
  type IdSource,
} from './documents'
import type { Lab } from './lab'
import { attacker, comparedCurrency, type AttackedTenant } from './population'
import { typeOfId, type ConnectionPlace } from './surface'

/** A question that can be asked again. */
export interface Question {
  where: string
  query: string
  variables?: Record<string, unknown>
  /** Holds what an answer to it attacks, besides the fields that it names. */
  attacks?: readonly [Kind, string]
}

/** Ids of a tenant's own, where a document cannot do without one. */
export const ownIds =
  (lab: Lab, tenant: AttackedTenant = attacker): IdSource =>
  (path, holder) => {
    const name = path.at(-1) ?? ''
    const type = typeOfId(name, lab.models) ?? holder
    if (!type) throw new Error(`Nobody knows whose ids ${path.join('.')} takes: name it after its entity`)
    return lab.rows.id(tenant, type)
  }

/** Names that a document has at most. */
const mostNames = 1_500

/** Every field of every type that a query can reach, along the shortest way to it, asked with a tenant's own ids. */
export function fieldQuestions(lab: Lab, tenant: AttackedTenant = attacker): Question[] {
  const ids = ownIds(lab, tenant)
  const ofTypes = lab.surface.objects.flatMap((type) => {
    const path = lab.surface.paths.get(type.name)
    if (!path || isWrapper(type.name)) return []
    const inner = Object.values(type.getFields())
      .filter((field) => isCompositeType(getNamedType(field.type)))
      .map((field) => `${field.name}${argumentsOf(field, ids)} ${selectionOf(field.type, 1, ids)}`)
    return packed(leavesOf(type), inner, mostNames).map((selection) => ({
      where: type.name,
      query: queryAlong(path, selection, ids),
    }))
  })
  const roots = Object.values(lab.api.getQueryType()!.getFields())
  const ofRoots = roots.flatMap((field) => {
    const whole = selectionsOf(field.type, 2, ids, mostNames).map(
      (selection) => `${field.name}${argumentsOf(field, ids)} ${selection}`,
    )
    const where = `Query.${field.name}`
    return [...whole, ...groupedSelections(field, ids)].map((text) => ({
      where,
      query: queryAlong([], text, ids),
    }))
  })
  return [...ofTypes, ...ofRoots]
}

/** The one document for all questions to a connection. */
export function listDocument(
  lab: Lab,
  { name, parent, field, node }: ConnectionPlace,
  tenant: AttackedTenant = attacker,
): string {
  const type = lab.api.getType(node)
  const leaves = isObjectType(type)
    ? [leavesOf(type), ...amountsOf(type, ownIds(lab, tenant))].join(' ')
    : '__typename'
  const selection = `{ __typename nodes { ${leaves} } edges { cursor node { __typename } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } ${hasCount(field) ? 'totalCount' : ''} }`
  // Few rows of reference data have others below them.
  const [holder] = name.split('.')
  const rows = lab.models.get(holder!)?.tenantOwned === false && holder !== 'Tenant' ? 100 : undefined
  return queryOf(parent, field, selection, ownIds(lab, tenant), rows)
}

/** The amounts of a type, with their currencies. */
function amountsOf(type: GraphQLObjectType, ids: IdSource): string[] {
  return Object.values(type.getFields())
    .filter((field) => getNamedType(field.type).name === 'Money')
    .map((field) => `${field.name}${argumentsOf(field, ids)} { amount currency }`)
}

function hasCount(field: Field): boolean {
  const type = getNamedType(field.type)
  return isObjectType(type) && 'totalCount' in type.getFields()
}

export function orderOf(order: string): Record<string, unknown> {
  const [field, direction] = order.split(' ')
  return field ? { orderBy: { field, direction } } : {}
}

/** The filter argument with one value at a path. */
export function filterOf(lab: Lab, connection: ConnectionPlace, path: string, value: unknown): unknown {
  const type = connection.field.args.find((argument) => argument.name === 'filter')!.type
  const beside = `${path.replace(/[^.]*$/, '')}currency`
  const given = isAmount(connection, path) ? { [beside]: comparedCurrency, [path]: value } : { [path]: value }
  return inputValue(type, { ids: ownIds(lab), given })
}

/**
 * Tells whether a path in a filter is about an amount of money, which is compared in the currency that stands beside
 * it.
 */
export function isAmount({ filters }: ConnectionPlace, path: string): boolean {
  const beside = `${path.replace(/[^.]*$/, '')}currency`
  return filters.some((one) => one.path.join('.') === beside) && !/\.(currency|isNull)$/.test(path)
}

/** Returns what stands at a path in an answer, lists opened on the way; without nulls. */
export function valuesAt(data: unknown, path: readonly string[]): unknown[] {
  let values: unknown[] = [data]
  for (const name of path)
    values = values.flatMap((value) => (value as Record<string, unknown> | null)?.[name] ?? [])
  return values
}
