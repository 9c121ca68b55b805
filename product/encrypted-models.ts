import type { PreparedDatabase } from '../database'
import { openDatabase, type Database } from '../kernel/connection/database'
import { entityModels, type EntityModel } from '../kernel/schema/entity-model'
import type { SubgraphName } from '../kernel/schema/subgraph-names'
import { buildSchema } from '../kernel/schema/subgraph-schema'
import { subgraphs } from '../subgraphs'

/** All entities, without a running server. */
export async function readModels(
  database: Pick<PreparedDatabase, 'urlFor'>,
): Promise<{ subgraph: SubgraphName; model: EntityModel }[]> {
  const found: { subgraph: SubgraphName; model: EntityModel }[] = []
  for (const definition of subgraphs) {
    const opened: Database = await openDatabase({
      url: database.urlFor(definition.name),
      entities: [...definition.entities] as Parameters<typeof openDatabase>[0]['entities'],
      connections: 1,
      applicationName: `tenantgraph models ${definition.name}`,
    })
    try {
      await buildSchema(definition, opened, {})
      for (const model of entityModels(opened.dataSource).values())
        found.push({ subgraph: definition.name, model })
    } finally {
      await opened.close()
    }
  }
  return found
}

/** The entities with encrypted columns. */
export async function readEncryptedModels(
  database: Pick<PreparedDatabase, 'urlFor'>,
): Promise<EntityModel[]> {
  return (await readModels(database)).flatMap(({ model }) => (model.encrypted.size > 0 ? [model] : []))
}
