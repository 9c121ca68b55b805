import type { ClientBase } from 'pg'

/** What the lint knows of the database. Names are `schema.name`. */
export interface KnownTables {
  /** Tables whose rows belong to a tenant, and whether they have `updated_at`. */
  tenantTables: ReadonlyMap<string, { hasUpdatedAt: boolean }>
  /** The product's own functions, but for those of their arguments alone, which every node can work out by itself. */
  functions: ReadonlySet<string>
}

export async function readKnownTables(client: ClientBase): Promise<KnownTables> {
  const tables = await client.query<{ name: string; touched: boolean }>(
    `SELECT n.nspname || '.' || c.relname AS name, EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'updated_at') AS touched
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
      WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_'`,
  )
  const functions = await client.query<{ name: string }>(
    `SELECT n.nspname || '.' || p.proname AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND p.provolatile <> 'i'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`,
  )
  return {
    tenantTables: new Map(tables.rows.map(({ name, touched }) => [name, { hasUpdatedAt: touched }])),
    functions: new Set(functions.rows.map(({ name }) => name)),
  }
}

/** What stands for a sub-query where it was taken out. */
const taken = '<query>'
const opens = /^\s*(?:select|with|insert|update|delete|values)\b/i
const locks = /\bfor\s+(?:(?:no\s+key\s+)?update|(?:key\s+)?share)\b/i
const named =
  /(?<![\w.$])(\w+\.\w+)(?![\w.])(?:\s+(?:as\s+)?(?!(?:as|cross|for|from|full|group|having|inner|join|left|limit|natural|offset|on|order|returning|right|set|union|using|values|where|window)\b)([a-z_]\w*))?/gi

/** The text without comments, quotes and what literals say. */
function plain(text: string): string {
  return text
    .replaceAll(/--[^\n]*|\/\*[^]*?\*\//g, ' ')
    .replaceAll(/'(?:[^']|'')*'/g, "''")
    .replaceAll('"', '')
}

/** The queries of a statement, each without those inside of it. */
function queriesOf(text: string): string[] {
  const queries: string[] = []
  const levels: string[] = ['']
  for (const character of text) {
    if (character === '(') {
      levels.push('')
    } else if (character === ')' && levels.length > 1) {
      const inner = levels.pop()!
      const isQuery = opens.test(inner)
      if (isQuery) queries.push(inner)
      levels.push(levels.pop()! + (isQuery ? `(${taken})` : `(${inner})`))
    } else {
      levels.push(levels.pop()! + character)
    }
  }
  queries.push(levels.join('('))
  return queries.flatMap((query) => query.split(/\b(?:union(?:\s+all)?|intersect|except)\b/i))
}

/**
 * What a distributed PostgreSQL (Citus) refuses in a statement, or asks every node for: one line for each, none when it
 * is fine. Every tenant's table that is named says its own `tenant_id = $n`.
 * @param tenant what the tenant may be given as; in the body of a function a variable
 */
export function lintStatement(text: string, known: KnownTables, tenant = /\$\d+/): string[] {
  const faults: string[] = []
  const whole = plain(text)
  let namesTenantTable = false
  for (const query of queriesOf(whole)) {
    const tables = [...query.matchAll(named)].filter(([, name]) => known.tenantTables.has(name!))
    namesTenantTable ||= tables.length > 0
    for (const { 1: name, 2: alias, index } of tables) {
      const before = query.slice(0, index)
      if (/\binto\s+$/i.test(before)) {
        faults.push(...insertFaults(name!, query.slice(index), known))
        continue
      }
      const own = alias ?? (tables.length === 1 ? `(?:${name}\\.)?` : name!)
      const column = alias || tables.length > 1 ? `${own}\\.tenant_id` : `${own}tenant_id`
      const says = new RegExp(`(?<![\\w.])${column}\\s*=\\s*(?:${tenant.source})(?![\\w.])`, 'i')
      if (!says.test(query)) {
        faults.push(`${name} is named without tenant_id = $n for itself`)
        if (locks.test(query)) faults.push(`rows of ${name} are locked whoever's they are`)
      }
      if (/\bupdate\s+(?:only\s+)?$/i.test(before) && known.tenantTables.get(name!)!.hasUpdatedAt)
        if (!/\bupdated_at\s*=/i.test(query)) faults.push(`${name} is updated without updated_at`)
    }
  }
  const called = [...whole.matchAll(/(?<![\w.])(\w+\.\w+)\s*\(/g)].map(([, name]) => name!)
  const own = called.find((name) => known.functions.has(name))
  if (own && namesTenantTable)
    faults.push(`${own}() stands beside a tenant's table: make it a statement of its own`)
  return faults
}

function insertFaults(table: string, insert: string, known: KnownTables): string[] {
  const [rows = '', conflict = ''] = insert.split(/\b(?:on\s+conflict|returning)\b/i)
  if (!/\bvalues\b/i.test(rows)) return [`rows of ${table} come from a query instead of VALUES`]
  if (/\bdo\s+update\b/i.test(conflict) && known.tenantTables.get(table)!.hasUpdatedAt)
    if (!/\bupdated_at\s*=/i.test(conflict)) return [`${table} is updated without updated_at`]
  return rows.includes(taken) ? [`VALUES for ${table} hold a sub-query`] : []
}

/**
 * Lints the distinct statements that were sent.
 * @throws with one line for each fault and its statement
 */
export async function assertDistributable(client: ClientBase, statements: Iterable<string>): Promise<void> {
  const known = await readKnownTables(client)
  const faults = [...statements].flatMap((text) =>
    lintStatement(text, known).map((fault) => `${fault}\n    ${text.trim().slice(0, 600)}`),
  )
  if (faults.length > 0)
    throw new Error(`Statements that a distributed PostgreSQL cannot run as one:\n  ${faults.join('\n  ')}`)
}
