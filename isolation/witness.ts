import type { Client } from 'pg'
import { globalTables } from '../migrations/sql'
import { attacker, stranger, tenantTables, type AttackedTenant } from './population'

/** A sight that must not have been, or a difference that must not be there. */
export interface Finding {
  attack: string
  where: string
  what: string
}

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi

/** Remembers what everybody was shown, and knows whose it is. */
export interface Witness {
  /** Notes an answer; `sent` is what the asker knew already. */
  see(tenant: AttackedTenant, where: string, answer: unknown, sent?: string): void
  /** Texts that an asker has written themselves from now on: they are no longer only the stranger's. */
  wrote(value: unknown): void
  /** Says how many ids were shown of their asker's own: an attack that sees nothing proves nothing. */
  ownIds(): number
  /** Reads who owns which id now, and returns every sighting of a foreign one. */
  verdict(): Promise<Finding[]>
  /** Forgets what everybody was shown. */
  forget(): void
}

export async function createWitness(client: Client): Promise<Witness> {
  const seen = new Map<string, Map<string, string>>()
  const texts = await strangersTexts(client)
  const told: Finding[] = []
  let own = 0

  const noteTexts = (tenant: AttackedTenant, where: string, value: unknown, sent: string): void => {
    if (typeof value === 'string') {
      const text = texts.has(value) ? value : null
      if (text && tenant.id !== stranger.id && !sent.includes(text))
        told.push({
          attack: 'foreign text',
          where,
          what: `${tenant.slug} was shown ${JSON.stringify(text)} of ${stranger.slug}`,
        })
    } else if (typeof value === 'object' && value !== null) {
      for (const inner of Object.values(value)) noteTexts(tenant, where, inner, sent)
    }
  }

  const noLongerTheirs = (value: unknown): void => {
    if (typeof value === 'string') texts.delete(value)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(noLongerTheirs)
  }

  return {
    see(tenant, where, answer, sent = '') {
      let mine = seen.get(tenant.id)
      if (!mine) seen.set(tenant.id, (mine = new Map()))
      for (const [id] of JSON.stringify(answer).matchAll(uuid)) {
        const known = id.toLowerCase()
        if (!mine.has(known) && !sent.includes(known)) mine.set(known, where)
      }
      noteTexts(tenant, where, answer, sent)
    },
    wrote: noLongerTheirs,
    ownIds: () => own,
    async verdict() {
      const owners = await ownersOfIds(client)
      const findings = [...told]
      own = 0
      for (const [tenantId, ids] of seen) {
        for (const [id, where] of ids) {
          const owner = owners.get(id)
          if (owner === tenantId) own += 1
          else if (owner)
            findings.push({
              attack: 'foreign row',
              where,
              what: `tenant ${tenantId} was shown ${id} of tenant ${owner}`,
            })
        }
      }
      return findings
    },
    forget() {
      seen.clear()
      told.length = 0
      own = 0
    },
  }
}

/** Every id of every tenant's rows, and whose it is. */
async function ownersOfIds(client: Client): Promise<Map<string, string>> {
  const owners = new Map<string, string>()
  for (const { name, tenantColumn, hasId } of await tenantTables(client)) {
    if (!hasId) continue
    const text = ['SELECT', tenantColumn, 'AS tenant, id FROM', name].join(' ')
    for (const { tenant, id } of (await client.query<{ tenant: string; id: string }>(text)).rows)
      owners.set(String(id), tenant)
  }
  return owners
}

/** Texts that only the stranger has: seen by anybody else they came out of its rows. */
async function strangersTexts(client: Client): Promise<Set<string>> {
  const [theirs, ours] = [new Set<string>(), new Set<string>()]
  for (const { name, tenantColumn } of await tenantTables(client)) {
    const text = `SELECT ${tenantColumn} AS tenant, to_jsonb(t) AS row FROM ${name} t WHERE ${tenantColumn} = ANY ($1)`
    const { rows } = await client.query<{ tenant: string; row: object }>(text, [[stranger.id, attacker.id]])
    for (const { tenant, row } of rows) collectTexts(row, tenant === stranger.id ? theirs : ours)
  }
  // What stands in everybody's rows, such as the price list, is nobody's.
  for (const name of globalTables.filter(isShownToAll)) {
    const text = ['SELECT to_jsonb(t) AS row FROM', name, 't'].join(' ')
    for (const { row } of (await client.query<{ row: object }>(text)).rows) {
      collectTexts(row, ours)
      // Prices are numbers there and texts in answers.
      for (const value of Object.values(row)) collectTexts(String(value), ours)
    }
  }
  return new Set([...theirs].filter((text) => !ours.has(text)))
}

/** Tells whether a table's rows are shown to whoever asks: not what the platform and the gateway keep for themselves. */
const isShownToAll = (name: string): boolean => /^tenancy\.(?!tenants)|\.permissions$/.test(name)

/** Long enough not to be met by chance, and no instants, which tenants share. */
function collectTexts(value: unknown, into: Set<string>): void {
  if (typeof value === 'string') {
    if (value.length >= 6 && !/^\d{4}-\d\d-\d\d|^[0-9a-f-]{36}$/.test(value)) into.add(value)
  } else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) collectTexts(inner, into)
  }
}

/** The question for the state of all tables, by connection: it is asked thousands of times, and tables do not change meanwhile. */
const stateTexts = new WeakMap<Client, Promise<string>>()

async function stateText(client: Client): Promise<string> {
  // With a plan made for it once: to plan a question about a hundred tables takes longer than to answer it.
  await client.query('SET plan_cache_mode = force_generic_plan')
  const tables = (await tenantTables(client)).filter(({ schema }) => schema !== 'gateway')
  const parts = tables.map(
    ({ name, tenantColumn }) =>
      `SELECT '${name.replaceAll("'", "''")}' AS name, count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)), 0) AS state FROM ${name} t WHERE ${tenantColumn} = ANY ($1)`,
  )
  return parts.join(' UNION ALL ')
}

/**
 * One text per table for everything some tenants have in it: it changes with any row. The gateway's own schema is left
 * out: there it notes, some time later, what these tenants themselves asked.
 * @param client stays with one question: tables that are made later are not looked at
 */
export async function stateOf(
  client: Client,
  tenants: readonly AttackedTenant[],
): Promise<ReadonlyMap<string, string>> {
  let text = stateTexts.get(client)
  if (!text) stateTexts.set(client, (text = stateText(client)))
  const { rows } = await client.query<{ name: string; state: string }>({
    name: 'state of tables',
    text: await text,
    values: [tenants.map(({ id }) => id)],
  })
  return new Map(rows.map(({ name, state }) => [name, state]))
}
