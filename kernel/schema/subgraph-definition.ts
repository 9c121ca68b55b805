import type { DocumentNode, ExecutionResult, GraphQLSchema } from 'graphql'
import type { RequestContext } from '../context'
import type { EntityClass } from '../entity'
import type { Job } from '../jobs/job'
import type { Policies } from '../policy'
import type { RetainedRows } from '../retention/plan'
import type { PersonalDeclarations } from '../subjects/personal-rows'
import type { SensitiveFields } from '../sensitive/marks'
import type { SummaryMarks } from './markings'
import type { SubgraphName } from './subgraph-names'

/** Resolvers by type and field, as the generated `Resolvers` types them; scalars and enums as graphql-tools does. */
export type ResolverMap = Readonly<Record<string, object | undefined>>

/** One subgraph, as its `index.ts` declares it. */
export interface SubgraphDefinition {
  name: SubgraphName
  /** The TypeORM entities whose rows it has; named like their GraphQL types. */
  entities: readonly EntityClass[]
  resolvers: ResolverMap
  policies: Policies
  /** Holds what it does by itself, beside requests. */
  jobs: readonly Job[]
  /**
   * Properties by entity whose values the audit trail shows although they are of a class of sensitive data: an auditor must
   * see them, and they are neither secret nor what somebody told in confidence. Lists may be filtered and ordered by them
   * although their fields have a rule of their own, so every list of the entity must ask for what the rule asks for.
   */
  audited: Readonly<Record<string, readonly string[]>>
  /** Properties by entity that no field shows and that are encrypted as class SECRET. */
  secrets: Readonly<Record<string, readonly string[]>>
  /** Entities whose rows are people that can be erased: their values have a key for each row, and go with it. */
  erasable: readonly string[]
  /** Entity → what does not follow from its fields of rows about people. */
  subjects: PersonalDeclarations
  /** Rows that are kept for a time. */
  retained: readonly RetainedRows[]
  /** `schema/shared.graphql` and its own SDL, expanded. */
  typeDefs: DocumentNode
  /** The properties that `search` looks into, by type, as `@search` marks them. */
  searched: ReadonlyMap<string, readonly string[]>
  /** The classes of fields, as `@sensitive` gives them. */
  sensitive: SensitiveFields
  /** Fields with an access rule of their own that lists tell of, by type: their marks say `sameAccess`. */
  listed: ReadonlyMap<string, ReadonlySet<string>>
  /** The dimensions and measures of summaries, by type, as `@group` and `@measure` mark them. */
  summarized: ReadonlyMap<string, SummaryMarks>
}

/** One operation for one subgraph. */
export interface SubgraphOperation {
  /** Pass the same object for the same text: it is validated and analysed once. */
  document: DocumentNode
  operationName?: string
  variables?: object
  context: RequestContext
}

export interface RunningSubgraph {
  name: SubgraphName
  /** Holds what `_service` answers and composition takes. */
  sdl: string
  schema: GraphQLSchema
  /** Answers as GraphQL does: every error is masked and has a code. Never throws for what a client sent. */
  execute(operation: SubgraphOperation): Promise<ExecutionResult>
  /** Takes nothing more and waits for what runs; its database is closed by whoever opened it. */
  close(): Promise<void>
}
