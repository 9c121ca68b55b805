import type { ColumnModel } from '../schema/entity-model'
import type { Parameters } from '../statement'
import type { Position } from './cursor'
import type { Order } from './order'

/** A part of a list that one walk along an index reads. The parts follow one another. */
export interface Part {
  conditions: readonly string[]
  orderClause: string
}

/** A value of an order in the direction in which the rows are read, which for `last` is the opposite one. */
interface Key {
  sql: string
  nullable: boolean
  descending: boolean
  nullsFirst: boolean
}

/** Order by language is Unicode's root collation; the indexes have the same, and so must whatever compares with a key. */
export function keySql(alias: string, column: ColumnModel): string {
  return `${alias}.${column.sql}${column.text ? ' COLLATE "und-x-icu"' : ''}`
}

const keysOf = ({ keys }: Order, backward: boolean, alias: string): Key[] =>
  keys.map(({ column, descending }) => ({
    sql: keySql(alias, column),
    nullable: column.nullable,
    descending: descending !== backward,
    nullsFirst: backward,
  }))

/** Tells whether an index that ends with its nulls has this order, read forwards or backwards. */
const isIndexOrder = ({ nullable, descending, nullsFirst }: Key): boolean =>
  !nullable || descending === nullsFirst

function termsOf(keys: readonly Key[], alias: string, withNulls: boolean): string {
  const terms = keys.map((key, place) => {
    const direction = key.descending ? 'DESC' : 'ASC'
    // A part has either no nulls of the first value or nothing else: without a word on nulls the index has its order.
    const nulls =
      isIndexOrder(key) || (place === 0 && !withNulls) ? '' : ` NULLS ${key.nullsFirst ? 'FIRST' : 'LAST'}`
    return `${key.sql} ${direction}${nulls}`
  })
  return `ORDER BY ${terms.join(', ')}, ${alias}."id" ${keys.at(-1)!.descending ? 'DESC' : 'ASC'}`
}

/** The order of rows that are all at hand. */
export function orderClause(order: Order, backward: boolean, alias: string): string {
  return termsOf(keysOf(order, backward, alias), alias, true)
}

/**
 * The parts that the rows beyond a position are read in, over table alias `t`: with a value first, and those without,
 * each as a range of an index (tenant, value, id) whose nulls are last. One part where the index has both in order.
 */
export function partsOf(
  order: Order,
  backward: boolean,
  position: Position | null,
  parameters: Parameters,
): Part[] {
  const keys = keysOf(order, backward, 't')
  const [first, ...others] = keys as [Key, ...Key[]]
  const clause = termsOf(keys, 't', false)
  const part = (...conditions: string[]): Part => ({ conditions, orderClause: clause })
  const valued = (...conditions: string[]) => part(...conditions, `${first.sql} IS NOT NULL`)
  const empty = (...conditions: string[]) => part(`${first.sql} IS NULL`, ...conditions)
  if (!position) {
    if (isIndexOrder(first)) return [part()]
    return first.nullsFirst ? [empty(), valued()] : [valued(), empty()]
  }
  const [value, ...values] = position.keys
  const id = parameters.add(position.id)
  const compareId = `t."id" ${keys.at(-1)!.descending ? '<' : '>'} ${id}`
  const beyond = others.reduceRight(
    (rest, key, place) => beyondKey(key, values[place] ?? null, rest, parameters),
    compareId,
  )
  if (value === null || value === undefined)
    return first.nullsFirst ? [empty(beyond), valued()] : [empty(beyond)]
  const given = parameters.add(value)
  const compare = first.descending ? '<' : '>'
  const later =
    others.length === 0
      ? part(`(${first.sql}, t."id") ${compare} (${given}, ${id})`)
      : // The first condition is a range of the index, the second leaves out what of its border was read.
        part(
          `${first.sql} ${compare}= ${given}`,
          `(${first.sql} ${compare} ${given} OR (${first.sql} = ${given} AND ${beyond}))`,
        )
  return first.nullable && !first.nullsFirst ? [later, empty()] : [later]
}

/** The condition for rows beyond a value, or of the same one and beyond in the `rest`. */
function beyondKey(key: Key, value: string | null, rest: string, parameters: Parameters): string {
  const { sql, nullable, descending, nullsFirst } = key
  if (value === null) return nullsFirst ? `(${sql} IS NOT NULL OR ${rest})` : `(${sql} IS NULL AND ${rest})`
  const given = parameters.add(value)
  const nulls = nullable && !nullsFirst ? ` OR ${sql} IS NULL` : ''
  return `(${sql} ${descending ? '<' : '>'} ${given} OR (${sql} = ${given} AND ${rest})${nulls})`
}
