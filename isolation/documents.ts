import {
  getNamedType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql'
import { sampleOfScalar } from '../kernel/schema/scalar-samples'

export type Field = GraphQLField<unknown, unknown>

/**
 * Gives the id to use for an input's field or an argument, by its path; `holder` is the type of the field that has the
 * argument, whose ids an argument `id` takes.
 */
export type IdSource = (path: readonly string[], holder?: string) => string

/** The first day of the month that is so many after the present one. */
function monthIn(months: number): string {
  const now = new Date()
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1)).toISOString().slice(0, 10)
}

/** By the name of the input, where not every value of its type is taken. */
const namedSamples: Readonly<Record<string, unknown>> = {
  alertType: 'SAMPLE',
  resourceType: 'Customer',
  sourceIp: '192.0.2.1',
  destinationIp: '192.0.2.2',
  until: new Date(Date.now() + 86_400_000).toISOString(),
  billingCountry: 'DE',
  initialPassword: 'correct horse battery 2',
  permission: 'hr:employee:read',
  // A second factor that is asked for counts when the proof is over.
  graceDays: 90,
  countryCode: 'DE',
  region: 'BY',
  carryOverExpires: '03-31',
  // Days that have passed.
  closedThrough: new Date(Date.now() - 40 * 86_400_000).toISOString().slice(0, 10),
  receivedAt: new Date(Date.now() - 86_400_000).toISOString(),
  // A month that has passed, and the first day of one later.
  periodStart: monthIn(-2),
  periodEnd: monthIn(1),
  // Work has ended.
  clockInAt: new Date(Date.now() - 9 * 3_600_000).toISOString(),
  clockOutAt: new Date(Date.now() - 3_600_000).toISOString(),
  // A day that has not passed anywhere.
  workDate: new Date(Date.now() + 86_400_000).toISOString().slice(0, 10),
  year: 2026,
  language: 'de',
  confidence: 0.5,
  weight: '0.5',
  opensAt: '09:00',
  closesAt: '17:00',
  nightFrom: '22:00',
  nightTo: '06:00',
  dailyFactor: '1.25',
  weeklyFactor: '1.25',
  nightFactor: '1.5',
  sundayFactor: '1.75',
  holidayFactor: '2',
  firstResponseMinutes: 60,
  resolutionMinutes: 480,
  share: '100',
  // Readings of meters are of the last weeks.
  occurredAt: new Date(Date.now() - 60_000).toISOString(),
}

/** By the name of the input, where one item is not enough. */
const namedLists: Readonly<Record<string, readonly unknown[]>> = {
  steps: ['product_viewed', 'cart_filled'],
}

/** The day so many days from now. */
const dayIn = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)

/** By the name of an enum, of which not every value is taken. */
const enumSamples: Readonly<Record<string, string>> = {
  MatchDecision: 'FALSE_POSITIVE',
  // Days off are given as a kind of leave.
  Compensation: 'TIME',
  ForecastMethod: 'MEAN',
  ForecastFactorMode: 'MARGINAL',
}

/** By the name of a list of inputs: for each of its items the optional fields that it has. */
const itemFields: Readonly<Record<string, readonly (readonly string[])[]>> = {
  postings: [['debit'], ['credit']],
}

/** By scalar, where the shared sample is none for every column. */
const scalarValues: Readonly<Record<string, unknown>> = {
  // The latest day that is not in the future.
  Date: dayIn(0),
}

/** The ends of spans of time by name and scalar: wide enough that a tenant finds what is its own. */
const spanEnds: Readonly<Record<string, unknown>> = {
  'from Date': dayIn(-90),
  'to Date': dayIn(0),
  'from DateTime': `${dayIn(-360)}T00:00:00.000Z`,
  'to DateTime': `${dayIn(1)}T00:00:00.000Z`,
}

/**
 * Describes what an input takes: given values by dotted path, ids from their source, samples for the rest that is
 * required.
 */
export interface InputPlan {
  ids: IdSource
  given?: Readonly<Record<string, unknown>>
  /** Also the optional ids, so that each of them is there to be attacked. */
  optionalIds?: boolean
  /** Names of optional fields that are there all the same. */
  filled?: readonly string[]
}

/** A valid JSON value of an input type. */
export function inputValue(type: GraphQLInputType, plan: InputPlan, path: readonly string[] = []): unknown {
  const given = plan.given?.[path.join('.')]
  if (given !== undefined) return given
  if (isNonNullType(type)) return inputValue(type.ofType, plan, path)
  if (isListType(type)) {
    const name = path.at(-1) ?? ''
    const items = itemFields[name] ?? [[]]
    return namedLists[name] ?? items.map((filled) => inputValue(type.ofType, { ...plan, filled }, path))
  }
  if (isInputObjectType(type)) {
    const value: Record<string, unknown> = {}
    for (const field of Object.values(type.getFields())) {
      const at = [...path, field.name]
      const isId = getNamedType(field.type).name === 'ID'
      const isGiven = Object.keys(plan.given ?? {}).some(
        (key) => key === at.join('.') || key.startsWith(`${at.join('.')}.`),
      )
      const isWanted = (isId && plan.optionalIds) || plan.filled?.includes(field.name)
      if (isRequiredInputField(field) || isGiven || isWanted)
        value[field.name] = inputValue(field.type, plan, at)
    }
    return value
  }
  if (isEnumType(type)) return enumSamples[type.name] ?? type.getValues()[0]!.name
  if (type.name === 'ID') return plan.ids(path)
  const name = path.at(-1) ?? ''
  return (
    spanEnds[`${name} ${type.name}`] ??
    namedSamples[name] ??
    scalarValues[type.name] ??
    sampleOfScalar(type.name)
  )
}

/** A value as GraphQL text. Enum values are recognised by their type. */
export function literal(type: GraphQLInputType, value: unknown): string {
  if (isNonNullType(type)) return literal(type.ofType, value)
  if (isListType(type)) {
    const items = Array.isArray(value) ? value : [value]
    return `[${items.map((item) => literal(type.ofType, item)).join(', ')}]`
  }
  if (isInputObjectType(type) && typeof value === 'object' && value !== null) {
    const fields = type.getFields()
    return `{ ${Object.entries(value)
      .map(([name, one]) => `${name}: ${literal(fields[name]!.type, one)}`)
      .join(', ')} }`
  }
  return isEnumType(type) ? String(value) : jsonLiteral(value)
}

function jsonLiteral(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonLiteral).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{ ${Object.entries(value)
    .map(([name, one]) => `${name}: ${jsonLiteral(one)}`)
    .join(', ')} }`
}

/** The arguments a field cannot do without, and a small page where it has pages. */
export function argumentsOf(field: Field, ids: IdSource, rows = 2): string {
  const holder = getNamedType(field.type).name
  const parts = field.args.flatMap((argument) => {
    if (argument.name === 'first') return [`first: ${rows}`]
    // What is kept from before an attack would hide what it changed.
    if (argument.name === 'fresh') return ['fresh: true']
    if (!isRequiredArgument(argument)) return []
    const plan = { ids: (path: readonly string[]) => ids(path, holder) }
    return [`${argument.name}: ${literal(argument.type, inputValue(argument.type, plan, [argument.name]))}`]
  })
  return parts.length > 0 ? `(${parts.join(', ')})` : ''
}

/** For each dimension of a summary a selection of the keys of its groups; none where the field is no summary. */
export function groupedSelections(field: Field, ids: IdSource): string[] {
  const values = getNamedType(field.args.find(({ name }) => name === 'groupBy')?.type)
  const summary = getNamedType(field.type)
  const groups = isObjectType(summary) ? getNamedType(summary.getFields()['groups']?.type) : undefined
  const key = isObjectType(groups) ? groups.getFields()['key'] : undefined
  if (!isEnumType(values) || !key) return []
  return values.getValues().map(({ name }) => {
    const wanted = name.toLowerCase().replaceAll('_', '')
    const fields = Object.values((getNamedType(key.type) as GraphQLObjectType).getFields())
    const found = fields.find((one) => one.name.toLowerCase() === wanted)!
    const span = getNamedType(found.type).name === 'TimeRange' ? ', per: YEAR' : ''
    const inner = `${found.name} ${selectionOf(found.type, 1, ids)}`
    return `${field.name}(groupBy: [${name}]${span}, fresh: true) { __typename groups { __typename key { __typename ${inner} } } }`
  })
}

/** The fields of a type that have no fields themselves. */
export function leavesOf(type: GraphQLOutputType): string {
  const named = getNamedType(type)
  if (!isObjectType(named)) return '__typename'
  const leaves = Object.values(named.getFields())
    .filter((field) => !isCompositeType(getNamedType(field.type)) && !field.args.some(isRequiredArgument))
    .map(({ name }) => name)
  return ['__typename', ...leaves].join(' ')
}

/** Tells whether a type only wraps others: pages, their edges, amounts. Its depth does not count. */
export function isWrapper(name: string): boolean {
  return /(Connection|Edge)$/.test(name)
}

/**
 * Everything of a type to a depth; wrappers are opened at no cost, unless what they hold has been opened further up
 * (an industry has industries). Empty for a scalar.
 */
export function selectionOf(type: GraphQLOutputType, depth: number, ids: IdSource): string {
  return selectionsOf(type, depth, ids, Infinity)[0]!
}

/** The same in several selections, each with so many names at most: the product bounds what a document selects. */
export function selectionsOf(
  type: GraphQLOutputType,
  depth: number,
  ids: IdSource,
  most: number,
  above: readonly string[] = [],
): string[] {
  const named = getNamedType(type)
  if (!isCompositeType(named)) return ['']
  if (!isObjectType(named)) return ['{ __typename }']
  const opened = [...above, named.name]
  const inner = Object.values(named.getFields()).flatMap((field) => {
    const target = getNamedType(field.type)
    if (!isCompositeType(target)) return []
    // Edges repeat the nodes: their type is enough.
    if (field.name === 'edges' && isWrapper(named.name))
      return [`edges { ${leavesOf(field.type)} node { __typename } }`]
    const isFree = (isWrapper(named.name) || !hasOwnIdentity(target)) && !above.includes(target.name)
    const left = isFree ? depth : depth - 1
    if (left < 1) return []
    return selectionsOf(field.type, left, ids, most, opened).map(
      (selection) => `${field.name}${argumentsOf(field, ids)} ${selection}`,
    )
  })
  return packed(leavesOf(named), inner, most).map((part) => `{ ${part} }`)
}

/** Selections of so many names at most that hold all texts, each whole; the first begins with `first`. */
export function packed(first: string, texts: readonly string[], most: number): string[] {
  const parts = [first]
  for (const text of texts) {
    if (namesIn(`${parts.at(-1)!} ${text}`) > most) parts.push('__typename')
    parts[parts.length - 1] += ` ${text}`
  }
  return parts
}

const namesIn = (text: string): number => text.match(/\w+/g)?.length ?? 0

function hasOwnIdentity(type: unknown): boolean {
  return isObjectType(type) && 'id' in type.getFields()
}

/**
 * Returns what streams; null where the type of that name is an entity, which composition takes for the root all the
 * same.
 */
export function subscriptionRoot(api: GraphQLSchema): GraphQLObjectType | null {
  const type = api.getSubscriptionType() ?? null
  return hasOwnIdentity(type) ? null : type
}

/** Says how to get from Query to objects of a type. */
export type Path = readonly Field[]

/** The shortest way to each object type from Query: through lists where there are any, for single objects need an id. */
export function pathsFromQuery(api: GraphQLSchema): Map<string, Path> {
  const query = api.getQueryType()!
  const paths = new Map<string, Path>()
  for (const isOpen of [(field: Field) => !field.args.some(isRequiredArgument), () => true]) {
    let front = [...paths.keys(), query.name]
    while (front.length > 0) {
      const next: string[] = []
      for (const name of front) {
        const type = api.getType(name)
        const fields = isObjectType(type) ? Object.values(type.getFields()) : []
        for (const field of [...fields].sort((a, b) => effort(a) - effort(b))) {
          const target = getNamedType(field.type)
          if (!isObjectType(target) || paths.has(target.name) || target === query || !isOpen(field)) continue
          paths.set(target.name, [...(paths.get(name) ?? []), field])
          next.push(target.name)
        }
      }
      front = next
    }
  }
  return paths
}

const effort = (field: Field): number =>
  isWrapper(getNamedType(field.type).name) || field.name === 'nodes' ? 0 : 1

/** Rows of each list on the way to what a question is about: more of a list that is alone. */
function rowsOnTheWay(path: Path): number {
  const lists = path.filter(({ args }) => args.some(({ name }) => name === 'first'))
  return lists.length > 1 ? 10 : 30
}

/** A query that goes a path and selects something at its end. */
export function queryAlong(
  path: Path,
  selection: string,
  ids: IdSource,
  variables = '',
  rows = rowsOnTheWay(path),
): string {
  const open = path.map((field) => `${field.name}${argumentsOf(field, ids, rows)} { __typename `).join('')
  return `query Q${variables} { ${open}${selection}${' }'.repeat(path.length)} }`
}

/**
 * A query for one field with all its arguments as variables of the same names: one text for every attack on it, since
 * planning a text is what costs time.
 */
export function queryOf(path: Path, field: Field, selection: string, ids: IdSource, rows?: number): string {
  const declared = field.args.map(({ name, type }) => `$${name}: ${type.toString()}`).join(', ')
  const given = field.args.map(({ name }) => `${name}: $${name}`).join(', ')
  const call = given ? `(${given})` : ''
  return queryAlong(path, `${field.name}${call} ${selection}`, ids, declared ? `(${declared})` : '', rows)
}
