import type { SubgraphContext } from '../context'
import type { Database } from '../connection/database'
import { entityModels, type EntityModel } from '../schema/entity-model'
import { userError, type CommonUserErrorCode, type UserErrors } from '../errors'
import { violationNames, withoutShard, type PostgresError } from './violation-names'

/** A constraint of the database in the graph's terms: whose it is, which properties it binds, what it demands. */
export interface ConstraintModel {
  model: EntityModel
  properties: string[]
  comment: string | null
}

/** Describes what the catalogue tells, by names as violations give them: `schema.constraint` and `schema.table`. */
interface Catalogue {
  constraints: Map<string, ConstraintModel>
  /** Partitions stand for their table. */
  tables: Map<string, EntityModel>
}

const known = new WeakMap<Database, Promise<Catalogue>>()

/**
 * Reads the constraints and unique indexes of this subgraph's tables from PostgreSQL's catalogue, once per database:
 * so a violation can be answered by the field's name without any list to maintain. A `COMMENT ON CONSTRAINT` is the
 * message that the client gets.
 */
function catalogueOf({ db, binding }: SubgraphContext): Promise<Catalogue> {
  let catalogue = known.get(db)
  if (!catalogue) {
    catalogue = readCatalogue(db, binding)
    catalogue.catch(() => known.delete(db))
    known.set(db, catalogue)
  }
  return catalogue
}

const catalogueQuery = `
  SELECT n.nspname, c.relname, coalesce(p.relname, c.relname), k.conname, obj_description(k.oid, 'pg_constraint'),
         array(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS key(number, place)
               JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = key.number ORDER BY key.place)
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.conrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
    LEFT JOIN pg_class p ON p.oid = i.inhparent
   WHERE n.nspname = ANY($1)
   UNION ALL
  SELECT n.nspname, c.relname, coalesce(p.relname, c.relname), x.relname, obj_description(x.oid, 'pg_class'),
         array(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY(i.indkey))
    FROM pg_index i
    JOIN pg_class x ON x.oid = i.indexrelid
    JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_inherits h ON h.inhrelid = c.oid
    LEFT JOIN pg_class p ON p.oid = h.inhparent
   WHERE i.indisunique AND n.nspname = ANY($1)
     AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)`

async function readCatalogue(database: Database, binding: SubgraphContext['binding']): Promise<Catalogue> {
  const models = new Map([...entityModels(database.dataSource).values()].map((model) => [model.table, model]))
  const schemas = [...new Set([...models.keys()].map((table) => table.split('.')[0]!.replaceAll('"', '')))]
  const rows = await database.rows(binding, { text: catalogueQuery, values: [schemas] })
  const catalogue: Catalogue = { constraints: new Map(), tables: new Map() }
  for (const [schema, part, table, name, comment, columns] of rows as [
    string,
    string,
    string,
    string,
    string | null,
    string[],
  ][]) {
    const model = models.get(`"${schema}"."${table}"`)
    if (!model) continue
    catalogue.tables.set(`${schema}.${part}`, model)
    const properties = columns.flatMap((column) => propertyOf(model, column) ?? [])
    // A partition's constraint has the name of its table's, but not the comment.
    const said = comment ?? catalogue.constraints.get(`${schema}.${name}`)?.comment ?? null
    catalogue.constraints.set(`${schema}.${name}`, { model, comment: said, properties })
  }
  return catalogue
}

/** The property of a column; of one by which names are compared (`migrations/names.ts`), that of the name. */
function propertyOf(model: EntityModel, columnName: string): string | null {
  const named = columnName.replace(/_(spelling|look)$/, '')
  for (const { sql, property } of model.columns.values())
    if (sql === `"${columnName}"` || sql === `"${named}"`) return property
  return null
}

/**
 * The name of a property in the graph's inputs: `salaryMinor` is answered for as `salary`, the field it is part of;
 * an id keeps its name, since inputs take ids.
 */
export function inputName(model: EntityModel, property: string): string {
  if (model.fields.has(property) || property.endsWith('Id')) return property
  for (const [field, properties] of model.fields) if (properties.includes(property)) return field
  return property
}

/** PostgreSQL error code (Appendix A of its manual) → user error code and what is said when nothing better is known. */
const violations: Readonly<Record<string, { code: CommonUserErrorCode; message: string }>> = {
  '23505': { code: 'DUPLICATE', message: 'is already in use' },
  '23503': { code: 'REFERENCE_NOT_FOUND', message: 'does not exist' },
  '23001': { code: 'IN_USE', message: 'is still referred to by other records' },
  '23514': { code: 'INVALID', message: 'is not allowed' },
  '23502': { code: 'INVALID', message: 'is required' },
  '23P01': { code: 'INVALID', message: 'overlaps another record' },
  '22001': { code: 'INVALID', message: 'is too long' },
  '22003': { code: 'INVALID', message: 'is out of range' },
}

/**
 * The user error for a constraint that a write violated, or null when the failure is not the client's. A missing row
 * and another tenant's row are the same violation with the same text.
 */
export async function violationOf(context: SubgraphContext, error: unknown): Promise<UserErrors | null> {
  if (!(error instanceof Error) || !('code' in error)) return null
  const failure = error as PostgresError
  const violation = violations[failure.code]
  if (!violation) return null
  // RESTRICT is 23503 on PostgreSQL 15 and 23001 on 18; on 15 only the text tells which side failed.
  const restricted = failure.code === '23503' && failure.message.startsWith('update or delete on')
  const { code, message } = restricted ? violations['23001']! : violation
  const { constraints, tables } = await catalogueOf(context)
  const names = violationNames(failure)
  const constraint = found(constraints, names.schema, names.constraint)
  const model = constraint?.model ?? found(tables, names.schema, names.table)
  const named =
    names.column && model ? [propertyOf(model, names.column) ?? names.column] : constraint?.properties
  const properties = (named ?? []).filter((property) => property !== 'tenantId' || named?.length === 1)
  const blamed = code === 'REFERENCE_NOT_FOUND' ? properties.slice(0, 1) : properties
  const field =
    restricted || code === 'IN_USE'
      ? null
      : [...new Set(blamed.map((one) => (model ? inputName(model, one) : one)))]
  const text = constraint?.comment ?? message
  return userError(
    code,
    field?.length ? `${field.join(', ')} ${text}` : sentence(text),
    field?.length ? field.slice(0, 1) : null,
  )
}

/** An entry by its name; without the schema by the name alone, and by that of which it is a shard. */
function found<T>(entries: ReadonlyMap<string, T>, schema?: string, name?: string): T | undefined {
  if (!name || schema) return entries.get(`${schema}.${name}`)
  for (const one of [name, withoutShard(name)])
    for (const [key, entry] of entries) if (key.endsWith(`.${one}`)) return entry
  return undefined
}

const sentence = (text: string): string => `This record ${text}`
