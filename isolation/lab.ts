import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Supergraph } from '@apollo/federation-internals'
import { parse, TypeInfo, visit, visitWithTypeInfo, type GraphQLSchema } from 'graphql'
import { Client } from 'pg'
import { encryptClearRows } from '../database/encrypt-rows'
import { loadable } from '../registry/composition/compose'
import { askForRow } from '../gateway/live/changed-rows'
import { startServer, type RunningServer, type ServerOptions } from '../product/server'
import { projectRoot, type Config } from '../kernel/process/config'
import type { Clock } from '../kernel/clock'
import type { Database } from '../kernel/connection/database'
import { entityModels, type EntityModel } from '../kernel/schema/entity-model'
import type { Logger } from '../kernel/process/log'
import type { SubgraphName } from '../kernel/schema/subgraph-names'
import { readRights } from './rights'
import { Askers, type Answer, type Asker } from './askers'
import { expectedCoverage, type Coverage } from './coverage'
import { isPlatformType, operatorDoors, withoutOperators, type PlatformField } from './platform'
import { attacker, stranger, type AttackedTenant } from './population'
import { encryptedColumns, readRows, type Rows } from './rows'
import type { Stage } from './stage'
import { readSurface, type Surface } from './surface'
import { ReadRecord } from './unrecorded'
import { createWitness, type Finding, type Witness } from './witness'

/** The running product with all that an attack needs to know of it. */
export interface Lab {
  stage: Stage
  server: RunningServer
  /** As superuser: past every wall, to aim and to check. */
  client: Client
  /** The graph as far as somebody of a tenant can be allowed to ask. */
  api: GraphQLSchema
  /** Fields that operators of the platform alone may ask for. */
  platformFields: readonly PlatformField[]
  models: ReadonlyMap<string, EntityModel>
  surface: Surface
  rows: Rows
  coverage: Coverage
  witness: Witness
  findings: Finding[]
  /** Asks for the rows that streams tell of. */
  askForRow: typeof askForRow
  /** Says how many operations were sent. */
  operations(): number
  /** Somebody of a tenant, signed in. */
  as(tenant: AttackedTenant, user?: string): Promise<Asker>
  /** Signs somebody in again whose session has ended. */
  renew(tenant: AttackedTenant, user?: string): Promise<void>
  /** Asks over HTTP; the witness sees the answer. */
  ask(
    asker: Asker,
    where: string,
    query: string,
    variables?: Record<string, unknown>,
    signal?: AbortSignal,
  ): Promise<Answer>
  /** Posts a body of the attack's own; null: as nobody. Only what the body says is known to the asker already. */
  post(asker: Asker | null, where: string, body: object): Promise<Answer>
  /** Posts a body with an API key in place of a session; the witness sees the answer as the tenant's. */
  postWithKey(tenant: AttackedTenant, key: string, where: string, body: object): Promise<Answer>
  /** Asks, and tells what it made the product send to the database. Nobody else may ask meanwhile. */
  traced(work: () => Promise<Answer>): Promise<{ answer: Answer; statements: string[] }>
  /** Works while reads are not recorded: what asking adds to the audit trail would change what is asked. */
  unrecorded<T>(work: () => Promise<T>): Promise<T>
  found(attack: string, where: string, what: string): void
  close(): Promise<void>
}

/** The product's time stands still, so that two equal questions have equal answers. */
export function standingClock(): Clock {
  const now = Date.now()
  return { now: () => new Date(now) }
}

/** All streams are followed at once. */
const everyStream = { perSession: 1000, perUser: 1000, perTenant: 1000 }

/** Starts the product on a populated stage. `twins` are its tenants besides the attacker and the stranger. */
export async function openLab(
  stage: Stage,
  twins: readonly AttackedTenant[],
  options: { config: Config; log: Logger; clock?: Clock } & Pick<
    ServerOptions,
    'variants' | 'around' | 'makePlans'
  >,
): Promise<Lab> {
  const databases: Database[] = []
  const trace = new StatementTrace()
  const record = new ReadRecord()
  const { around = (_role, database) => database, ...given } = options
  const server = await startServer({
    ...given,
    clock: options.clock ?? standingClock(),
    database: stage,
    live: { limits: everyStream, ask: (...given) => lab.askForRow(...given) },
    // What runs beside requests would be among the statements of an attack.
    backgroundMs: 3_600_000,
    around: (role, database) => {
      databases.push(database)
      return record.around(around(role, database))
    },
    onStatement: (role, { text }) => trace.note(role, text),
  })
  await encryptClearRows(stage.migratorUrl, server.services.dataKeys, server.encryptedModels)
  const client = new Client({ connectionString: stage.superuserUrl })
  await client.connect()
  const { models, api, platformFields } = readTarget(server, databases)
  const rows = await readRows(client, models, [attacker, stranger, ...twins.slice(0, 1)])
  const surface = readSurface(api, server.subgraphs, models, rows)
  surface.keys = surface.keys.filter(({ type }) => !isPlatformType(type, server))
  const coverage = expectedCoverage(api, surface, {
    encrypted: encryptedColumns(models.values()),
    rights: (await readRights(client)).map(({ name }) => name),
  })
  coverage.expect('operator door', [...platformFields.map(({ field }) => field.name), ...operatorDoors])
  const witness = await createWitness(client)
  const findings: Finding[] = []
  const askers = new Askers(server.url)
  const cover = coverageOf(api, coverage)

  const lab: Lab = {
    stage,
    server,
    client,
    api,
    platformFields,
    models,
    surface,
    rows,
    coverage,
    witness,
    findings,
    askForRow,
    operations: () => askers.operations,
    as: (tenant, user) => askers.as(tenant, user),
    renew: renewing(client, askers),
    async ask(asker, where, query, variables, signal) {
      cover(query)
      if (query.startsWith('mutation')) witness.wrote(variables)
      const answer = await askers.send(asker.token, { query, variables }, signal)
      // An attack by nobody proves nothing.
      if (answer.status === 401)
        findings.push({ attack: 'session', where, what: 'the attacker was signed out' })
      witness.see(asker.tenant, where, answer, `${query} ${JSON.stringify(variables ?? {})}`)
      return answer
    },
    async post(asker, where, body) {
      const answer = await askers.send(asker?.token ?? null, body)
      if (asker) witness.see(asker.tenant, where, answer, JSON.stringify(body))
      return answer
    },
    async postWithKey(tenant, key, where, body) {
      const answer = await askers.sendWithKey(key, body)
      witness.see(tenant, where, answer, JSON.stringify(body))
      return answer
    },
    traced: (work) => trace.during(work),
    unrecorded: (work) => record.off(work),
    found: (attack, where, what) => void findings.push({ attack, where, what }),
    async close() {
      await client.end()
      await server.close()
    },
  }

  return lab
}

/** Signs in again with the password alone, whatever an attack did to second factors: no passkey of the stage can sign. */
const renewing =
  (client: Client, askers: Askers): Lab['renew'] =>
  async (tenant, user) => {
    const text = 'UPDATE identity.users SET mfa_enabled = false WHERE tenant_id = $1 AND mfa_enabled'
    await client.query(text, [tenant.id])
    await askers.renew(tenant, user)
  }

/** The graph and the models as far as tenants can be in them, and the fields that are operators' alone. */
function readTarget(server: RunningServer, databases: readonly Database[]) {
  const supergraph = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
  const whole = Supergraph.build(loadable(supergraph)).apiSchema().toGraphQLJSSchema()
  const models = modelsOf(databases)
  for (const name of models.keys()) if (isPlatformType(name, server)) models.delete(name)
  return { models, ...withoutOperators(whole, server) }
}

/** The models of all subgraphs by name. */
function modelsOf(databases: readonly Database[]): Map<string, EntityModel> {
  const models = databases.flatMap((database) => [...entityModels(database.dataSource).values()])
  return new Map(models.map((model) => [model.name, model]))
}

/** Collects what the product sends to the database while it is asked to. */
class StatementTrace {
  readonly #statements: string[] = []
  #isTracing = false

  note(role: SubgraphName | 'gateway', text: string): void {
    // The gateway's own (sessions, usage) come at times of their own, and so do look-ups of keys that left the memory.
    if (this.#isTracing && role !== 'gateway' && !text.includes('FROM shared.data_keys'))
      this.#statements.push(`${role}: ${text}`)
  }

  async during(work: () => Promise<Answer>): Promise<{ answer: Answer; statements: string[] }> {
    this.#statements.length = 0
    this.#isTracing = true
    try {
      const answer = await work()
      return { answer, statements: [...this.#statements] }
    } finally {
      this.#isTracing = false
    }
  }
}

/** Counts the fields that documents ask for, each document once. */
function coverageOf(api: GraphQLSchema, coverage: Coverage): (query: string) => void {
  const covered = new Set<string>()
  return (query) => {
    if (covered.has(query)) return
    covered.add(query)
    const info = new TypeInfo(api)
    visit(
      parse(query),
      visitWithTypeInfo(info, {
        Field(node) {
          const parent = info.getParentType()
          if (parent === api.getQueryType()) coverage.attacked('root field', node.name.value)
          else if (parent) coverage.attacked('field', `${parent.name}.${node.name.value}`)
        },
      }),
    )
  }
}
