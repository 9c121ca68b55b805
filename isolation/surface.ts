import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  parse,
  valueFromASTUntyped,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql'
import type { RunningServer } from '../product/server'
import type { EntityModel } from '../kernel/schema/entity-model'
import { pathsFromQuery, subscriptionRoot, type Field, type Path } from './documents'
import type { Rows } from './rows'

export interface FilterPlace {
  path: readonly string[]
  type: GraphQLInputType
}

export interface ConnectionPlace {
  /** `Query.users`, `Tenant.departments` */
  name: string
  /** To the objects that have it; empty for Query. */
  parent: Path
  field: Field
  /** The type of its rows. */
  node: string
  filters: FilterPlace[]
  /** `FIELD DIRECTION` */
  orders: string[]
}

export interface IdPlace {
  path: readonly string[]
  /** The type whose ids belong here. */
  type: string
}

export interface MutationPlace {
  field: Field
  input: GraphQLInputType | null
  /** The entity it is about. */
  type: string
  ids: IdPlace[]
  /** Inputs for a column that is unique within the tenant. */
  uniques: { path: readonly string[]; property: string }[]
  /** Tells whether its input takes an idempotency key. */
  isRepeatable: boolean
}

/** Everything that can be attacked, derived from the schemas and the entities' models: no list to maintain. */
export interface Surface {
  objects: GraphQLObjectType[]
  paths: ReadonlyMap<string, Path>
  connections: ConnectionPlace[]
  idArguments: { name: string; parent: Path; field: Field; argument: string; type: string }[]
  keys: { name: string; subgraph: string; type: string; fields: readonly string[] }[]
  mutations: MutationPlace[]
  /** `Type.field` of an entity with a rule of its own, beyond its type's. */
  restricted: string[]
}

export function readSurface(
  api: GraphQLSchema,
  subgraphs: RunningServer['subgraphs'],
  models: ReadonlyMap<string, EntityModel>,
  rows: Pick<Rows, 'uniqueProperties' | 'parentOf'>,
): Surface {
  const paths = pathsFromQuery(api)
  const roots = new Set([api.getQueryType(), api.getMutationType(), subscriptionRoot(api)])
  const objects = Object.values(api.getTypeMap()).filter(
    (type): type is GraphQLObjectType =>
      isObjectType(type) && !type.name.startsWith('__') && !roots.has(type),
  )
  const connections: ConnectionPlace[] = []
  const idArguments: Surface['idArguments'] = []
  for (const type of [api.getQueryType()!, ...objects]) {
    const parent = paths.get(type.name) ?? []
    for (const field of Object.values(type.getFields())) {
      const name = `${type.name}.${field.name}`
      const node = nodeOf(field)
      if (node) connections.push({ name, parent, field, node, ...conditionsOf(field) })
      for (const argument of field.args) {
        if (getNamedType(argument.type).name !== 'ID') continue
        const target = typeOfId(argument.name, models) ?? getNamedType(field.type).name
        idArguments.push({
          name: `${name}(${argument.name})`,
          parent,
          field,
          argument: argument.name,
          type: target,
        })
      }
    }
  }
  return {
    objects,
    paths,
    connections,
    idArguments,
    keys: [...subgraphs.values()].flatMap(({ name, sdl }) => keysOf(name, sdl)),
    mutations: Object.values(api.getMutationType()?.getFields() ?? {}).map((field) =>
      mutationPlace(field, models, rows),
    ),
    restricted: [...models.values()].flatMap((model) =>
      [...model.fields].flatMap(([field, properties]) =>
        properties.length > 0 && properties.every((property) => model.restricted.has(property))
          ? [`${model.name}.${field}`]
          : [],
      ),
    ),
  }
}

/** The type of a connection's rows; null when the field is none. */
function nodeOf(field: Field): string | null {
  const type = getNamedType(field.type)
  if (!isObjectType(type) || !field.args.some(({ name }) => name === 'first')) return null
  const nodes = type.getFields()['nodes']
  return nodes ? getNamedType(nodes.type).name : null
}

function conditionsOf(field: Field): Pick<ConnectionPlace, 'filters' | 'orders'> {
  const argument = (name: string) => field.args.find((one) => one.name === name)
  const filter = argument('filter')
  const order = getNamedType(argument('orderBy')?.type)
  const orderFields = isInputObjectType(order) ? getNamedType(order.getFields()['field']!.type) : null
  const values = isEnumType(orderFields) ? orderFields.getValues() : []
  return {
    filters: filter ? inputLeaves(filter.type) : [],
    orders: values.flatMap(({ name }) => [`${name} ASC`, `${name} DESC`]),
  }
}

/** Every leaf of an input type, with the path to it; a type within itself is not entered again. */
export function inputLeaves(
  type: GraphQLInputType,
  path: readonly string[] = [],
  seen: readonly string[] = [],
): FilterPlace[] {
  const named = getNamedType(type)
  if (!isInputObjectType(named)) return [{ path, type }]
  if (seen.includes(named.name)) return []
  return Object.values(named.getFields()).flatMap((field) =>
    inputLeaves(field.type, [...path, field.name], [...seen, named.name]),
  )
}

function keysOf(subgraph: string, sdl: string): Surface['keys'] {
  return parse(sdl).definitions.flatMap((node) => {
    if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.OBJECT_TYPE_EXTENSION) return []
    return (node.directives ?? [])
      .filter(({ name }) => name.value === 'key')
      .map((key) => {
        const fields = key.arguments?.find(({ name }) => name.value === 'fields')
        const text = fields ? String(valueFromASTUntyped(fields.value)) : ''
        const type = node.name.value
        return { name: `${subgraph}: ${type} by ${text}`, subgraph, type, fields: text.match(/\w+/g) ?? [] }
      })
  })
}

/**
 * The entity that an id is named after: User for `userId`, `userIds` and `user`, and PlanSubscription for `subscriptionId`,
 * as no other ends so; null for `id` and the like.
 */
export function typeOfId(name: string, models: ReadonlyMap<string, unknown>): string | null {
  const wanted = name.replace(/Ids?$/, '').toLowerCase()
  const types = [...models.keys()]
  const exact = types.find((type) => type.toLowerCase() === wanted)
  const ending = wanted ? types.filter((type) => type.toLowerCase().endsWith(wanted)) : []
  return exact ?? (ending.length === 1 ? ending[0]! : null)
}

function mutationPlace(
  field: Field,
  models: ReadonlyMap<string, EntityModel>,
  rows: Pick<Rows, 'uniqueProperties' | 'parentOf'>,
): MutationPlace {
  const input = field.args.find(({ name }) => name === 'input')?.type ?? null
  const payload = getNamedType(field.type)
  const things = isObjectType(payload)
    ? Object.values(payload.getFields()).map((one) => getNamedType(one.type).name)
    : []
  const type = things.find((name) => models.has(name)) ?? ''
  const leaves = input ? inputLeaves(input) : []
  const isId = (leaf: FilterPlace) => getNamedType(leaf.type).name === 'ID'
  const unique = new Set(rows.uniqueProperties(type))
  return {
    field,
    input,
    type,
    ids: leaves.filter(isId).map(({ path }) => {
      const last = path.at(-1)!
      const named = typeOfId(last, models) ?? rows.parentOf(type, last)
      return { path, type: last === 'id' && path.length === 1 ? type : (named ?? type) }
    }),
    uniques: leaves
      .filter(
        (leaf) => !isId(leaf) && leaf.path.length === 1 && unique.has(leaf.path[0]!) && isText(leaf.type),
      )
      .map(({ path }) => ({ path, property: path[0]! })),
    isRepeatable: leaves.some(({ path }) => path.join('.') === 'idempotencyKey'),
  }
}

const isText = (type: GraphQLInputType): boolean => {
  const inner = isNonNullType(type) ? type.ofType : type
  return !isListType(inner) && ['String', 'EmailAddress'].includes(getNamedType(inner).name)
}
