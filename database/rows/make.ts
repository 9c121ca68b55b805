import { escapeIdentifier, escapeLiteral, type ClientBase } from 'pg'
import type { Column, Reference, Table } from './catalogue'
import { candidatesOf, type RowSeed } from './values'

/** A row by column name, as `to_jsonb` gives it. */
export type TableRow = Readonly<Record<string, unknown>>

export interface RowRequest extends RowSeed {
  tenantId: string
  /** Tells whether columns that may be empty have a value wherever the checks admit one; default 'filled'. */
  optional?: 'filled' | 'empty'
  /** Columns that should not be empty before all others. */
  wanted?: readonly string[]
  /** Values by column, for what cannot be found by trying. */
  given?: TableRow
}

/** Columns that the product keeps by itself: a new row has their defaults. */
const kept: ReadonlySet<string> = new Set(['version', 'updated_at', 'deleted_at'])
/** Combinations that are tried at most. */
const mostCombinations = 500_000

/**
 * Adds one valid row to a table and returns it. Columns that constraints tie together are solved together: PostgreSQL
 * tries all combinations of what each may hold, and the first that meets all of them is taken. The same request makes
 * the same row.
 * @param client as the owner, inside a transaction; the tenant is set for the rest of it
 * @throws Error that names table and constraints when no combination meets them: give a value by hand then
 */
export async function makeRow(client: ClientBase, table: Table, request: RowRequest): Promise<TableRow> {
  await client.query("SELECT set_config('app.tenant_id', $1, true)", [request.tenantId])
  const parts = partsOf(table)
  const texts: string[] = []
  for (const [place, part] of parts.entries()) {
    const sources = await sourcesOf(client, table, part, request)
    texts.push(`${partText(table, part, sources, request)} AS p${place}`)
  }
  const text = `SELECT ${texts.join(', ')}`
  const { rows } = await client.query<Record<string, TableRow | null>>(text)
  const found = parts.map((part, place) => rows[0]![`p${place}`] ?? unsolved(table, part))
  const row = Object.assign({ tenant_id: request.tenantId }, ...found) as TableRow
  const columns = Object.keys(row).map(escapeIdentifier).join(', ')
  const insert = `INSERT INTO ${table.name} AS t (${columns})
    SELECT ${columns} FROM jsonb_populate_record(NULL::${table.name}, $1::jsonb) RETURNING to_jsonb(t) AS row`
  try {
    return (await client.query<{ row: TableRow }>(insert, [JSON.stringify(row)])).rows[0]!.row
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`${table.name}: ${JSON.stringify(row)} is refused: ${reason}`, { cause: error })
  }
}

/** Columns that constraints tie together, and these constraints. */
interface Part {
  columns: Column[]
  checks: Table['checks']
  keys: Table['keys']
  references: Reference[]
}

function unsolved(table: Table, { columns, checks, keys, references }: Part): never {
  const rules = [
    ...[...checks, ...keys].map(({ name }) => name),
    ...references.map(({ parent, columns: from }) => `${from.join(', ')} of ${parent}`),
  ]
  throw new Error(
    `${table.name}: no values found for ${columns.map(({ name }) => name).join(', ')} (${rules.join('; ') || 'an unknown type'}): give them by hand`,
  )
}

/** Splits a table into parts that do not depend on each other. */
function partsOf(table: Table): Part[] {
  const mentioned = (text: string) =>
    table.columns.filter(({ name }) => new RegExp(`(?<![\\w'])${name}(?![\\w'])`).test(text))
  const named = (names: readonly string[]) => table.columns.filter(({ name }) => names.includes(name))
  const columnsOfKey = (key: Table['keys'][number]) =>
    mentioned([...key.expressions, key.predicate ?? ''].join(' '))
  const ties = [
    ...table.columns.map((column) => [column]),
    ...table.columns.map((column) => [column, ...(column.generated ? mentioned(column.generated) : [])]),
    ...table.checks.map(({ columns }) => named(columns ?? [])),
    ...table.keys.map(columnsOfKey),
    ...table.references.map(({ columns }) => named(columns)),
  ]
  let groups: Set<Column>[] = []
  for (const tie of ties) {
    const touched = groups.filter((group) => tie.some((column) => group.has(column)))
    groups = [
      ...groups.filter((group) => !touched.includes(group)),
      new Set([...touched.flatMap((group) => [...group]), ...tie]),
    ]
  }
  return groups
    .filter((group) => [...group].some(({ generated }) => !generated))
    .map((group) => {
      const names = new Set([...group].map(({ name }) => name))
      return {
        columns: [...group],
        checks: table.checks.filter(({ columns }) => (columns ?? []).some((name) => names.has(name))),
        keys: table.keys.filter((key) => columnsOfKey(key).some((column) => group.has(column))),
        references: table.references.filter(({ columns }) => columns.some((name) => names.has(name))),
      }
    })
}

/** Describes where combinations come from: a relation with these columns and a `rank`, the smaller the likelier. */
interface Source {
  columns: string[]
  text: string
  size: number
}

const writtenOf = ({ columns }: Part): Column[] => columns.filter(({ generated }) => !generated)

/** Parents that a reference may name, some of the newest: fewer where all combinations of many columns would be too many. */
const mostParents = [6, 4, 3, 2]

/** Values and parents of a part, so few that all their combinations can be tried. */
async function sourcesOf(
  client: ClientBase,
  table: Table,
  part: Part,
  request: RowRequest,
): Promise<Source[]> {
  const { tenantId, given = {} } = request
  const references = part.references.filter(({ columns }) => !columns.some((name) => name in given))
  const values = writtenOf(part)
    .filter(({ name }) => !references.some(({ columns }) => columns.includes(name)))
    .map((column) => columnSource(table, column, request))
  const isFew = (sizes: readonly number[]) =>
    sizes.reduce((product, size) => product * size, 1) <= mostCombinations
  for (const most of mostParents) {
    const sources = [...references.map((one) => referenceSource(table, one, tenantId, most)), ...values]
    const sizes = sources.map(({ size }) => size)
    if (sizes.includes(0)) break
    if (isFew(sizes) || isFew(await countedSizes(client, sources))) return sources
  }
  return unsolved(table, part)
}

/** Size of each source: values that their column's own checks admit, parents that exist. */
async function countedSizes(client: ClientBase, sources: readonly Source[]): Promise<number[]> {
  const counts = sources.map(({ text }) => `(SELECT count(*)::int FROM ${text.replace('$ALIAS', 's')})`)
  const { rows } = await client.query<number[]>({ text: `SELECT ${counts.join(', ')}`, rowMode: 'array' })
  return rows[0]!
}

/** The best combination as JSON, as a scalar sub-select. */
function partText(table: Table, part: Part, sources: readonly Source[], request: RowRequest): string {
  const { tenantId, seed, place, optional = 'filled', wanted = [] } = request
  const written = writtenOf(part)
  const first = (name: string) => sources.findIndex(({ columns }) => columns.includes(name))
  const same = sources.flatMap(({ columns }, at) =>
    columns
      .filter((name) => first(name) !== at)
      .map((name) => `s${at}.${escapeIdentifier(name)} = s${first(name)}.${escapeIdentifier(name)}`),
  )
  const names = (columns: readonly Column[]) => columns.map(({ name }) => escapeIdentifier(name))
  const empty = names(written.filter(({ nullable }) => nullable))
  const filled = (columns: readonly string[]) =>
    columns.length > 0
      ? [`num_nonnulls(${columns.join(', ')}) ${optional === 'filled' ? 'DESC' : 'ASC'}`]
      : []
  const generated = part.columns.filter((one) => one.generated)
  const hidden = ['tenant_id', 'rank', ...generated.map(({ name }) => name)]
  const order = [
    ...filled(names(written.filter(({ name }) => wanted.includes(name)))),
    ...filled(empty),
    'rank',
    `md5(${escapeLiteral(`${seed} ${place}`)} || p::text)`,
  ]
  return `(SELECT to_jsonb(p) - ARRAY[${hidden.map(escapeLiteral).join(', ')}] FROM (
    SELECT a.*${generated.map((one) => `, (${one.generated!})::${one.type} AS ${escapeIdentifier(one.name)}`).join('')} FROM (
      SELECT ${[
        ...written.map(({ name }) => `s${first(name)}.${escapeIdentifier(name)}`),
        `${sources.map((_, at) => `s${at}.rank`).join(' + ')} AS rank`,
        `${escapeLiteral(tenantId)}::uuid AS tenant_id`,
      ].join(', ')}
        FROM ${sources.map(({ text }, at) => `${text.replace('$ALIAS', `s${at}`)}`).join(' CROSS JOIN ')}
       WHERE ${['true', ...same].join(' AND ')}) a) p
   WHERE ${['true', ...part.checks.map(({ condition }) => `(${condition}) IS NOT FALSE`), ...part.keys.map((key) => isFree(table, key, tenantId))].join(' AND ')}
   ORDER BY ${order.join(', ')} LIMIT 1)`
}

function columnSource(table: Table, column: Column, request: RowRequest): Source {
  const { name, type } = column
  const { given = {} } = request
  const value = (text: string | null) => `${text === null ? 'NULL' : escapeLiteral(text)}::${type}`
  let values: string[]
  if (name in given) {
    const json = escapeLiteral(JSON.stringify({ [name]: given[name] }))
    values = [`(jsonb_populate_record(NULL::${table.name}, ${json}::jsonb)).${escapeIdentifier(name)}`]
  } else if (kept.has(name)) {
    values = [column.default ?? value(null)]
  } else {
    const candidates = candidatesOf(table, column, request)
    values = candidates.map(value)
    if (type === 'jsonb') values = likeOthers(table, name, request.tenantId, values)
    // A default that is a candidate would only be tried twice: `0`, `'DRAFT'::text`.
    const literal = column.default?.replace(/^'([^']*)'(::.*)?$/, '$1')
    if (column.default !== null && !candidates.includes(literal!)) values.push(column.default)
  }
  const rows = values.map((one, rank) => `(${one}, ${rank})`)
  const alias = (of: string) => `${of}(${escapeIdentifier(name)}, rank)`
  const own = table.checks.filter(
    ({ columns, condition }) => columns?.join() === name && !/\btenant_id\b/.test(condition),
  )
  const admitted = ['true', ...own.map(({ condition }) => `(${condition}) IS NOT FALSE`)].join(' AND ')
  return {
    columns: [name],
    size: values.length,
    text: `(SELECT * FROM (VALUES ${rows.join(', ')}) AS ${alias('v')} WHERE ${admitted}) AS ${alias('$ALIAS')}`,
  }
}

/**
 * First the value of another row of the tenant, since a check seldom says all that a document must hold; not an encrypted one, which
 * opens in its own row only.
 */
function likeOthers(table: Table, name: string, tenantId: string, values: readonly string[]): string[] {
  const column = escapeIdentifier(name)
  const other = `(SELECT x.${column} FROM ${table.name} x WHERE x.tenant_id = ${escapeLiteral(tenantId)}
     AND x.${column} NOT IN ('{}', '[]') AND NOT x.${column} ? 'encrypted' LIMIT 1)`
  return values.map((value, rank) => (rank === 0 ? `coalesce(${other}, ${value})` : value))
}

/** So many parents at most that a reference may name, and none where that is allowed. */
function referenceSource(table: Table, reference: Reference, tenantId: string, most: number): Source {
  const { columns, parent, parentColumns, isTenants } = reference
  const list = parentColumns.map((name) => `x.${escapeIdentifier(name)}`).join(', ')
  const own = isTenants ? `x.tenant_id = ${escapeLiteral(tenantId)}` : 'true'
  const some = `SELECT ${list}, 0 FROM ${parent} x WHERE ${own} ORDER BY ${list} DESC LIMIT ${most}`
  const isNullable = (name: string) => table.columns.find((one) => one.name === name)!.nullable
  const none = columns.some(isNullable)
    ? ` UNION ALL (SELECT ${columns.map((name, at) => (isNullable(name) ? 'NULL' : `x.${escapeIdentifier(parentColumns[at]!)}`)).join(', ')}, 1 FROM (SELECT) n LEFT JOIN ${parent} x ON ${own} LIMIT 1)`
    : ''
  return {
    columns,
    size: most,
    text: `((${some})${none}) AS $ALIAS(${[...columns.map(escapeIdentifier), 'rank'].join(', ')})`,
  }
}

/** Tells whether no row of the tenant has the key's values yet. */
function isFree(table: Table, key: Table['keys'][number], tenantId: string): string {
  const values = `jsonb_build_array(${key.expressions.join(', ')})`
  const applies = [
    ...(key.predicate ? [`(${key.predicate}) IS TRUE`] : []),
    ...(key.nullsEqual ? [] : [`num_nulls(${key.expressions.join(', ')}) = 0`]),
  ]
  const taken = `SELECT ${values} FROM ${table.name} WHERE tenant_id = ${escapeLiteral(tenantId)}${key.predicate ? ` AND (${key.predicate})` : ''}`
  return `NOT (${[...applies, `${values} IN (${taken})`].join(' AND ')})`
}
