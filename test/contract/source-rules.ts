import type { EntityModel } from '../../kernel/schema/entity-model'
import type { SourceColumn, SourceEntity } from './sources'

/** Something that a source gives and the product has not: `document.entity.column kind`, and what is there instead. */
export interface Fault {
  place: string
  fault: string
}

/** Row level security keeps expressions off their indexes, so they are columns. */
const storedExpressions: Readonly<Record<string, string>> = {
  "sentiment->>'label'": 'sentiment_label',
  "to_tsvector('english', content)": 'words',
}

const camelCase = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

/** What is asked: the composed schema, the entities as the kernel knows them, and PostgreSQL's catalogue. */
export interface Product {
  fieldsOf: ReadonlyMap<string, ReadonlySet<string>>
  models: ReadonlyMap<string, EntityModel>
  rows<T extends object>(text: string, values?: unknown[]): Promise<T[]>
}

/** The table of a type, as PostgreSQL writes it. */
export const tableOf = ({ models }: Pick<Product, 'models'>, type: string) =>
  models.get(type)!.table.replaceAll('"', '')

/** By what kind of thing a source gives: how to find all faults of that kind. */
export function sourceRules(
  sources: readonly SourceEntity[],
  product: Product,
): Readonly<Record<string, () => Fault[] | Promise<Fault[]>>> {
  const { fieldsOf, models, rows } = product
  const each = <T>(work: (source: SourceEntity, column: SourceColumn) => T | T[]) =>
    sources.flatMap((source) => source.columns.flatMap((column) => work(source, column)))

  /** The columns of our table that a column of a source became; empty when another table holds it. */
  function columnsOf({ type }: SourceEntity, { field, reason }: SourceColumn): string[] {
    const model = models.get(type)!
    if (reason?.startsWith('tenant')) return [model.tenantOwned ? 'tenant_id' : 'id']
    return (field ? (model.fields.get(field) ?? []) : []).map((property) =>
      model.columns.get(property)!.sql.replaceAll('"', ''),
    )
  }

  const columnNamed = (source: SourceEntity, name: string) => source.columns.find((one) => one.name === name)!

  return {
    fields() {
      return each(({ name, type }, { name: column, field, reason }) => {
        const fields = fieldsOf.get(type)!
        const place = `${name}.${column} field`
        if (field) return fields.has(field) ? [] : [{ place, fault: `${type} has no field ${field}` }]
        const exposed = [column, camelCase(column), camelCase(column).replace(/Id$/, '')]
        return exposed.some((one) => fields.has(one)) && !reason!.startsWith('the link')
          ? [{ place, fault: `${type} shows it` }]
          : []
      })
    },

    async required() {
      const notNull = new Map<string, Set<string>>()
      for (const { table, columns } of await rows<{ table: string; columns: string[] }>(
        `SELECT a.attrelid::regclass::text AS table, array_agg(a.attname::text) AS columns
         FROM pg_attribute a WHERE a.attnotnull AND a.attrelid = ANY ($1::regclass[]) GROUP BY 1`,
        [[...new Set(sources.map(({ type }) => tableOf(product, type)))]],
      ))
        notNull.set(table, new Set(columns))
      return each((source, column) => {
        const columns = columnsOf(source, column)
        if (!column.notNull || !(column.field || column.reason!.startsWith('tenant'))) return []
        const found =
          columns.length > 0 && columns.every((one) => notNull.get(tableOf(product, source.type))!.has(one))
        return found
          ? []
          : [{ place: `${source.name}.${column.name} notNull`, fault: columns.join() || 'no column' }]
      })
    },

    lengths() {
      return each((source, column) => {
        const model = models.get(source.type)!
        const [property] = column.field ? (model.fields.get(column.field) ?? []) : []
        const length = property ? model.columns.get(property)!.length : null
        return column.maxLength && length && length < column.maxLength
          ? [{ place: `${source.name}.${column.name} maxLength`, fault: `${length} < ${column.maxLength}` }]
          : []
      })
    },

    async uniqueness() {
      const keys = await rows<{ table: string; columns: string[] }>(
        `SELECT i.indrelid::regclass::text AS table,
              array(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                     ORDER BY 1) AS columns
         FROM pg_index i WHERE i.indisunique AND i.indpred IS NULL`,
      )
      const found = (type: string, columns: readonly string[]) => {
        const wanted = [
          ...new Set([...(models.get(type)!.tenantOwned ? ['tenant_id'] : []), ...columns]),
        ].sort()
        return keys.some(
          (key) => key.table === tableOf(product, type) && key.columns.join() === wanted.join(),
        )
      }
      return sources.flatMap((source) => {
        const sets = [
          ...source.columns.filter(({ unique }) => unique).map(({ name }) => [name]),
          ...source.unique,
        ]
        return sets.flatMap((names) => {
          const columns = names.flatMap((name) => columnsOf(source, columnNamed(source, name)).slice(0, 1))
          const place = `${source.name}.${names.join('+')} unique`
          return columns.length === names.length && found(source.type, columns)
            ? []
            : [{ place, fault: columns.join() || 'no column' }]
        })
      })
    },

    async references() {
      const keys = await rows<{ table: string; columns: string[]; parent: string }>(
        `SELECT k.conrelid::regclass::text AS table, k.confrelid::regclass::text AS parent,
              array(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)) AS columns
         FROM pg_constraint k WHERE k.contype = 'f'`,
      )
      return each((source, column) => {
        if (!column.references) return []
        const parent = sources.find(({ name }) => name === `${source.document}.${column.references}`)
        const columns = columnsOf(source, column)
        const found = keys.some(
          (key) =>
            parent &&
            key.table === tableOf(product, source.type) &&
            key.parent === tableOf(product, parent.type) &&
            columns.some((one) => key.columns.includes(one)),
        )
        return found ? [] : [{ place: `${source.name}.${column.name} references`, fault: column.references }]
      })
    },

    async checks() {
      const checks = await rows<{ table: string; columns: string[]; definition: string }>(
        `SELECT k.conrelid::regclass::text AS table, pg_get_constraintdef(k.oid) AS definition,
              array(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)) AS columns
         FROM pg_constraint k WHERE k.contype = 'c'`,
      )
      return each((source, column) => {
        if (!column.check && !column.values) return []
        const columns = columnsOf(source, column)
        const found = checks.filter(
          (check) =>
            check.table === tableOf(product, source.type) &&
            columns.some((one) => check.columns.includes(one)),
        )
        const place = `${source.name}.${column.name} check`
        if (found.length === 0) return [{ place, fault: 'no check' }]
        // Ours are written like enum values.
        const values = (column.values ?? []).map((value) => value.toUpperCase().replace(/\W/g, '_'))
        const missing = values.filter(
          (value) => !found.some(({ definition }) => definition.includes(`'${value}'`)),
        )
        return missing.length > 0 ? [{ place, fault: `refuses ${missing.join()}` }] : []
      })
    },

    async indexes() {
      const indexes = await rows<{ table: string; method: string; columns: string[] }>(
        `SELECT i.indrelid::regclass::text AS table, m.amname::text AS method,
              array(SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY AS k(number, place)
                      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number ORDER BY k.place) AS columns
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam WHERE i.indpred IS NULL`,
      )
      return sources.flatMap((source) =>
        source.indexes.flatMap((index) => {
          const leading = models.get(source.type)!.tenantOwned ? ['tenant_id'] : []
          const stored = index.expression && storedExpressions[index.expression]
          const wanted = stored
            ? [[stored]]
            : index.columns
                .map((name) => columnsOf(source, columnNamed(source, name)))
                .filter((columns) => columns.join() !== leading.join())
          const method = index.method ?? 'btree'
          const found = indexes.some(
            ({ table, columns, method: by }) =>
              table === tableOf(product, source.type) &&
              by === method &&
              leading.every((column, place) => columns[place] === column) &&
              wanted.every((one, place) => one.includes(columns[leading.length + place]!)),
          )
          const place = `${source.name}.${index.columns.join('+')} index`
          return found && (!index.expression || stored)
            ? []
            : [
                {
                  place,
                  fault: `${index.expression ?? ''} ${method} ${wanted.map((one) => one.join('/')).join()}`,
                },
              ]
        }),
      )
    },
  }
}
