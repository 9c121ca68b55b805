import type { Database } from '../connection/database'
import { entityModels } from '../schema/entity-model'

const findSpellings = `
  SELECT n.nspname, c.relname, a.attname
    FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = ANY($1) AND a.attgenerated = 's' AND a.attname LIKE '%\\_spelling'
     AND EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey))`

/**
 * Tells the models which names are unique by how they are spelled (`migrations/names.ts`): equality in a filter is the
 * same as in the unique index, and finds its row through it. Read from the catalogue, once for a database.
 */
export async function bindNameColumns(database: Database): Promise<void> {
  const models = new Map([...entityModels(database.dataSource).values()].map((model) => [model.table, model]))
  if (models.size === 0) return
  const schemas = [...new Set([...models.keys()].map((table) => table.split('.')[0]!.replaceAll('"', '')))]
  const rows = await database.rows({ tenantId: null }, { text: findSpellings, values: [schemas] })
  for (const [schema, table, spelling] of rows as string[][]) {
    const name = `"${spelling!.replace(/_spelling$/, '')}"`
    for (const column of models.get(`"${schema}"."${table}"`)?.columns.values() ?? [])
      if (column.sql === name) column.spelling = `"${spelling}"`
  }
}
