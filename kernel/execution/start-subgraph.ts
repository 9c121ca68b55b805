import type { Database } from '../connection/database'
import type { Services } from '../context'
import { jobWorker } from '../jobs/worker'
import { bindNameColumns } from '../reading/name-columns'
import type { RunningSubgraph, SubgraphDefinition } from '../schema/subgraph-definition'
import { buildSchema, type SchemaVariant } from '../schema/subgraph-schema'
import { executor } from './execute'

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
