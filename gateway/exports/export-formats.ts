import type { IncomingHttpHeaders } from 'node:http'
import {
  getNamedType,
  getNullableType,
  isLeafType,
  isListType,
  isObjectType,
  Kind,
  typeFromAST,
  type GraphQLObjectType,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql'
import { badUserInput } from '../../kernel/errors'
import type { ExportPlan } from './export-plan'

/** A way to write rows. */
export interface ExportFormat {
  name: 'csv' | 'jsonl'
  /** The media type of the answer. */
  type: string
  /** @throws ApiError when rows of this plan cannot be written so */
  writer(schema: GraphQLSchema, plan: ExportPlan): RowWriter
}

/** Writes the rows of one export. */
export interface RowWriter {
  head: string
  /** Names what is told of each row. */
  columns: readonly string[]
  row(row: unknown): string
}

const csv: ExportFormat = { name: 'csv', type: 'text/csv; charset=utf-8; header=present', writer: csvWriter }
const lines = (type: string): ExportFormat => ({ name: 'jsonl', type, writer: lineWriter })

const formats: Readonly<Record<string, ExportFormat>> = {
  'text/csv': csv,
  'application/jsonl': lines('application/jsonl; charset=utf-8'),
  'application/x-ndjson': lines('application/x-ndjson; charset=utf-8'),
}

/** The format that a client accepts before all others; undefined when that is an ordinary answer. */
export function exportFormatOf({ accept }: IncomingHttpHeaders): ExportFormat | undefined {
  // Most requests end here.
  if (!accept || !/csv|jsonl|ndjson/i.test(accept)) return undefined
  const [first = ''] = accept.split(',')
  return formats[first.split(';')[0]!.trim().toLowerCase()]
}

interface Column {
  path: readonly string[]
  name: string
}

/** The leaves of a row in the order in which they are selected, each under its path: `amount.currency`. */
function columnsOf(schema: GraphQLSchema, plan: ExportPlan, isFlat: boolean): Column[] {
  const columns = new Map<string, Column>()
  const collect = (
    type: GraphQLObjectType,
    { selections }: SelectionSetNode,
    path: readonly string[],
  ): void => {
    for (const node of selections) {
      if (node.kind !== Kind.FIELD) {
        const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : plan.fragments.get(node.name.value)!
        const on = fragment.typeCondition && typeFromAST(schema, fragment.typeCondition)
        collect(isObjectType(on) ? on : type, fragment.selectionSet, path)
        continue
      }
      const key = node.alias?.value ?? node.name.value
      const field = type.getFields()[node.name.value]
      const at = [...path, key]
      const leafOrList = !field || isLeafType(getNamedType(field.type)) || (!isFlat && isMany(field.type))
      if (leafOrList) columns.set(at.join('.'), { path: at, name: at.join('.') })
      else if (isMany(field.type)) throw badUserInput(manyValues(at))
      else collect(getNamedType(field.type) as GraphQLObjectType, node.selectionSet!, at)
    }
  }
  collect(plan.type, plan.rows.selectionSet!, [])
  return [...columns.values()]
}

const manyValues = (path: readonly string[]) =>
  `A row of CSV has one value for each column, and ${path.join('.')} has many: leave it out, export it by itself, or accept application/jsonl`

/** Tells whether a field has several objects: a list, or a page of one. */
function isMany(type: Parameters<typeof getNullableType>[0]): boolean {
  if (isListType(getNullableType(type))) return true
  const named = getNamedType(type as GraphQLObjectType)
  return isObjectType(named) && Boolean(named.getFields()['pageInfo'])
}

/** RFC 4180: a line of names, then one for each row. Null is nothing, an empty text is `""`; what is no single value is JSON. */
function csvWriter(schema: GraphQLSchema, plan: ExportPlan): RowWriter {
  const columns = columnsOf(schema, plan, true)
  const line = (cells: readonly string[]) => `${cells.join(',')}\r\n`
  return {
    head: line(columns.map(({ name }) => cell(name))),
    columns: columns.map(({ name }) => name),
    row: (row) => line(columns.map(({ path }) => cell(valueAt(row, path)))),
  }
}

/** One object a line, as an ordinary answer has it under `nodes`. */
function lineWriter(schema: GraphQLSchema, plan: ExportPlan): RowWriter {
  return {
    head: '',
    columns: columnsOf(schema, plan, false).map(({ name }) => name),
    row: (row) => `${JSON.stringify(row)}\n`,
  }
}

function valueAt(row: unknown, path: readonly string[]): unknown {
  let value = row
  for (const key of path) value = (value as Record<string, unknown> | null | undefined)?.[key]
  return value
}

/** Spreadsheets calculate what begins so (OWASP, CSV injection); they also look past blanks, and take full-width signs. */
const formula = /^\s*[=+\-@\t\r\n＝＋－＠]/
/** Amounts and other exact numbers are texts in JSON. No formula has this form. */
const plainNumber = /^-?\d+(?:\.\d+)?$/

/** A value as CSV writes it. A text that a spreadsheet would calculate gets an apostrophe in front. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const safe = formula.test(text) && !plainNumber.test(text) ? `'${text}` : text
  // Quoted too where another setting of a spreadsheet would part it.
  return safe === '' || /[",;\t\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
