import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { concatAST, Source, type DocumentNode } from 'graphql'
import { projectRoot } from './process/config'
import type { Services } from './context'
import type { Database } from './connection/database'
import type { EntityClass } from './entity'
import { executor } from './execution/execute'
import { declareJobs, type Job } from './jobs/job'
import { jobWorker } from './jobs/worker'
import type { SubgraphName } from './schema/subgraph-names'
import type { Policies } from './policy'
import { bindNameColumns } from './reading/name-columns'
import { expand } from './schema/expand'
import { listedFields, searchedFields, summarizedFields } from './schema/markings'
import { sensitiveFields } from './sensitive/marks'
import { parseSdl, readSdl } from './schema/sdl'
import type { RetainedRows } from './retention/plan'
import type { PersonalDeclarations } from './subjects/personal-rows'
import { subjectDataJob } from './subjects/subject-data'
import type { ResolverMap, RunningSubgraph, SubgraphDefinition } from './schema/subgraph-definition'
import { buildSchema, type SchemaVariant } from './schema/subgraph-schema'

export type {
  ResolverMap,
  RunningSubgraph,
  SubgraphDefinition,
  SubgraphOperation,
} from './schema/subgraph-definition'

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
    audited?: SubgraphDefinition['audited']
    secrets?: SubgraphDefinition['secrets']
    erasable?: SubgraphDefinition['erasable']
    /** Makes its job for people who ask for their data, and says what does not follow from the fields. */
    subjects?: PersonalDeclarations
    /** Says what it keeps for a time: what holds a row from removal holds it from erasure. */
    retained?: readonly RetainedRows[]
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
    jobs: declareJobs(name, [
      ...(parts.jobs ?? []),
      ...(parts.subjects ? [subjectDataJob(name, parts.subjects, parts.retained ?? []) as Job] : []),
    ]),
    subjects: parts.subjects ?? {},
    retained: parts.retained ?? [],
    audited: parts.audited ?? {},
    secrets: parts.secrets ?? {},
    erasable: parts.erasable ?? [],
    typeDefs: parts.typeDefs ? expand(parts.typeDefs) : readSdl(sources),
    searched: searchedFields(written),
    sensitive: sensitiveFields(written),
    listed: listedFields(written),
    summarized: summarizedFields(written),
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
 * with the definition's entities, and does its jobs unless JOBS is off. Throws one error with a line per fault: a field
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
  await bindNameColumns(database)
  const { schema, sdl } = await buildSchema(definition, database, variant)
  const worker =
    definition.jobs.length > 0 && services.config.jobs
      ? jobWorker(definition.name, definition.jobs, database, services)
      : null
  worker?.start()
  const { execute, close } = executor(schema, database, services)
  return {
    name: definition.name,
    sdl,
    schema,
    execute,
    close: async () => {
      await Promise.all([worker?.stop(), close()])
    },
  }
}
