import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { insertDemoData } from '../../database/demo'
import { encryptRows, makeTenantKeys } from '../../database/encrypt-rows'
import { demoUserIds, type DemoSlug, type DemoUserName } from '../../database/demo/ids'
import { createTenant, createUser } from '../../database/tenants'
import type { SystemRole } from '../../migrations/permissions'
import { startServer, type RunningServer, type ServerOptions } from '../../product/server'
import type { Clock } from '../../kernel/clock'
import { loadConfig, type Config } from '../../kernel/process/config'
import type { Statement } from '../../kernel/connection/database'
import { createLogger } from '../../kernel/process/log'
import type { SubgraphName } from '../../kernel/schema/subgraph-names'
import { hashPassword } from '../../kernel/sign-in/password'
import { newKeyRing } from '../../kernel/encryption/key-ring'
import { filledTemplate, freshDatabase, type TestDatabase } from './postgres'
import { oncePerRun } from './once-per-run'
import { assertByTheClock } from './clock-lint'
import { assertDistributable } from './statement-lint'

/** A clock that stands on the real time until it is moved. */
export class TestClock implements Clock {
  private offsetMs = 0
  private stoppedAt: number | null = null
  now(): Date {
    return new Date((this.stoppedAt ?? Date.now()) + this.offsetMs)
  }
  /** Goes on by `advance` alone from here on: what slides with time, such as the last use of a session, stays as it is. */
  stop(): void {
    this.stoppedAt = Date.now()
  }
  advance(by: { days?: number; hours?: number; minutes?: number; seconds?: number }): void {
    const { days = 0, hours = 0, minutes = 0, seconds = 0 } = by
    this.offsetMs += (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
  }
}

export interface AnswerError {
  message: string
  path?: (string | number)[]
  extensions: { code: string; traceId?: string }
}

export interface Answer<T = Record<string, unknown>> {
  status: number
  data: T | null
  errors?: AnswerError[]
}

/** Somebody who asks the graph over HTTP. */
export interface TestClient {
  /** Empty when anonymous. */
  userId: string
  headers: Record<string, string>
  /** The whole answer, errors included. */
  query<T = Record<string, never>>(query: string, variables?: Record<string, unknown>): Promise<Answer<T>>
  /** The data of an answer without errors; otherwise throws with query, variables and answer. */
  data<T>(query: string, variables?: Record<string, unknown>): Promise<T>
}

export interface TestTenant {
  id: string
  slug: string
  /** A signed-in user with this system role; the same one each time. */
  as(role: SystemRole): Promise<TestClient>
  /** A further user with these roles. */
  user(...roles: SystemRole[]): Promise<TestClient & { email: string; password: string }>
}

export interface TestGraph {
  server: RunningServer
  database: TestDatabase
  clock: TestClock
  config: Config
  /** A connection as the owner of every table, past row level security: to prepare and to check. */
  owner: Client
  fromManyNetworks: boolean
  anonymous: TestClient
  tenant(slug: string): Promise<TestTenant>
  /** A signed-in user of the demo data; the graph must have been started with `demo`. */
  demo(slug: DemoSlug, user: DemoUserName): Promise<TestClient>
  /**
   * Runs the work and returns the statements that were sent meanwhile, without BEGIN, COMMIT and the like, without
   * look-ups of keys that are not in memory yet, and without the gateway's look whether a session still holds: it comes
   * once a minute, so how long a test takes would decide. `withSessions` counts it.
   */
  statementsDuring(
    work: () => Promise<unknown>,
    options?: { withSessions?: boolean },
  ): Promise<{ role: SubgraphName | 'gateway'; text: string; values: readonly unknown[] }[]>
  /** Fails when a statement was sent that a distributed PostgreSQL could not run, or that goes by a clock nobody can move. */
  close(): Promise<void>
}

/** The test user's password: bcrypt with 4 rounds, so that signing in costs nothing here. */
export const password = 'correct horse battery'

/** The last operations since the current test began; the test environment prints them when it fails. */
const operations = ((globalThis as { testOperations?: (() => string)[] }).testOperations ??= [])
const shownOperations = 5

/** The whole product in this process over a database of its own. */
export async function startGraph(
  options: Partial<Omit<ServerOptions, 'config' | 'database'>> & {
    env?: NodeJS.ProcessEnv
    database?: TestDatabase
    /** Fill the database with the demo data first. */
    demo?: boolean
    /** bcrypt's cost; those of the product are slow. */
    passwordRounds?: number
    /** Has each user sign in from a network of their own, for more than a few hundred of them. */
    fromManyNetworks?: boolean
    /** The database takes no session of an operator at another time than its own, as in the product: the test's clock does not move. */
    isByTrueTime?: boolean
  } = {},
): Promise<TestGraph> {
  const {
    env,
    database: given,
    demo,
    onStatement,
    passwordRounds = 4,
    fromManyNetworks = false,
    isByTrueTime,
    ...rest
  } = options
  const hasOwnKeys = Object.keys(env ?? {}).some((name) => name.startsWith('ENCRYPTION_'))
  const copiesDemo = demo && !given && !hasOwnKeys
  const database = given ?? (await freshDatabase(copiesDemo ? { copyOf: await demoTemplate() } : {}))
  const dataDir = mkdtempSync(join(tmpdir(), 'graph-'))
  // Tests do jobs when they mean it: a statement that comes by itself would be counted.
  const quiet = { JOBS: 'off', LOG_LEVEL: 'silent', TRUST_PROXY: String(fromManyNetworks) }
  // Walking everything asks in a minute what a tenant asks in an hour, and how fast depends on the machine.
  const wide = { TENANT_COST_PER_MINUTE: '999999999' }
  const keys = copiesDemo ? { ENCRYPTION_KEYS: demoKeys() } : {}
  const settings = loadConfig({
    NODE_ENV: 'test',
    PORT: '0',
    DATA_DIR: dataDir,
    ...quiet,
    ...wide,
    ...keys,
    ...env,
  })
  const config = { ...settings, passwordRounds }
  const clock = new TestClock()
  const statements: { role: SubgraphName | 'gateway'; text: string; values: readonly unknown[] }[] = []
  const distinct = new Set<string>()
  const server = await startServer({
    config,
    log: createLogger(config),
    database,
    clock,
    // Written at the end only, or the statements of a test would depend on how long it takes.
    usageIntervalMs: 3_600_000,
    backgroundMs: 3_600_000,
    makePlans: 'here',
    onStatement: (role, statement: Statement, binding) => {
      statements.push({ role, text: statement.text, values: statement.values ?? [] })
      distinct.add(statement.text)
      onStatement?.(role, statement, binding)
    },
    ...rest,
  })
  const owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
  if (!isByTrueTime)
    await owner.query(
      `CREATE OR REPLACE FUNCTION identity.operator_clock_slack() RETURNS interval LANGUAGE sql STABLE AS $$ SELECT interval '25 hours' $$`,
    )
  await addTestSeller(owner)
  if (demo && !copiesDemo) {
    await inTransaction(owner, () => insertDemoData(owner, { password, rounds: 4 }))
    await encryptRows(owner, server.services.dataKeys, server.encryptedModels, { isClearOnly: true })
  }
  await makeTenantKeys(owner, server.services.dataKeys)
  const tenants = new Map<string, Promise<TestTenant>>()
  const graph: TestGraph = {
    server,
    database,
    clock,
    config,
    owner,
    fromManyNetworks,
    anonymous: testClient(server.url, '', {}),
    tenant(slug) {
      let tenant = tenants.get(slug)
      if (!tenant) tenants.set(slug, (tenant = addTenant(graph, slug)))
      return tenant
    },
    async demo(slug, user) {
      const token = await signIn(graph, slug, `${user}@${slug}.example`)
      return testClient(server.url, demoUserIds[slug][user], { authorization: `Bearer ${token}` })
    },
    async statementsDuring(work, { withSessions = false } = {}) {
      const before = statements.length
      await work()
      return (
        statements
          .slice(before)
          .filter(({ text }) => !/^\s*(begin|start|commit|rollback|savepoint|release)\b/i.test(text))
          // Once in five minutes and tenant.
          .filter(({ text }) => !text.includes('shared.data_keys'))
          .filter(({ text }) => withSessions || !text.includes('FROM shared.session_viewer('))
      )
    },
    async close() {
      await server.close()
      try {
        await assertDistributable(owner, distinct)
        assertByTheClock(distinct)
      } finally {
        await owner.end()
        if (!given) await database.drop()
        rmSync(dataDir, { recursive: true, force: true })
      }
    },
  }
  return graph
}

/** Documents are issued by somebody; in the demo by whom it says. */
async function addTestSeller(owner: Client): Promise<void> {
  await owner.query(
    `INSERT INTO tenancy.sellers (id, valid_from, legal_name, street, postal_code, city, country, tax_id, email)
     SELECT gen_random_uuid(), '2000-01-01', $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS (SELECT FROM tenancy.sellers)`,
    [
      ...[
        'Test Cloud GmbH',
        'Hafenstraße 1',
        '20457',
        'Hamburg',
        'DE',
        'DE123456789',
        'billing@cloud.example',
      ],
    ],
  )
}

/** The master key of demo data that is encrypted once and copied. */
const demoKeys = (): string => oncePerRun('keys of the demo data', () => newKeyRing(new Date()))

/** The database with the demo data of today, encrypted, that files which ask for the demo begin with. */
function demoTemplate(): Promise<string> {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '')
  return filledTemplate(`tenantgraph_demo_${day}`, async (database) => {
    const graph = await startGraph({ database, demo: true, env: { ENCRYPTION_KEYS: demoKeys() } })
    await graph.close()
  })
}

async function inTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query('BEGIN')
  try {
    const result = await work()
    await client.query('COMMIT')
    return result
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}

async function addTenant(graph: TestGraph, slug: string): Promise<TestTenant> {
  const { dataKeys } = graph.server.services
  const id = await inTransaction(graph.owner, async () => {
    const made = await createTenant(graph.owner, { slug, name: `${slug} Ltd` })
    await makeTenantKeys(graph.owner, dataKeys)
    return made
  })
  const known = new Map<SystemRole, Promise<TestClient>>()
  let count = 0
  const user: TestTenant['user'] = async (...roles) => {
    const email = `user${++count}@${slug}.example`
    const passwordHash = await hashPassword(password, 4)
    const userId = await inTransaction(graph.owner, () =>
      createUser(graph.owner, id, {
        email,
        passwordHash,
        firstName: roles[0] ?? 'No',
        lastName: `Role ${count}`,
        roles,
      }),
    )
    const token = await signIn(graph, slug, email)
    return { ...testClient(graph.server.url, userId, { authorization: `Bearer ${token}` }), email, password }
  }
  return {
    id,
    slug,
    user,
    as(role) {
      let client = known.get(role)
      if (!client) known.set(role, (client = user(role)))
      return client
    },
  }
}

let signIns = 0

async function signIn(graph: TestGraph, tenant: string, email: string): Promise<string> {
  // From one network alone so many could not sign in.
  const from = { 'x-forwarded-for': `198.18.${(++signIns >> 8) & 255}.${signIns & 255}` }
  const nobody = graph.fromManyNetworks ? testClient(graph.server.url, '', from) : graph.anonymous
  const { signIn: payload } = await nobody.data<{
    signIn: { accessToken: string | null; userErrors: object[] }
  }>('mutation ($input: SignInInput!) { signIn(input: $input) { accessToken userErrors { message } } }', {
    input: { tenant, email, password },
  })
  if (!payload.accessToken) throw new Error(`${email} cannot sign in: ${JSON.stringify(payload.userErrors)}`)
  return payload.accessToken
}

/** A client of any GraphQL endpoint; what it sends and gets is printed when the test fails. */
export function testClient(url: string, userId: string, headers: Record<string, string>): TestClient {
  const query: TestClient['query'] = async <T>(text: string, variables?: Record<string, unknown>) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query: text, variables }),
    })
    const answer = { status: response.status, ...((await response.json()) as Omit<Answer<T>, 'status'>) }
    operations.push(() => describeOperation(text, variables, answer))
    if (operations.length > shownOperations) operations.shift()
    return answer
  }
  return {
    userId,
    headers,
    query,
    async data<T>(text: string, variables?: Record<string, unknown>) {
      let answer = await query<T>(text, variables)
      // What is refused for now is sent again, as docs/errors.md asks clients to: how busy the machine is decides nothing.
      for (let again = 0; again < 20 && isRefusedForNow(answer); again++) {
        await sleep(1000)
        answer = await query<T>(text, variables)
      }
      if (answer.errors || !answer.data) throw new Error(describeOperation(text, variables, answer))
      return answer.data
    },
  }
}

/** Tells whether nothing was done because too much was going on at once. */
const isRefusedForNow = ({ errors }: Pick<Answer, 'errors'>): boolean =>
  errors?.length === 1 && errors[0]!.extensions.code === 'OVERLOADED'

function describeOperation(query: string, variables: unknown, answer: unknown): string {
  return `${query}\nvariables: ${JSON.stringify(variables ?? {})}\nanswer: ${JSON.stringify(answer, null, 2)}`
}
