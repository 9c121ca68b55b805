import type { DataKey } from '../encryption/cipher'
import { indexOf } from '../encryption/encrypted-columns'
import type { ColumnModel, EncryptedColumn, EntityModel, MoneyModel } from '../schema/entity-model'
import { badUserInput, UserErrors } from '../errors'
import { mostItems } from '../schema/list-bound'
import { parseMoney } from '../money'
import type { Parameters } from '../statement'
import { foldedPattern, likeFolded } from './folded'
import { requireIds } from './scope'

/** A filter as it arrives from the graph: fields with their conditions, `search`, `and`, `or` and `not`. */
export type Filter = Readonly<Record<string, unknown>>

/** Says how deep `and`, `or` and `not` stand in one another at most. */
export const deepestFilter = 5
/** Says how many conditions one filter has at most. */
export const mostConditions = 50

const comparisons: Readonly<Record<string, string>> = { eq: '=', gt: '>', gte: '>=', lt: '<', lte: '<=' }
const listOperators: ReadonlySet<string> = new Set(['in', 'notIn'])
/** Holds what a condition of a field can say. */
export const filterOperators: ReadonlySet<string> = new Set([
  ...Object.keys(comparisons),
  ...listOperators,
  'isNull',
  'contains',
  'startsWith',
])

/** One filter while its conditions are written. */
interface Writing {
  model: EntityModel
  parameters: Parameters
  searched: readonly string[]
  /** Keys of the tenant, with which encrypted values are compared. */
  keys: readonly DataKey[]
  /** Conditions so far. */
  count: number
  /** Values in the lists of `in` and `notIn` so far. */
  listed: number
}

/**
 * SQL conditions of a filter over table alias `t`, all of which must hold; none when there is no filter. A field named
 * `search` looks for its text, ignoring case and accents, in any of the properties given as `searched`.
 *
 * Each condition is true or false of a row, never unknown: what `not` turns around are all other rows, also those without
 * a value. Throws BAD_USER_INPUT for null as an operand, for conditions that say nothing, for an id that is none, for an
 * amount without its currency, and for a filter that is too large. `keys` are the tenant's, for encrypted values.
 */
export function filterConditions(
  model: EntityModel,
  filter: Filter | null | undefined,
  parameters: Parameters,
  searched: readonly string[] = [],
  keys: readonly DataKey[] = [],
): string[] {
  return filter
    ? ofFilter({ model, parameters, searched, keys, count: 0, listed: 0 }, filter, 'filter', 0)
    : []
}

function ofFilter(writing: Writing, filter: Filter, path: string, depth: number): string[] {
  if (depth > deepestFilter)
    throw badUserInput(`${path}: and, or and not stand in one another at most ${deepestFilter} deep`)
  return Object.entries(filter).flatMap(([name, value]) => {
    const place = `${path}.${name}`
    if (value === undefined) return []
    if (value === null) throw nothingSaid(place, name)
    if (name === 'and' || name === 'or') return combined(writing, name, value as Filter[], place, depth + 1)
    // Unknown is not true: rows without a value are among the others.
    if (name === 'not') return `(${nestedFilter(writing, value as Filter, place, depth + 1)}) IS NOT TRUE`
    if (name === 'search' && writing.searched.length > 0) return search(writing, value as string, place)
    return ofField(writing, name, value as Filter, place)
  })
}

function nothingSaid(place: string, name: string): Error {
  const isField = name !== 'and' && name !== 'or' && name !== 'not' && name !== 'search'
  const others = isField
    ? `; rows without a value are found with isNull: true (${place}: { isNull: true })`
    : ''
  return badUserInput(`${place}: null is no condition. Leave it out to find all${others}.`)
}

/** Refuses null wherever it stands in a filter that a resolver reads by itself. Throws BAD_USER_INPUT. */
export function requireNoNull(filter: object, place: string): void {
  for (const [name, value] of Object.entries(filter)) {
    if (value === null)
      throw badUserInput(`${place}.${name}: null is no condition. Leave it out to find all.`)
    if (typeof value === 'object' && !Array.isArray(value)) requireNoNull(value as object, `${place}.${name}`)
  }
}

/** A filter inside another. It says something: what is left of it when a variable is left out would find every row. */
function nestedFilter(writing: Writing, filter: Filter, place: string, depth: number): string {
  const conditions = ofFilter(writing, filter, place, depth)
  if (conditions.length === 0) throw badUserInput(`${place}: give at least one condition`)
  return conditions.join(' AND ')
}

function combined(
  writing: Writing,
  name: 'and' | 'or',
  filters: readonly Filter[],
  place: string,
  depth: number,
): string {
  counted(writing, place)
  if (filters.length === 0) return name === 'and' ? 'true' : 'false'
  const all = filters.map((one, index) => `(${nestedFilter(writing, one, `${place}[${index}]`, depth)})`)
  return `(${all.join(name === 'and' ? ' AND ' : ' OR ')})`
}

function counted(writing: Writing, place: string): void {
  if (++writing.count > mostConditions)
    throw badUserInput(`${place}: a filter has at most ${mostConditions} conditions`)
}

/** Each value is compared, and of an encrypted column hashed with each key. */
function countedList(writing: Writing, operand: readonly unknown[], place: string): void {
  writing.listed += operand.length
  if (writing.listed > mostItems)
    throw badUserInput(
      `${place}: the lists of a filter have at most ${mostItems} values together: ask for them in several requests`,
    )
}

function search(writing: Writing, text: string, place: string): string {
  counted(writing, place)
  const { model, parameters, searched } = writing
  const pattern = parameters.add(foldedPattern(notBlank(text, place), 'anywhere'))
  const found = searched.map((property) => likeFolded(`t.${model.columns.get(property)!.sql}`, pattern))
  return `(${found.join(' OR ')})`
}

function notBlank(text: string, place: string): string {
  if (text.trim() === '')
    throw badUserInput(`${place}: give a text that is not blank, or leave it out to find all`)
  return text
}

function ofField(writing: Writing, name: string, condition: Filter, place: string): string[] {
  const { model } = writing
  const operators = Object.entries(condition).filter(([, operand]) => operand !== undefined)
  if (operators.length === 0)
    throw badUserInput(
      `${place}: give at least one condition, or leave it out to find all. A variable that is left out leaves none.`,
    )
  for (const [operator, operand] of operators) {
    if (operand === null)
      throw badUserInput(
        `${place}.${operator}: null is not a value to compare with. To find rows without a value, give ${place}: { isNull: true }.`,
      )
    counted(writing, `${place}.${operator}`)
    if (Array.isArray(operand)) countedList(writing, operand, `${place}.${operator}`)
  }
  const money = model.money.get(name)
  if (money) return ofMoney(writing, money, condition, operators, place)
  const column = model.columns.get(name)
  if (!column) throw new Error(`filter field ${name} is no column of ${model.name}`)
  const encrypted = model.encrypted.get(name)
  if (encrypted)
    return operators.map(([operator, operand]) =>
      operator === 'isNull'
        ? ofOperator(writing.parameters, column, operator, operand, place)
        : ofEncrypted(writing, encrypted, operator, normal(column, operand)),
    )
  return operators.map(([operator, operand]) =>
    ofOperator(writing.parameters, column, operator, normal(column, operand), `${place}.${operator}`),
  )
}

/** A comparison of whole values, by what the column's index holds for them with each key of the tenant. */
function ofEncrypted(
  { model, parameters, keys }: Writing,
  column: EncryptedColumn,
  operator: string,
  operand: unknown,
): string {
  if (!column.index) throw new Error(`${model.name}.${column.property} has no index to be compared by`)
  const name = `t.${column.index.sql}`
  const texts = [operand].flat().map(String)
  const found = parameters.add(texts.flatMap((text) => keys.map((key) => indexOf(key, model, column, text))))
  return operator === 'notIn' ? `(${name} <> ALL(${found}) OR ${name} IS NULL)` : `${name} = ANY(${found})`
}

/** Operands in the form in which the column's values are kept. */
function normal(column: ColumnModel, operand: unknown): unknown {
  if (Array.isArray(operand)) return operand.map((one) => normal(column, one))
  if (column.text === null || typeof operand !== 'string') return operand
  const text = operand.normalize('NFC')
  return column.text === 'email' ? text.toLowerCase() : text
}

function ofOperator(
  parameters: Parameters,
  column: ColumnModel,
  operator: string,
  operand: unknown,
  place: string,
): string {
  const name = `t.${column.sql}`
  if (operator === 'isNull') return `${name} IS ${operand === true ? '' : 'NOT '}NULL`
  if (operator === 'contains' || operator === 'startsWith') {
    const pattern = foldedPattern(
      notBlank(String(operand), place),
      operator === 'contains' ? 'anywhere' : 'start',
    )
    return likeFolded(name, parameters.add(pattern))
  }
  requireIds(column, listOperators.has(operator) ? (operand as unknown[]) : [operand], place)
  const isName = column.spelling !== null
  const compared = isName ? `t.${column.spelling}` : name
  const list = () => (isName ? `shared.spellings(${parameters.add(operand)})` : parameters.add(operand))
  if (operator === 'in') return `${compared} = ANY(${list()})`
  // Neither is a row without a value one of the list.
  if (operator === 'notIn') {
    const others = `${compared} <> ALL(${list()})`
    return column.nullable ? `(${others} OR ${name} IS NULL)` : others
  }
  const comparison = comparisons[operator]
  if (!comparison)
    throw new Error(`filter operator ${operator} of ${column.property} is not known to the kernel`)
  return isName && operator === 'eq'
    ? `${compared} = shared.spelling(${parameters.add(operand)})`
    : `${name} ${comparison} ${parameters.add(operand)}`
}

/** Conditions of amounts, in the smallest unit of the one currency that they are compared in. */
function ofMoney(
  { parameters }: Writing,
  { amount, currency }: MoneyModel,
  condition: Filter,
  operators: readonly (readonly [string, unknown])[],
  place: string,
): string[] {
  const unit = condition['currency'] as string | undefined
  return operators.flatMap(([operator, operand]) => {
    const here = `${place}.${operator}`
    if (operator === 'isNull') return ofOperator(parameters, amount, operator, operand, here)
    if (operator === 'currency') return ofOperator(parameters, currency, 'eq', operand, here)
    if (unit === undefined)
      throw badUserInput(`${here}: give ${place}.currency as well; amounts are compared within one currency`)
    const minor = Array.isArray(operand)
      ? operand.map((one) => minorUnits(String(one), unit, here))
      : minorUnits(String(operand), unit, here)
    return ofOperator(parameters, amount, operator, minor, here)
  })
}

function minorUnits(amount: string, currency: string, place: string): string {
  try {
    return parseMoney({ amount, currency }, place).minor
  } catch (error) {
    throw error instanceof UserErrors ? badUserInput(error.errors[0]!.message) : error
  }
}
