import {
  isInterfaceType,
  isObjectType,
  isUnionType,
  Kind,
  type FieldNode,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import type { DataSource } from 'typeorm'
import type { SubgraphContext } from './context'

/** A TypeORM entity class. */
export type EntityClass<E = unknown> = abstract new () => E

/** One column of an entity: its name in SQL and what the kernel must know to write it. */
export interface ColumnModel {
  property: string
  sql: string
  type: string
  nullable: boolean
  /** Largest number of characters, or null when the type sets no bound. */
  length: number | null
}

/** A set of columns that one statement reads. Equal sets are the same object. */
export interface Projection {
  properties: readonly string[]
  selectList: string
  key: string
  /** The row whose values stand in `values` from place `offset` on, default 0. */
  toRow(values: readonly unknown[], offset?: number): Record<string, unknown>
}

/** What the kernel knows of an entity: derived once per subgraph from TypeORM's metadata and the schema. */
export interface EntityModel {
  /** Class name = GraphQL type name. */
  name: string
  table: string
  columns: ReadonlyMap<string, ColumnModel>
  /** Whether rows belong to a tenant; false for the few global tables. */
  tenantOwned: boolean
  softDeleted: boolean
  /** The instant that is part of the key where the table is partitioned by time; its ids are of that instant. */
  instantKey: ColumnModel | null
  /** GraphQL field → the properties its value is made of. */
  fields: Map<string, readonly string[]>
  /** Properties whose values the audit trail never shows: secrets, and fields with an access rule of their own. */
  masked: Set<string>
  /** Properties that every read includes: the key, and what row rules look at. */
  always: Set<string>
  /** Row rule compiled to alternatives of filters (any of them admits the row); null admits every row. */
  rowFilter: ((context: SubgraphContext) => Record<string, unknown>[] | null) | null
  projections: LRUCache<string, Projection>
}

const models = new WeakMap<DataSource, Map<EntityClass, EntityModel>>()
const neededColumns = new WeakMap<object, readonly string[]>()

/**
 * A field resolver that reads the given columns of its parent: the projection fetches them whenever the
 * field is selected, and the resolver's parent type has only these, so a forgotten one does not compile.
 */
export function needs<E, K extends keyof E & string, A, R>(
  _entity: EntityClass<E>,
  columns: readonly K[],
  resolve: (row: Pick<E, K>, args: A, context: SubgraphContext, info: GraphQLResolveInfo) => R,
): (row: Pick<E, K>, args: A, context: SubgraphContext, info: GraphQLResolveInfo) => R {
  const resolver = (row: Pick<E, K>, args: A, context: SubgraphContext, info: GraphQLResolveInfo) =>
    resolve(row, args, context, info)
  neededColumns.set(resolver, columns)
  return resolver
}

/** The columns that a resolver made by {@link needs} reads; undefined for any other function. */
export function columnsNeededBy(resolver: unknown): readonly string[] | undefined {
  return typeof resolver === 'function' ? neededColumns.get(resolver) : undefined
}

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
      instantKey: (instant && columns.get(instant.propertyName)) ?? null,
      fields: new Map(),
      masked: new Set(),
      always: new Set(columns.has('id') ? ['id'] : []),
      rowFilter: null,
      projections: new LRUCache({ max: 500 }),
    })
  }
  models.set(dataSource, built)
  return built
}

/**
 * Connects a model to its GraphQL type: which properties each field reads and which the audit trail masks.
 * `resolverOf(field)` gives the resolver as written, before middleware wraps it; `restricted(field)` tells
 * whether the field carries an access rule of its own. Returns the names of fields that neither a column nor
 * a resolver answers.
 */
export function bindFields(
  model: EntityModel,
  schema: GraphQLSchema,
  resolverOf: (field: string) => unknown,
  restricted: (field: string) => boolean,
): string[] {
  const type = schema.getType(model.name)
  const unanswered: string[] = []
  const open = new Set<string>(['id', 'version', 'createdAt', 'updatedAt'])
  for (const field of isObjectType(type) ? Object.keys(type.getFields()) : []) {
    const resolver = resolverOf(field)
    const properties = columnsNeededBy(resolver) ?? (model.columns.has(field) && !resolver ? [field] : [])
    if (!resolver && properties.length === 0) unanswered.push(`${model.name}.${field}`)
    model.fields.set(field, properties)
    if (!restricted(field)) for (const property of properties) open.add(property)
  }
  for (const property of model.columns.keys()) {
    if (!open.has(property)) model.masked.add(property)
  }
  return unanswered
}

/**
 * A function with the object literal of these properties: an eighth of the time that a loop of assignments takes, and no
 * closure can hold a literal whose names are known at run time only. The names are those of entity classes, quoted.
 */
function rowMaker(properties: readonly string[]): Projection['toRow'] {
  const fields = properties.map((property, place) => `${JSON.stringify(property)}: values[offset + ${place}]`)
  return new Function('values', 'offset = 0', `return { ${fields.join(', ')} }`) as Projection['toRow']
}

/** The projection over the given properties and those every read of this entity includes. */
export function projectionOf(model: EntityModel, properties: Iterable<string>): Projection {
  const wanted = new Set([...model.always, ...properties])
  const ordered = [...model.columns.keys()].filter((property) => wanted.has(property))
  const key = ordered.join()
  let projection = model.projections.get(key)
  if (!projection) {
    projection = {
      properties: ordered,
      selectList: ordered.map((property) => `t.${model.columns.get(property)!.sql}`).join(', '),
      key,
      toRow: rowMaker(ordered),
    }
    model.projections.set(key, projection)
  }
  return projection
}

/** Every column: what a mutation returns, so that any selection of its payload can be answered. */
export function fullProjection(model: EntityModel): Projection {
  return projectionOf(model, model.columns.keys())
}

const selections = new WeakMap<FieldNode, Map<string, ReadonlySet<string>>>()

/**
 * The names of the fields selected on `typeName` under the field being resolved, `path` levels down
 * (`['edges', 'node']` for a connection's rows). Directives `@skip` and `@include` are not evaluated: reading a
 * column too many is harmless, and the answer then depends on the document alone and is found once per document.
 */
export function selectedFields(
  info: GraphQLResolveInfo,
  typeName: string,
  path: readonly string[] = [],
): ReadonlySet<string> {
  const [first] = info.fieldNodes
  const cacheKey = `${typeName}:${path.join('.')}`
  const cached = info.fieldNodes.length === 1 ? selections.get(first!)?.get(cacheKey) : undefined
  if (cached) return cached
  const found = new Set<string>()
  for (const node of info.fieldNodes) {
    if (node.selectionSet) collect(info, node.selectionSet, typeName, path, found)
  }
  if (info.fieldNodes.length === 1) {
    const known = selections.get(first!) ?? new Map<string, ReadonlySet<string>>()
    selections.set(first!, known.set(cacheKey, found))
  }
  return found
}

function collect(
  info: GraphQLResolveInfo,
  set: SelectionSetNode,
  typeName: string,
  path: readonly string[],
  found: Set<string>,
): void {
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) {
      if (path.length === 0) found.add(selection.name.value)
      else if (selection.name.value === path[0] && selection.selectionSet)
        collect(info, selection.selectionSet, typeName, path.slice(1), found)
      continue
    }
    const fragment =
      selection.kind === Kind.INLINE_FRAGMENT ? selection : info.fragments[selection.name.value]
    if (!fragment) continue
    const condition = fragment.typeCondition?.name.value
    if (path.length > 0 || !condition || condition === typeName || admits(info.schema, condition, typeName))
      collect(info, fragment.selectionSet, typeName, path, found)
  }
}

function admits(schema: GraphQLSchema, abstractName: string, typeName: string): boolean {
  const abstract = schema.getType(abstractName)
  const type = schema.getType(typeName)
  return (
    (isInterfaceType(abstract) || isUnionType(abstract)) &&
    isObjectType(type) &&
    schema.isSubType(abstract, type)
  )
}

const directly: readonly (readonly string[])[] = [[]]
const projected = new WeakMap<FieldNode, Map<EntityModel, Map<string, Projection>>>()

/**
 * The projection for what is selected on this entity under the field being resolved, directly or at the given paths,
 * and the properties `extra`. Found once per place in a document.
 */
export function selectedProjection(
  model: EntityModel,
  info: GraphQLResolveInfo,
  paths: readonly (readonly string[])[] = directly,
  extra: readonly string[] = [],
): Projection {
  // The same field may stand in a document more than once; then what is selected is not one node's alone.
  const node = info.fieldNodes.length === 1 ? info.fieldNodes[0] : undefined
  const key = paths === directly && extra.length === 1 ? extra[0]! : `${paths.join(' ')} ${extra.join()}`
  const known = node && projected.get(node)?.get(model)?.get(key)
  if (known) return known
  const properties = new Set(extra)
  for (const path of paths) {
    for (const field of selectedFields(info, model.name, path)) {
      for (const property of model.fields.get(field) ?? []) properties.add(property)
    }
  }
  const projection = projectionOf(model, properties)
  if (!node) return projection
  const ofNode = projected.get(node) ?? new Map<EntityModel, Map<string, Projection>>()
  const ofModel = ofNode.get(model) ?? new Map<string, Projection>()
  projected.set(node, ofNode.set(model, ofModel.set(key, projection)))
  return projection
}
