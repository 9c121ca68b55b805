import { isInputObjectType, type GraphQLSchema } from 'graphql'
import type { Database } from '../connection/database'
import { entityModels, type EntityModel } from '../schema/entity-model'

/** Names the stored columns by which texts are unique: `name_spelling`, `name_look`. */
const findCompared = `
  SELECT n.nspname, c.relname, a.attname
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = ANY($1) AND a.attgenerated = 's' AND a.attname ~ '_(spelling|look)$'
     AND EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey))`

/**
 * Tells the models which names are unique by how they are spelled (`migrations/names.ts`): equality in a filter is the
 * same as in the unique index, and finds its row through it. Read from the catalogue, once for a database.
 */
export async function bindNameColumns(database: Database): Promise<void> {
  const models = new Map([...entityModels(database.dataSource).values()].map((model) => [model.table, model]))
  if (models.size === 0) return
  const schemas = [...new Set([...models.keys()].map((table) => table.split('.')[0]!.replaceAll('"', '')))]
  const rows = await database.rows({ tenantId: null }, { text: findCompared, values: [schemas] })
  for (const [schema, table, compared] of rows as string[][]) {
    const name = `"${compared!.replace(/_(spelling|look)$/, '')}"`
    for (const column of models.get(`"${schema}"."${table}"`)?.columns.values() ?? [])
      if (column.sql === name) {
        if (compared!.endsWith('_look')) column.isUniqueByLook = true
        else column.spelling = `"${compared}"`
      }
  }
}

/** A line for each filter by a text that is unique by how it looks: the filter would take look-alikes for others. */
export function lookFaults(model: EntityModel, schema: GraphQLSchema): string[] {
  const filter = schema.getType(`${model.name}Filter`)
  const fields = isInputObjectType(filter) ? filter.getFields() : {}
  return [...model.columns.values()]
    .filter(({ property, isUniqueByLook }) => isUniqueByLook && property in fields)
    .map(
      ({ property }) =>
        `${model.name}.${property} is unique by how it looks, which no filter compares by: take @filter away (@search finds it), or say 'spelling' in the migration's names`,
    )
}
