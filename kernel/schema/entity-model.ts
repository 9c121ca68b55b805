import { getNamedType, isLeafType, isObjectType, type GraphQLField, type GraphQLSchema } from 'graphql'
import { LRUCache } from 'lru-cache'
import type { DataSource } from 'typeorm'
import type { SubgraphContext } from '../context'
import { columnsNeededBy, type EntityClass } from '../entity'
import type { Policy } from '../policy'
import type { SensitiveClassName } from '../sensitive/classes'

/** One column of an entity: its name in SQL and what the kernel must know to write it. */
export interface ColumnModel {
  property: string
  sql: string
  type: string
  nullable: boolean
  /** Largest number of characters, or null when the type sets no bound. */
  length: number | null
  /**
   * Holds what kind of text the graph shows of it: one that people write, ordered as their language orders it; an
   * address, kept in lower case; null for values of other kinds, names of closed sets among them.
   */
  text: 'language' | 'email' | null
  /** The stored column by which its texts are compared where these are unique names; null for all others. */
  spelling: string | null
  /** Tells whether its texts are unique by how they look, which no filter compares by. */
  isUniqueByLook: boolean
  /** Tells whether the database makes its values: nobody writes them. */
  isMade: boolean
}

/** The row that a field shows by an id of a column, of this subgraph or of another. */
export interface Reference {
  /** Its type in the graph. */
  type: string
  key: ColumnModel
}

/** The two columns that an amount of money is kept in. */
export interface MoneyModel {
  /** Whole smallest units of the currency. */
  amount: ColumnModel
  currency: ColumnModel
}

/** A row of the same subgraph that a row names by its id. */
export interface Relation {
  /** The column that holds the id. */
  key: ColumnModel
  model: EntityModel
}

/** A column whose values are encrypted in the database. */
export interface EncryptedColumn {
  property: string
  sql: string
  isJson: boolean
  /** The column that is looked up where values are compared; null where none is. */
  index: ColumnModel | null
}

/** Describes what the kernel knows of an entity: derived once per subgraph from TypeORM's metadata and the schema. */
export interface EntityModel {
  /** Class name = GraphQL type name. */
  name: string
  table: string
  columns: ReadonlyMap<string, ColumnModel>
  /** Tells whether rows belong to a tenant; false for the few global tables. */
  tenantOwned: boolean
  softDeleted: boolean
  /** Tells whether rows are there until an instant, `lapsesAt`, and for nobody from then on. */
  lapses: boolean
  /** The instant that is part of the key where the table is partitioned by time; its ids are of that instant. */
  instantKey: ColumnModel | null
  /** GraphQL field → the properties its value is made of. */
  fields: Map<string, readonly string[]>
  /** GraphQL field → the columns of the amount that it shows, where these are two. */
  money: Map<string, MoneyModel>
  /** GraphQL field → the row that it shows, where it is one that the kernel can read along. */
  relations: Map<string, Relation>
  /** GraphQL field → the row, of any subgraph, whose id a column holds. */
  references: Map<string, Reference>
  /** Properties that fields show as values. */
  values: Set<string>
  /** Properties that no field shows, or one with an access rule of its own. */
  restricted: Set<string>
  /** Those of `restricted` that lists tell of all the same: every list asks for what their fields ask for. */
  listed: ReadonlySet<string>
  /** Properties whose values the audit trail never shows: sensitive ones, and texts that no field shows. */
  masked: Set<string>
  /** Property → how it is encrypted. */
  encrypted: ReadonlyMap<string, EncryptedColumn>
  /** Tells whether each row is a person that can be erased: its values have a key of their own. */
  isErasable: boolean
  /** GraphQL field → its class of sensitive data. */
  sensitive: ReadonlyMap<string, SensitiveClassName>
  /** Properties that the filter field `search` looks into. */
  searched: readonly string[]
  /** Properties that every read includes: the key, and what row rules look at. */
  always: Set<string>
  /** Row rule compiled to alternatives of filters (any of them admits the row); null admits every row. */
  rowFilter: ((context: SubgraphContext) => Record<string, unknown>[] | null) | null
  /**
   * Tells whether the viewer may read a row of the type, as far as the type itself says; its fields may ask for more.
   */
  admits: (context: SubgraphContext, row: Readonly<Record<string, unknown>>) => boolean
  /** Property → the row rules that look at it, by name; a mutation that writes it must be one of their writers. */
  ruled: Map<string, Map<string, Policy>>
  projections: LRUCache<string, Projection>
}

/** A row that is read together with the one that names it. */
export interface Join extends Relation {
  /** The field that shows it, and the property of the other row that holds it. */
  field: string
  projection: Projection
}

/** A set of columns that one statement reads. Equal sets are the same object. */
export interface Projection {
  properties: readonly string[]
  joins: readonly Join[]
  /** Those of `properties` that are encrypted. */
  encrypted: readonly EncryptedColumn[]
  /** Tells whether something of it, joined rows included, is encrypted. */
  isEncrypted: boolean
  selectList: string
  key: string
  /** The row whose values stand in `values` from place `offset` on, default 0. */
  toRow(values: readonly unknown[], offset?: number): Record<string, unknown>
}

const models = new WeakMap<DataSource, Map<EntityClass, EntityModel>>()

/** The model of an entity in this subgraph's database. Throws when the subgraph does not list the entity. */
export function modelOf(context: SubgraphContext, entity: EntityClass): EntityModel {
  const model = models.get(context.db.dataSource)?.get(entity)
  if (!model)
    throw new Error(`${entity.name} is not among the entities of this subgraph: add it to its index.ts`)
  return model
}

/** Builds the models of all entities of a DataSource; later calls for the same DataSource return them again. */
export function entityModels(dataSource: DataSource): ReadonlyMap<EntityClass, EntityModel> {
  const known = models.get(dataSource)
  if (known) return known
  const built = new Map<EntityClass, EntityModel>()
  for (const metadata of dataSource.entityMetadatas) {
    const columns = new Map<string, ColumnModel>()
    for (const column of metadata.columns) {
      columns.set(column.propertyName, {
        property: column.propertyName,
        sql: `"${column.databaseName}"`,
        type: String(column.type) + (column.isArray ? '[]' : ''),
        nullable: column.isNullable,
        length: column.length ? Number(column.length) : null,
        text: null,
        spelling: null,
        isUniqueByLook: false,
        isMade: !column.isInsert && !column.isUpdate,
      })
    }
    const instant = metadata.primaryColumns.find((column) => column.type === 'timestamptz')
    const schema = metadata.schema ? `"${metadata.schema}".` : ''
    built.set(metadata.target as EntityClass, {
      name: metadata.name,
      table: `${schema}"${metadata.tableName}"`,
      columns,
      tenantOwned: columns.has('tenantId'),
      softDeleted: columns.has('deletedAt'),
      lapses: columns.has('lapsesAt'),
      instantKey: (instant && columns.get(instant.propertyName)) ?? null,
      fields: new Map(),
      money: new Map(),
      relations: new Map(),
      references: new Map(),
      values: new Set(),
      restricted: new Set(),
      listed: new Set(),
      masked: new Set(),
      encrypted: new Map(),
      isErasable: false,
      sensitive: new Map(),
      searched: [],
      always: new Set(columns.has('id') ? ['id'] : []),
      rowFilter: null,
      ruled: new Map(),
      admits: () => true,
      projections: new LRUCache({ max: 500 }),
    })
  }
  models.set(dataSource, built)
  return built
}

/** The properties whose values a field shows, of all those that it is made of: others say who may see it. */
export function shownBy(model: EntityModel, field: string, properties: readonly string[]): readonly string[] {
  const own = model.columns.get(field)
  if (own) return [field, ...properties.filter((property) => property === `${field}Currency`)]
  return properties.filter((property) => !/^(uuid|boolean)/.test(model.columns.get(property)?.type ?? ''))
}

/** Tells a model what a field's type says of the columns that it shows. */
function bindType(
  model: EntityModel,
  field: GraphQLField<unknown, unknown>,
  properties: readonly string[],
): void {
  const shown = getNamedType(field.type)
  const type = shown.name
  if (isLeafType(shown) || type === 'Money')
    for (const property of shownBy(model, field.name, properties)) model.values.add(property)
  const key = model.columns.get(properties[0] ?? '')
  if (isObjectType(shown) && properties.length === 1 && key?.type === 'uuid' && key.property !== 'id')
    model.references.set(field.name, { type, key })
  const own = model.columns.get(field.name)
  if (own && type === 'String') own.text = 'language'
  if (own && type === 'EmailAddress') own.text = 'email'
  const [amount, currency] = properties.map((property) => model.columns.get(property))
  if (type === 'Money' && amount && currency && properties.length === 2)
    model.money.set(field.name, { amount, currency })
}

/** Types of columns that can hold a secret, where no field tells what they hold. */
const isText = /^(text|varchar|character varying|jsonb?|bytea)$/

/**
 * Connects a model to its GraphQL type: which properties each field reads and which the audit trail masks.
 * `resolverOf(field)` gives the resolver as written, before middleware wraps it; `restricted(field)` tells
 * whether the field carries an access rule of its own; `audited` are properties that are shown all the same; `sensitive`
 * are the classes of fields; `listed` are those that lists tell of all the same. Returns the names of fields that neither a column nor a resolver answers.
 */
export function bindFields(
  model: EntityModel,
  schema: GraphQLSchema,
  resolverOf: (field: string) => unknown,
  restricted: (field: string) => boolean,
  audited: readonly string[] = [],
  sensitive: EntityModel['sensitive'] = new Map(),
  listed: ReadonlySet<string> = new Set(),
): string[] {
  const type = schema.getType(model.name)
  const unanswered: string[] = []
  const open = new Set<string>(['id', 'version', 'createdAt', 'updatedAt', ...audited])
  const shown = new Set<string>(open)
  const secret = new Set<string>()
  model.sensitive = sensitive
  model.listed = listed
  for (const [field, definition] of isObjectType(type) ? Object.entries(type.getFields()) : []) {
    const resolver = resolverOf(field)
    const properties = columnsNeededBy(resolver) ?? (model.columns.has(field) && !resolver ? [field] : [])
    if (!resolver && properties.length === 0) unanswered.push(`${model.name}.${field}`)
    model.fields.set(field, properties)
    bindType(model, definition, properties)
    for (const property of properties) {
      if (!restricted(field)) open.add(property)
      if (sensitive.has(field)) secret.add(property)
      else shown.add(property)
    }
  }
  for (const [property, { type: columnType }] of model.columns) {
    if (!open.has(property)) model.restricted.add(property)
    const unknown = !shown.has(property) && isText.test(columnType)
    if ((secret.has(property) && !audited.includes(property)) || unknown) model.masked.add(property)
  }
  return unanswered
}
