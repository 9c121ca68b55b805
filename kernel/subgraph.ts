import { concatAST, type DocumentNode } from 'graphql'
import type { EntityClass } from './entity'
import { declareJobs, type Job } from './jobs/job'
import type { Policies } from './policy'
import { expand } from './schema/expand'
import { listedFields, searchedFields, summarizedFields } from './schema/markings'
import { parseSdl, readSdl } from './schema/sdl'
import type { RetainedRows } from './retention/plan'
import { sdlFiles } from './schema/sdl-files'
import type { ResolverMap, SubgraphDefinition } from './schema/subgraph-definition'
import type { SubgraphName } from './schema/subgraph-names'
import { sensitiveFields } from './sensitive/marks'
import type { PersonalDeclarations } from './subjects/personal-rows'
import { subjectDataJob } from './subjects/subject-data'

export type {
  ResolverMap,
  RunningSubgraph,
  SubgraphDefinition,
  SubgraphOperation,
} from './schema/subgraph-definition'

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
