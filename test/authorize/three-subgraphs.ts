import { randomBytes } from 'node:crypto'
import { ApolloGateway, LocalGraphQLDataSource } from '@apollo/gateway'
import { parse, type DocumentNode, type ExecutionResult } from 'graphql'
import { Headers } from 'undici'
import { compose, loadable } from '../../registry/composition/compose'
import { DataKeys } from '../../kernel/encryption/data-keys'
import { keyRing } from '../../kernel/encryption/key-ring'
import { systemClock } from '../../kernel/clock'
import type { RequestContext, Services, Viewer } from '../../kernel/context'
import type { Database } from '../../kernel/connection/database'
import { createLogger } from '../../kernel/process/log'
import type { SubgraphName } from '../../kernel/schema/subgraph-names'
import type { Policies } from '../../kernel/policy'
import { startSubgraph } from '../../kernel/execution/start-subgraph'
import { readTypeDefs } from '../../kernel/schema/sdl-files'
import {
  subgraph,
  type ResolverMap,
  type RunningSubgraph,
  type SubgraphDefinition,
} from '../../kernel/subgraph'
import type { SchemaVariant } from '../../kernel/schema/subgraph-schema'

export const log = createLogger({ logLevel: 'silent' })

/** The shared SDL without any subgraph's own. */
const shared: DocumentNode = {
  ...readTypeDefs('hr'),
  definitions: readTypeDefs('hr').definitions.filter(
    ({ loc }) => loc!.source.name === 'schema/shared.graphql',
  ),
}

/** A definition from SDL text; nothing is read from `schema/` but the shared part. */
export function define(
  name: SubgraphName,
  sdl: string,
  resolvers: ResolverMap,
  policies: Policies = {},
): SubgraphDefinition {
  const typeDefs = { ...shared, definitions: [...shared.definitions, ...parse(sdl).definitions] }
  return subgraph(name, { entities: [], resolvers: [resolvers], policies, typeDefs })
}

/** No subgraph here has rows: a test that reached a database would fail. */
export const noDatabase = { dataSource: { entityMetadatas: [] } } as unknown as Database
const dataKeys = new DataKeys(keyRing(new Map([['test', randomBytes(32)]])))
export const noServices = { clock: systemClock, log, dataKeys } as unknown as Services

export const start = (definition: SubgraphDefinition, variant?: SchemaVariant): Promise<RunningSubgraph> =>
  startSubgraph(definition, noDatabase, noServices, variant)

/** Somebody with these scopes; null is nobody. */
export function request(scopes: string[] | null, userId = 'u1'): RequestContext {
  const viewer: Viewer | null = scopes && {
    tenantId: '01890000-0000-7000-8000-000000000001',
    userId,
    sessionId: null,
    permissionVersion: 1,
    scopes: new Set(scopes),
  }
  return { requestId: 'request-1', viewer, clientIp: null, userAgent: null, clock: systemClock, log }
}

interface EmployeeRow {
  id: string
  userId: string | null
  salary: number
  notes: string
  level: string
  managerId: string | null
}

const employees: EmployeeRow[] = [
  { id: 'e1', userId: 'u1', salary: 100, notes: 'n1', level: 'junior', managerId: null },
  { id: 'e2', userId: 'u2', salary: 200, notes: 'n2', level: 'senior', managerId: 'e1' },
  { id: 'e3', userId: null, salary: 300, notes: 'n3', level: 'junior', managerId: 'e2' },
]
const byId = (id: unknown) => employees.find((employee) => employee.id === id) ?? null

/** Counts how often a rule that looks at rows was asked. */
export const asked = { self: 0 }

const self: Policies = {
  self: {
    columns: ['userId'],
    allow: (viewer, row) => {
      asked.self++
      return row['userId'] === viewer.userId
    },
  },
}

export const identity = define(
  'identity',
  `
  "A user." type User @key(fields: "id") @authenticated { "Id." id: ID! "Name." name: String }
  type Query {
    "All users." users: [User!] @authenticated
    "The message of the day." motd: String @public
    "For administrators." secrets: String @requiresScopes(scopes: [["identity:secret:read"]])
  }`,
  {
    Query: {
      users: () => ['u1', 'u2'].map((id) => ({ id, name: `Name ${id}` })),
      motd: () => 'hello',
      secrets: () => 'secret',
    },
    User: { __resolveReference: ({ id }: { id: string }) => ({ id, name: `Name ${id}` }) },
  },
)

export const hr = define(
  'hr',
  `
  "An employee." type Employee @key(fields: "id") @requiresScopes(scopes: [["hr:employee:read"]]) {
    "Id." id: ID!
    "Level." level: String
    "Pay." salary: Int @requiresScopes(scopes: [["hr:salary:read"], ["hr:pay:read", "hr:audit:read"]])
    "Notes about a person, for that person." notes: String @policy(policies: [["self"]])
    "Who leads." manager: Employee
  }
  type User @key(fields: "id") {
    "Id." id: ID!
    "Their employment." employee: Employee @authenticated
  }
  "Rows." type EmployeeConnection { "Rows." nodes: [Employee!]! "Edges." edges: [EmployeeEdge!]! }
  "A row." type EmployeeEdge { "Row." node: Employee! }
  "What happened." type HirePayload { "Who." employee: Employee }
  type Query {
    "A page." employees("Order." direction: OrderDirection, "How long." per: TimeBucket): EmployeeConnection @authenticated
    "One." employee("Id." id: ID!): Employee @authenticated
  }
  type Mutation { "Hires." hire: HirePayload @requiresScopes(scopes: [["hr:employee:write"]]) }`,
  {
    Query: {
      employees: () => ({ nodes: employees, edges: employees.map((node) => ({ node })) }),
      employee: (_: unknown, { id }: { id: string }) => byId(id),
    },
    Mutation: { hire: () => ({ employee: employees[0] }) },
    Employee: {
      __resolveReference: ({ id }: { id: string }) => byId(id),
      manager: ({ managerId }: EmployeeRow) => byId(managerId),
    },
    User: { employee: ({ id }: { id: string }) => employees.find(({ userId }) => userId === id) ?? null },
  },
  self,
)

export const finance = define(
  'finance',
  `
  "A claim." type Claim @key(fields: "id") @requiresScopes(scopes: [["finance:claim:read"]]) {
    "Id." id: ID!
    "Money." amount: Int @requiresScopes(scopes: [["finance:amount:read"]])
    "Whose." by: Employee
  }
  type Employee @key(fields: "id") {
    "Id." id: ID!
    "Level." level: String @external
    "What may be claimed." allowance: Int
      @requires(fields: "level") @requiresScopes(scopes: [["finance:claim:read", "hr:employee:read"]])
  }
  type Query { "All claims." claims: [Claim!] @requiresScopes(scopes: [["finance:claim:read"]]) }`,
  {
    Query: {
      claims: () => employees.map(({ id }, index) => ({ id: `c${index}`, amount: index, by: { id } })),
    },
    Claim: { __resolveReference: ({ id }: { id: string }) => ({ id, amount: 1, by: null }) },
    Employee: { allowance: ({ level }: { level: string }) => (level === 'senior' ? 2000 : 1000) },
  },
)

/** The three composed, in one process, behind ApolloGateway. */
export interface Graph {
  running: Map<string, RunningSubgraph>
  ask(query: string, context: RequestContext): Promise<ExecutionResult>
  stop(): Promise<void>
}

export async function startThree(variant?: SchemaVariant): Promise<Graph> {
  const definitions = [identity, hr, finance]
  const running = new Map<string, RunningSubgraph>()
  for (const definition of definitions) running.set(definition.name, await start(definition, variant))
  const gateway = new ApolloGateway({
    supergraphSdl: loadable(compose(definitions)),
    buildService: ({ name }) =>
      Object.assign(Object.create(LocalGraphQLDataSource.prototype) as LocalGraphQLDataSource, {
        process: async ({
          request,
          context,
        }: {
          request: { query: string; variables: object }
          context: RequestContext
        }) =>
          running.get(name)!.execute({
            document: parse(request.query),
            variables: request.variables,
            context,
          }),
      }),
  })
  const { executor } = await gateway.load()
  return {
    running,
    async ask(query, context) {
      const result = await executor({
        document: parse(query),
        request: { query, http: { headers: new Headers() } },
        queryHash: query,
        context,
        operationName: null,
        operation: parse(query).definitions[0],
        cache: undefined,
        logger: console,
        metrics: {},
        schema: undefined,
        overallCachePolicy: undefined,
      } as unknown as Parameters<typeof executor>[0])
      return result as ExecutionResult
    },
    stop: () => gateway.stop(),
  }
}

/** Path and code of each error, sorted, and the data as plain objects. */
export function summary({ data, errors }: ExecutionResult) {
  return {
    data: JSON.parse(JSON.stringify(data ?? null)) as unknown,
    errors: (errors ?? []).map(({ path, extensions }) => `${path?.join('.')} ${extensions['code']}`).sort(),
  }
}
