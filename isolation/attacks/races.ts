import { setTimeout as sleep } from 'node:timers/promises'
import { parse, type DocumentNode } from 'graphql'
import { Client } from 'pg'
import { subgraphs } from '../../subgraphs'
import type { RequestContext } from '../../kernel/context'
import { uuidv7 } from '../../kernel/id'
import type { RunningSubgraph } from '../../kernel/subgraph'
import type { Asker } from '../askers'
import type { Lab } from '../lab'
import { attacker, stranger, tenantTables, type AttackedTenant, type TenantTable } from '../population'
import type { Question } from '../questions'
import { contextOf } from './references'

export interface RaceReport {
  operations: number
  tenants: number
  /** Operations that ended otherwise than in an answer without errors. */
  failed: number
  disconnected: number
  cancelled: number
  killed: number
  /** Says how often a table was locked for longer than a statement may take. */
  locked: number
  wrong: number
}

/** The same course in every run: a linear congruential generator (Numerical Recipes, 3rd ed., 7.1). */
function dice(seed: number): (sides: number) => number {
  let state = seed
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

/** Says how long a statement may take in the attacked product. */
export const statementTimeoutMs = 1_000

const atOnce = 16
const rounds = 2

/**
 * The same text from many tenants at the same instant, over very few connections, while clients leave, statements fail,
 * run into locks and are cancelled, and connections are killed. Every id that comes back is checked for its tenant.
 */
export async function attackWithRaces(
  lab: Lab,
  tenants: readonly AttackedTenant[],
  operations: number,
): Promise<RaceReport> {
  const askers = await Promise.all(tenants.map((tenant) => lab.as(tenant)))
  const contexts = new Map<string, RequestContext>()
  for (const tenant of tenants) contexts.set(tenant.id, await contextOf(lab, tenant))
  const questions = raceQuestions(lab)
  const references = raceReferences(lab)
  const report: RaceReport = {
    operations: 0,
    tenants: tenants.length,
    failed: 0,
    disconnected: 0,
    cancelled: 0,
    killed: 0,
    locked: 0,
    wrong: 0,
  }
  const roll = dice(7)
  const stop = new AbortController()
  const trouble = makeTrouble(lab, report, stop.signal)
  const one = async (asker: Asker, question: Question, leaves: boolean) => {
    report.operations += 1
    const signal = leaves ? AbortSignal.timeout(1 + roll(6)) : undefined
    try {
      const answer = await lab.ask(
        asker,
        `race: ${question.where}`,
        question.query,
        question.variables,
        signal,
      )
      if (answer.errors) report.failed += 1
      const tenant = (answer.data?.['whose'] ?? null) as { id: string; slug: string } | null
      if (tenant && (tenant.id !== asker.tenant.id || tenant.slug !== asker.tenant.slug)) {
        report.wrong += 1
        lab.found('race', question.where, `${asker.tenant.slug} was answered as ${tenant.slug}`)
      }
    } catch (error) {
      if (!signal?.aborted) throw error
      report.failed += 1
      report.disconnected += 1
    }
  }
  /** Past the gateway, as its query plans do: own and foreign ids in one batch. */
  const direct = async (asker: Asker, { running, document, representations, where }: Reference) => {
    report.operations += 1
    const context = { ...contexts.get(asker.tenant.id)!, requestId: `race-${report.operations}` }
    const result = await running.execute({ document, variables: { r: representations }, context })
    if (result.errors) report.failed += 1
    lab.witness.see(asker.tenant, `race: ${where}`, result)
  }
  const worker = async () => {
    while (report.operations < operations) {
      const question = questions[roll(questions.length)]!
      const start = roll(askers.length)
      const reference = roll(100) < 60 ? references[roll(references.length)] : undefined
      await Promise.all(
        Array.from({ length: atOnce }, (_, place) => {
          const asker = askers[(start + place) % askers.length]!
          return reference ? direct(asker, reference) : one(asker, question, roll(100) < 8)
        }),
      )
    }
  }
  try {
    await Promise.all(Array.from({ length: rounds }, worker))
  } finally {
    stop.abort()
    await trouble
  }
  return report
}

interface Reference {
  where: string
  running: RunningSubgraph
  document: DocumentNode
  representations: object[]
}

/** References to rows of several tenants at once, one of them malformed now and then. */
function raceReferences(lab: Lab): Reference[] {
  return lab.surface.keys.flatMap(({ name, subgraph, type }) => {
    // A subgraph that only refers to a type gives back the id it was asked with.
    const isOwner = subgraphs.some(
      (one) => one.name === subgraph && one.entities.some((entity) => entity.name === type),
    )
    if (!isOwner || lab.models.get(type)?.tenantOwned !== true) return []
    const running = [...lab.server.subgraphs.values()].find((one) => one.name === subgraph)!
    const document = parse(
      `query ($r: [_Any!]!) { _entities(representations: $r) { __typename ... on ${type} { id } } }`,
    )
    const ids = [attacker, stranger].map((tenant) => lab.rows.id(tenant, type))
    const of = (given: readonly string[]) => given.map((id) => ({ __typename: type, id }))
    return [
      { where: name, running, document, representations: of(ids) },
      { where: name, running, document, representations: of(ids) },
      { where: name, running, document, representations: of(ids) },
      { where: `${name}, malformed`, running, document, representations: of([...ids, 'no id']) },
    ]
  })
}

/** Small reads of every kind, and reads and writes that fail. */
function raceQuestions(lab: Lab): Question[] {
  const reads = lab.surface.connections
    .filter(({ parent }) => parent.length === 0)
    .map(({ name, field, node }): Question => {
      const id = lab.models.get(node)?.columns.has('id') ? 'id' : ''
      return {
        where: name,
        query: `query ($after: String) { ${field.name}(first: 5, after: $after) { nodes { __typename ${id} } } }`,
      }
    })
  const whose = { where: 'Query.tenant', query: '{ whose: tenant { id slug } viewer { id email } }' }
  const failing = reads
    .slice(0, 2)
    .map(({ where, query }) => ({ where: `${where}, forged cursor`, query, variables: { after: 'x' } }))
  const writes = lab.surface.mutations
    .filter(({ ids }) => ids.length === 1)
    .slice(0, 2)
    .map(({ field }): Question => ({
      where: field.name,
      query: `mutation ($input: ${field.args[0]!.type.toString()}) { payload: ${field.name}(input: $input) { __typename } }`,
      variables: { input: { id: uuidv7() } },
    }))
  return [...reads, whose, whose, ...failing, ...writes]
}

/** Cancels statements, kills connections, and holds locks for longer than a statement may wait. */
async function makeTrouble(lab: Lab, report: RaceReport, stopped: AbortSignal): Promise<void> {
  const client = new Client({ connectionString: lab.stage.superuserUrl })
  client.on('error', () => undefined)
  await client.connect()
  const pick = (act: 'pg_cancel_backend' | 'pg_terminate_backend', states: readonly string[]) => {
    // Not the gateway's: one of its connections holds the claim that this is the only instance.
    const text = `SELECT ${act}(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND usename LIKE 'app\\_%' AND usename <> 'app_gateway' AND state = ANY ($1)
       ORDER BY random() LIMIT 1`
    return client.query(text, [states])
  }
  const tables = await tenantTables(client)
  try {
    for (let turn = 1; !stopped.aborted; turn++) {
      await sleep(25)
      report.cancelled += (await pick('pg_cancel_backend', ['active'])).rowCount ?? 0
      if (turn % 20 === 0)
        report.killed += (await pick('pg_terminate_backend', ['active', 'idle'])).rowCount ?? 0
      if (turn % 250 === 60) await lockOut(client, tables[turn % tables.length]!, report)
    }
  } finally {
    await client.end()
  }
}

async function lockOut(client: Client, { name }: TenantTable, report: RaceReport): Promise<void> {
  const text = `LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`
  await client.query('BEGIN')
  try {
    await client.query(text)
    await sleep(statementTimeoutMs + 200)
    report.locked += 1
  } finally {
    await client.query('ROLLBACK')
  }
}
