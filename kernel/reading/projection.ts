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
import type { EntityModel, Join, Projection, Relation } from '../schema/entity-model'

/**
 * A function with the object literal of these properties: an eighth of the time that a loop of assignments takes, and no
 * closure can hold a literal whose names are known at run time only. The names are those of entity classes and of fields,
 * quoted. Joined rows follow in the order of `joins`; where there is none, all its values are null.
 */
function rowMaker(properties: readonly string[], joins: readonly Join[]): Projection['toRow'] {
  let place = 0
  const field = (property: string) => `${JSON.stringify(property)}: values[offset + ${place++}]`
  const fields = properties.map(field)
  for (const { field: name, projection } of joins) {
    const id = `values[offset + ${place + projection.properties.indexOf('id')}]`
    const row = `{ ${projection.properties.map(field).join(', ')} }`
    fields.push(`${JSON.stringify(name)}: ${id} === null ? null : ${row}`)
  }
  return new Function('values', 'offset = 0', `return { ${fields.join(', ')} }`) as Projection['toRow']
}

/** The projection over the given properties and those every read of this entity includes. */
export function projectionOf(
  model: EntityModel,
  properties: Iterable<string>,
  joins: readonly Join[] = [],
): Projection {
  const wanted = new Set([...model.always, ...properties])
  const ordered = [...model.columns.keys()].filter((property) => wanted.has(property))
  const key = [ordered.join(), ...joins.map(({ field, projection }) => `${field}(${projection.key})`)].join(
    ' ',
  )
  let projection = model.projections.get(key)
  if (!projection) {
    const encrypted = ordered.flatMap((property) => model.encrypted.get(property) ?? [])
    projection = {
      properties: ordered,
      joins,
      encrypted,
      isEncrypted: encrypted.length > 0 || joins.some((join) => join.projection.isEncrypted),
      selectList: ordered.map((property) => `t.${model.columns.get(property)!.sql}`).join(', '),
      key,
      toRow: rowMaker(ordered, joins),
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
 * and the properties `extra`. Found once per place in a document. Whose statement is written by `joinedRows` sets
 * `withJoins`, and reads along what is selected of related rows.
 */
export function selectedProjection(
  model: EntityModel,
  info: GraphQLResolveInfo,
  paths: readonly (readonly string[])[] = directly,
  extra: readonly string[] = [],
  withJoins = false,
): Projection {
  // The same field may stand in a document more than once; then what is selected is not one node's alone.
  const node = info.fieldNodes.length === 1 ? info.fieldNodes[0] : undefined
  const place = paths === directly && extra.length === 1 ? extra[0]! : `${paths.join(' ')} ${extra.join()}`
  const key = withJoins ? `${place} joined` : place
  const known = node && projected.get(node)?.get(model)?.get(key)
  if (known) return known
  const properties = new Set(extra)
  const joins = new Map<string, Join>()
  for (const path of paths) {
    for (const field of selectedFields(info, model.name, path)) {
      for (const property of model.fields.get(field) ?? []) properties.add(property)
      const relation = withJoins ? model.relations.get(field) : undefined
      if (relation && !joins.has(field)) joins.set(field, joinOf(relation, field, info, paths))
    }
  }
  const projection = projectionOf(model, properties, [...joins.values()])
  if (!node) return projection
  const ofNode = projected.get(node) ?? new Map<EntityModel, Map<string, Projection>>()
  const ofModel = ofNode.get(model) ?? new Map<string, Projection>()
  projected.set(node, ofNode.set(model, ofModel.set(key, projection)))
  return projection
}

/** All that is selected of the related row, wherever its field stands. */
function joinOf(
  relation: Relation,
  field: string,
  info: GraphQLResolveInfo,
  paths: readonly (readonly string[])[],
): Join {
  const below = paths.map((path) => [...path, field])
  return { ...relation, field, projection: selectedProjection(relation.model, info, below) }
}
