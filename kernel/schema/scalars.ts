import {
  GraphQLError,
  Kind,
  valueFromASTUntyped,
  visit,
  type GraphQLScalarType,
  type ValueNode,
} from 'graphql'
import { inexact, isExactNumber } from './exact-json'
import { currencyDecimals } from './currencies'
import { isTimeZone } from './time-zone'

/**
 * Says how a scalar reads inputs and writes outputs; merged into the scalar of the same name in
 * `schema/shared.graphql`.
 */
type ScalarFunctions = Pick<GraphQLScalarType<unknown, unknown>, 'serialize' | 'parseValue' | 'parseLiteral'>

function refuse(message: string, node?: ValueNode): never {
  throw new GraphQLError(message, { nodes: node })
}

/** A scalar written as a string. `read` returns the normal form, or null when the text is none of this scalar. */
function textScalar(name: string, example: string, read: (text: string) => string | null): ScalarFunctions {
  const accept = (value: unknown, node?: ValueNode): string => {
    if (typeof value !== 'string') refuse(`${name} must be a string, such as "${example}"`, node)
    return read(value) ?? refuse(`Not a valid ${name}, such as "${example}"`, node)
  }
  return {
    parseValue: (value) => accept(value),
    parseLiteral: (node) => accept(node.kind === Kind.STRING ? node.value : undefined, node),
    serialize: (value) => accept(value instanceof Date ? value.toISOString() : value),
  }
}

/** The number that digits of a text are, or -1 when they are not all digits. */
function digitsAt(text: string, from: number, to: number): number {
  let number = 0
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48
    if (!(digit >= 0 && digit <= 9)) return -1
    number = number * 10 + digit
  }
  return number
}

/** Tells whether a text begins with a day of the Gregorian calendar in the years 1 to 9999, such as "2026-02-28". */
function beginsWithDay(text: string): boolean {
  const [year, month, date] = [digitsAt(text, 0, 4), digitsAt(text, 5, 7), digitsAt(text, 8, 10)]
  if (text[4] !== '-' || text[7] !== '-' || year < 1 || month < 1 || month > 12) return false
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  const days =
    month === 2 ? (leap ? 29 : 28) : month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return date >= 1 && date <= days
}

function readDate(text: string): string | null {
  return text.length === 10 && beginsWithDay(text) ? text : null
}

/** Tells whether an instant is written as we write them: in UTC, to the millisecond. The database's all are. */
function isNormalInstant(text: string): boolean {
  const [hours, minutes, seconds] = [digitsAt(text, 11, 13), digitsAt(text, 14, 16), digitsAt(text, 17, 19)]
  return (
    text.length === 24 &&
    text[10] === 'T' &&
    text[13] === ':' &&
    text[16] === ':' &&
    text[19] === '.' &&
    text[23] === 'Z' &&
    digitsAt(text, 20, 23) >= 0 &&
    hours >= 0 &&
    hours < 24 &&
    minutes >= 0 &&
    minutes < 60 &&
    seconds >= 0 &&
    seconds < 60 &&
    beginsWithDay(text)
  )
}

const instant = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i
const clockTime = /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d$/

/** RFC 3339, normalised to UTC and milliseconds. Leap seconds are refused: PostgreSQL has none. */
function readDateTime(text: string): string | null {
  if (isNormalInstant(text)) return text
  const [, date, time, fraction = '', offset] = instant.exec(text) ?? []
  if (!date || !time || !offset || !readDate(date) || !clockTime.test(time)) return null
  const milliseconds = fraction.padEnd(3, '0').slice(0, 3)
  const utc = new Date(`${date}T${time}.${milliseconds}${offset.toUpperCase()}`).toISOString()
  return /^\d{4}-/.test(utc) && !utc.startsWith('0000') ? utc : null
}

const decimal = /^-?(?:0|[1-9]\d*)(?:\.(\d+))?$/
const decimalDigits = { total: 38, fraction: 18 }

function readDecimal(text: string): string | null {
  if (text.length > decimalDigits.total + 2) return null
  const match = decimal.exec(text)
  if (!match || (match[1]?.length ?? 0) > decimalDigits.fraction) return null
  return text.replace(/\D/g, '').length <= decimalDigits.total ? text : null
}

/**
 * An e-mail address is any text here: what a person mistyped at a form is a user error of the mutation, which
 * `kernel/execution/input-values.ts` makes.
 */
const readEmailAddress = (text: string): string => text

const jsonBounds = { depth: 20, bytes: 64 * 1024 }

/** Holds what jsonb cannot hold: the NUL character and halves of surrogate pairs. */
const unstorable = /[\0\p{Cs}]/u

/** Why a value is refused, or null. */
function jsonFault(value: unknown, levels: number): string | null {
  if (typeof value === 'string')
    return unstorable.test(value) ? 'JSON texts must be Unicode without NUL' : null
  if (typeof value === 'number')
    return Number.isFinite(value) && !Object.is(value, -0)
      ? null
      : inexact(Object.is(value, -0) ? '-0' : String(value))
  if (typeof value !== 'object' || value === null) return null
  if (levels === 0) return `JSON may nest ${jsonBounds.depth} levels at most`
  for (const [key, inner] of Object.entries(value)) {
    const fault = jsonFault(key, levels) ?? jsonFault(inner, levels - 1)
    if (fault) return fault
  }
  return null
}

/** Refuses a literal with a number that a reader of JSON would round. */
function requireExactNumbers(node: ValueNode): void {
  const check = (number: { kind: Kind.INT | Kind.FLOAT; value: string }) => {
    if (!isExactNumber(number.value)) refuse(inexact(number.value), node)
  }
  visit(node, { IntValue: check, FloatValue: check })
}

function acceptJson(value: unknown, node?: ValueNode): unknown {
  const fault = jsonFault(value, jsonBounds.depth)
  if (fault) refuse(fault, node)
  if (Buffer.byteLength(JSON.stringify(value) ?? '') > jsonBounds.bytes)
    refuse(`JSON may take ${jsonBounds.bytes / 1024} KiB at most`, node)
  return value
}

const json: ScalarFunctions = {
  parseValue: (value) => acceptJson(value),
  parseLiteral: (node, variables) => {
    requireExactNumbers(node)
    return acceptJson(plain(valueFromASTUntyped(node, variables)), node)
  },
  serialize: (value) => value,
}

/** graphql-js reads object literals into objects without prototype; stored and compared values are ordinary ones. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}

/** The scalars of `schema/shared.graphql`. */
export const scalars: Readonly<Record<string, ScalarFunctions>> = {
  DateTime: textScalar('DateTime', '2026-03-29T01:30:00.000Z', readDateTime),
  Date: textScalar('Date', '2026-02-28', readDate),
  Decimal: textScalar('Decimal', '1234.50', readDecimal),
  CurrencyCode: textScalar('CurrencyCode', 'EUR', (text) => (currencyDecimals.has(text) ? text : null)),
  TimeZone: textScalar('TimeZone', 'Europe/Berlin', (text) => (isTimeZone(text) ? text : null)),
  EmailAddress: textScalar('EmailAddress', 'ada@example.com', readEmailAddress),
  JSON: json,
}
