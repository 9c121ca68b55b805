import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { DocumentNode, ExecutionResult, GraphQLSchema } from 'graphql'
import { concatAST, Source } from 'graphql'
import { projectRoot } from './process/config'
import type { RequestContext, Services } from './context'
import type { Database } from './connection/database'
import type { EntityClass } from './entity'
import { executor } from './execution/execute'
import { startJobs, type Job } from './jobs'
import type { SubgraphName } from './schema/subgraph-names'
import type { Policies } from './policy'
import { expand } from './schema/expand'
import { searchedFields } from './schema/markings'
import { parseSdl, readSdl } from './schema/sdl'
import { buildSchema, type SchemaVariant } from './schema/subgraph-schema'

/** Resolvers by type and field, as the generated `Resolvers` types them; scalars and enums as graphql-tools does. */
export type ResolverMap = Readonly<Record<string, object | undefined>>

/** One subgraph, as its `index.ts` declares it. */
export interface SubgraphDefinition {
  name: SubgraphName
  /** The TypeORM entities whose rows it has; named like their GraphQL types. */
  entities: readonly EntityClass[]
  resolvers: ResolverMap
  policies: Policies
  /** What it does by itself, beside requests. */
  jobs: readonly Job[]
  /** `schema/shared.graphql` and its own SDL, expanded. */
  typeDefs: DocumentNode
  /** The properties that `search` looks into, by type, as `@search` marks them. */
  searched: ReadonlyMap<string, readonly string[]>
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
  /** What `_service` answers and composition takes. */
  sdl: string
  schema: GraphQLSchema
  /** Answers as GraphQL does: every error is masked and has a code. Never throws for what a client sent. */
  execute(operation: SubgraphOperation): Promise<ExecutionResult>
  /** Takes nothing more and waits for what runs; its database is closed by whoever opened it. */
  close(): Promise<void>
}

/** The files of a subgraph: `schema/shared.graphql`, then those of the folder `schema/<name>` by name. */
function sdlFiles(name: SubgraphName): Source[] {
  const folder = join(projectRoot, 'schema', name)
  const files = existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => file.endsWith('.graphql'))
        .sort()
        .map((file) => join(folder, file))
    : [`${folder}.graphql`]
  return [join(projectRoot, 'schema', 'shared.graphql'), ...files].map(
    (file) => new Source(readFileSync(file, 'utf8'), relative(projectRoot, file)),
  )
}

/**
 * The SDL of a subgraph from its files, expanded.
 * @throws SdlError that begins with file, line and column
 */
export function readTypeDefs(name: SubgraphName): DocumentNode {
  return readSdl(sdlFiles(name))
}

/**
 * Declares a subgraph from its parts. `typeDefs` replaces the files of `schema/`, for tests. Throws when two resolver
 * maps answer the same field.
 */
export function subgraph(
  name: SubgraphName,
  parts: {
    entities: readonly EntityClass[]
    resolvers: readonly ResolverMap[]
    policies?: Policies
    jobs?: readonly Job[]
    typeDefs?: DocumentNode
  },
): SubgraphDefinition {
  const sources = parts.typeDefs ? [] : sdlFiles(name)
  const written = parts.typeDefs ?? concatAST(sources.map(parseSdl))
  return {
    name,
    entities: parts.entities,
    resolvers: mergeResolvers(name, parts.resolvers),
    policies: parts.policies ?? {},
    jobs: parts.jobs ?? [],
    typeDefs: parts.typeDefs ? expand(parts.typeDefs) : readSdl(sources),
    searched: searchedFields(written),
  }
}

function mergeResolvers(name: SubgraphName, maps: readonly ResolverMap[]): ResolverMap {
  const types: Record<string, Record<string, unknown>> = {}
  for (const [type, fields] of maps.flatMap((map) => Object.entries(map))) {
    for (const [field, resolver] of Object.entries(fields ?? {})) {
      const known = (types[type] ??= {})
      if (field in known) throw new Error(`${name}: two resolvers answer ${type}.${field}`)
      known[field] = resolver
    }
  }
  return types
}

/**
 * Builds the guarded schema of a subgraph and answers operations over the given database, which must have been opened
 * with the definition's entities, after each of its jobs ran once. Throws one error with a line per fault: a field
 * that nothing answers, a resolver without field, access that is not declared or cannot be enforced.
 *
 * `variant` replaces parts of the machine in tests and benchmarks; no configuration reaches it.
 */
export async function startSubgraph(
  definition: SubgraphDefinition,
  database: Database,
  services: Services,
  variant: SchemaVariant = {},
): Promise<RunningSubgraph> {
  const { schema, sdl } = await buildSchema(definition, database, variant)
  const stopJobs = await startJobs(definition.jobs, database, services)
  const { execute, close } = executor(schema, database, services)
  return {
    name: definition.name,
    sdl,
    schema,
    execute,
    close: async () => {
      await Promise.all([stopJobs(), close()])
    },
  }
}
