import {
  getNamedType,
  isCompositeType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
} from 'graphql'
import { uuidv7 } from '../kernel/id'
import { fieldQuestions, filterOf, isAmount, listDocument, orderOf, ownIds, valuesAt } from './questions'
import { argumentsOf, inputValue, queryAlong, selectionOf, type IdSource } from './documents'
import type { Answer } from './askers'
import type { Lab } from './lab'
import { comparedCurrency, type AttackedTenant } from './population'
import type { Row } from './rows'
import type { ConnectionPlace, FilterPlace } from './surface'

/** Describes what an attack on a list aims with: values by which the tenant itself finds rows in it. */
export interface Target {
  /** Arguments that the list cannot do without. */
  required: Record<string, unknown>
  /** Dotted path in the filter → value; without those by which the tenant finds nothing. */
  filterValues: ReadonlyMap<string, unknown>
}

const targets = new WeakMap<Lab, Map<string, Promise<Target>>>()

/** Returns what to aim with at a tenant's rows in a list. The tenant's own administrator is asked, the first time. */
export function targetOf(lab: Lab, tenant: AttackedTenant, connection: ConnectionPlace): Promise<Target> {
  let known = targets.get(lab)
  if (!known) targets.set(lab, (known = new Map()))
  const key = `${tenant.id} ${connection.name}`
  let target = known.get(key)
  if (!target) known.set(key, (target = findTarget(lab, tenant, connection)))
  return target
}

/**
 * Lets a tenant's administrator ask for everything, and notes what they are shown: an attack counts only where its
 * victim gets an answer. Nothing else may have changed the tenant's rows before.
 */
export async function showOwn(lab: Lab, tenant: AttackedTenant): Promise<void> {
  const asker = await lab.as(tenant)
  for (const { where, query } of [
    ...fieldQuestions(lab, tenant),
    ...wideQuestions(lab),
    ...rowQuestions(lab, tenant),
  ]) {
    const { data, errors = [] } = await lab.ask(asker, where, query)
    noteFields(lab, data)
    // Of what is not answered to its owner nobody learns whether it is safe.
    for (const { message, extensions } of errors)
      if (!refusals.has(String(extensions?.['code']))) lab.found('own', where, `is not answered: ${message}`)
  }
  const waiting = [...lab.surface.connections]
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await targetOf(lab, tenant, next)
  }
  await Promise.all([worker(), worker(), worker()])
}

/** Rows of a tenant's that a question about one row is asked with. */
const mostAsked = 10

/** Asks the fields that take an id with several rows: of one there may be nothing to show. */
function rowQuestions(lab: Lab, tenant: AttackedTenant): { where: string; query: string }[] {
  const own = ownIds(lab, tenant)
  return lab.surface.idArguments.flatMap(({ name, parent, field, argument, type }) =>
    lab.rows
      .samples(tenant, type)
      .slice(1, mostAsked)
      .map(({ id }) => {
        const ids: IdSource = (path, holder) => (path.at(-1) === argument ? String(id) : own(path, holder))
        const text = `${field.name}${argumentsOf(field, ids)} ${selectionOf(field.type, 1, own)}`
        return { where: name, query: queryAlong(parent, text, own) }
      }),
  )
}

/** Codes by which an administrator is refused for good reason: rows are made from the catalogue, not by the rules. */
const refusals: ReadonlySet<string> = new Set(['FORBIDDEN', 'NOT_FOUND'])

/** Returns what many rows refer to: of the first few a reference may be empty. */
function wideQuestions(lab: Lab): { where: string; query: string }[] {
  return lab.surface.connections.flatMap(({ name, parent, field, node }) => {
    const type = lab.api.getType(node)
    if (parent.length > 0 || field.args.some(isRequiredArgument) || !isObjectType(type)) return []
    const references = Object.values(type.getFields()).filter(
      (one) => isCompositeType(getNamedType(one.type)) && one.args.length === 0,
    )
    const selection = references.map((one) => `${one.name} { __typename }`).join(' ')
    return [{ where: name, query: `{ ${field.name}(first: 100) { nodes { __typename ${selection} } } }` }]
  })
}

/** Notes the fields of entities and the like that have a value somewhere in an answer. */
function noteFields(lab: Lab, value: unknown): void {
  if (Array.isArray(value)) for (const inner of value) noteFields(lab, inner)
  else if (typeof value === 'object' && value !== null) {
    const { __typename: type, ...fields } = value as Record<string, unknown>
    for (const [name, inner] of Object.entries(fields)) {
      if (inner === null || (Array.isArray(inner) && inner.length === 0)) continue
      if (typeof type === 'string') lab.coverage.shown('field', `${type}.${name}`)
      noteFields(lab, inner)
    }
  }
}

async function findTarget(lab: Lab, tenant: AttackedTenant, connection: ConnectionPlace): Promise<Target> {
  const { name, parent, field, node, filters, orders } = connection
  const asker = await lab.as(tenant)
  const query = listDocument(lab, connection, tenant)
  const path = [...parent.map((one) => one.name), field.name]
  const ask = async (variables: Record<string, unknown>, first = 1) => {
    const answer = await lab.ask(asker, `${name}, own`, query, { first, ...variables })
    noteFields(lab, answer.data)
    return { answer, nodes: valuesAt(answer.data, [...path, 'nodes']) as Row[] }
  }
  const { required, nodes } = await findRequired(lab, tenant, connection, ask)
  if (nodes.length > 0) lab.coverage.shown('connection', name)
  for (const order of orders.length > 0 ? orders : ['']) {
    const { answer, nodes: ordered } = await ask({ ...required, ...orderOf(order) })
    if (order && ordered.length > 0) lab.coverage.shown('order', `${name} ${order}`)
    if (hasCursor(answer)) lab.coverage.shown('cursor', name)
  }
  const stored = new Map(lab.rows.samples(tenant, node).map((row) => [row['id'], row]))
  const rows = [
    ...nodes.map((one) => ({ ...one, ...stored.get(one['id']) })),
    ...(parent.length === 0 ? stored.values() : []),
  ]
  const filterValues = new Map<string, unknown>()
  for (const filter of filters) {
    const at = filter.path.join('.')
    const held = isAmount(connection, at) ? rows.flatMap(amountIn(filter.path[0]!)) : rows
    for (const value of valuesFor(lab, tenant, node, filter, held)) {
      const found = await ask({ ...required, filter: filterOf(lab, connection, at, value) })
      if (found.nodes.length === 0) continue
      filterValues.set(at, value)
      lab.coverage.shown('filter', `${name} ${at}`)
      break
    }
  }
  return { required, filterValues }
}

/** The amounts of rows in the currency that is compared in, as the graph writes them: shown, or stored in minor units. */
const amountIn =
  (property: string) =>
  (row: Row): Row[] => {
    const value = row[property] as { amount: string; currency: string } | number | null
    if (value === null || value === undefined) return []
    const isAnswer = typeof value === 'object'
    const currency = isAnswer ? value.currency : (row['currency'] ?? row[`${property}Currency`])
    if (currency !== comparedCurrency) return []
    return [{ [property]: isAnswer ? value.amount : (Number(value) / 100).toFixed(2) }]
  }

const hasCursor = (answer: Answer): boolean => /"cursor":"[^"]+"/.test(JSON.stringify(answer))

type Ask = (variables: Record<string, unknown>, first: number) => Promise<{ nodes: Row[] }>

/** Values for what a list cannot do without, such as words to search for, by which it has rows. */
async function findRequired(
  lab: Lab,
  tenant: AttackedTenant,
  { field, node }: ConnectionPlace,
  ask: Ask,
): Promise<{ required: Record<string, unknown>; nodes: Row[] }> {
  const needed = field.args.filter(isRequiredArgument)
  const ids = ownIds(lab, tenant)
  const words = needed.length > 0 ? lab.rows.samples(tenant, node).flatMap(wordsOf) : []
  let required: Record<string, unknown> = {}
  for (const word of ['', ...new Set(words)].slice(0, 20)) {
    required = Object.fromEntries(
      needed.map(({ name, type }) => {
        const isWord = getNamedType(type).name === 'String' && word
        return [name, isWord ? word : inputValue(type, { ids: (path) => ids(path, node) }, [name])]
      }),
    )
    const { nodes } = await ask(required, 10)
    if (nodes.length > 0) return { required, nodes }
  }
  return { required, nodes: [] }
}

/** Texts of a row that somebody wrote: no ids, instants and codes. */
const textsOf = (row: Row): string[] =>
  Object.entries(row).flatMap(([name, value]) =>
    typeof value === 'string' && value.length > 5 && !/Id$|^id$|At$/.test(name) ? [value] : [],
  )
const wordsOf = (row: Row): string[] => textsOf(row).flatMap((text) => text.match(/\p{L}{6,}/gu) ?? [])

/** Tried for every filter at most. */
const mostTries = 16

/** Returns what a filter might be given, in its type: what rows hold there, and what lies beside it. */
function valuesFor(
  lab: Lab,
  tenant: AttackedTenant,
  node: string,
  filter: FilterPlace,
  rows: readonly Row[],
): unknown[] {
  const named = getNamedType(filter.type)
  const property = filter.path[0]!
  const held = rows.flatMap((row) => (row[property] ?? []) as unknown[] | unknown)
  const values = isEnumType(named)
    ? [...held.filter((value) => named.getValue(String(value))), ...named.getValues().map(({ name }) => name)]
    : (scalarValues[named.name]?.(held) ?? [])
  if (named.name === 'ID')
    values.push(...ofType(held, 'string'), ...parentIds(lab, tenant, node, property), uuidv7())
  if (property === 'search') values.unshift(...rows.flatMap(textsOf), ...rows.flatMap(wordsOf))
  const ids = () => uuidv7()
  const tried = [...new Set(values), ...(values.length === 0 ? [inputValue(filter.type, { ids })] : [])]
  const inner = isNonNullType(filter.type) ? filter.type.ofType : filter.type
  return tried.slice(0, mostTries).map((value) => (isListType(inner) ? [value].flat() : value))
}

function parentIds(lab: Lab, tenant: AttackedTenant, node: string, property: string): string[] {
  const parent = lab.rows.parentOf(node, property)
  return parent ? lab.rows.samples(tenant, parent).map(({ id }) => String(id)) : []
}

const ofType = (values: readonly unknown[], type: 'string' | 'number' | 'boolean'): unknown[] =>
  values.filter((value) => typeof value === type)

/** Of a range one end has rows on the one side, the other on the other. */
const scalarValues: Readonly<Record<string, (held: readonly unknown[]) => unknown[]>> = {
  Boolean: (held) => [...ofType(held, 'boolean'), true, false],
  Int: (held) => [...ofType(held, 'number'), 0, 1_000_000],
  Float: (held) => [...ofType(held, 'number'), 0, 1_000_000],
  Date: (held) => [...ofType(held, 'string'), '1900-01-01', '2999-12-31'],
  DateTime: (held) => [...ofType(held, 'string'), '1990-01-01T00:00:00.000Z', '2199-12-31T00:00:00.000Z'],
  Decimal: (held) => [...held.map(String), '0', '1000000'],
  String: (held) => [...ofType(held, 'string'), 'none of these'],
  EmailAddress: (held) => ofType(held, 'string'),
  CurrencyCode: (held) => [...ofType(held, 'string'), 'EUR', 'USD'],
}
