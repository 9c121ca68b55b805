import type { PreparedDatabase } from '../database'
import { openDatabase, type Database } from '../kernel/connection/database'
import { entityModels, type EntityModel } from '../kernel/schema/entity-model'
import { buildSchema } from '../kernel/schema/subgraph-schema'
import { subgraphs } from '../subgraphs'

/** The entities with encrypted columns, without a running server. */
export async function readEncryptedModels(
  database: Pick<PreparedDatabase, 'urlFor'>,
): Promise<EntityModel[]> {
  const found: EntityModel[] = []
  for (const definition of subgraphs) {
    const opened: Database = await openDatabase({
      url: database.urlFor(definition.name),
      entities: [...definition.entities] as Parameters<typeof openDatabase>[0]['entities'],
      connections: 1,
      applicationName: `tenantgraph keys ${definition.name}`,
    })
    try {
      await buildSchema(definition, opened, {})
      found.push(
        ...[...entityModels(opened.dataSource).values()].filter(({ encrypted }) => encrypted.size > 0),
      )
    } finally {
      await opened.close()
    }
  }
  return found
}
