import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Supergraph } from '@apollo/federation-internals'
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql'
import { getMetadataArgsStorage } from 'typeorm'
import { projectRoot } from '../../kernel/process/config'
import { propertyOfOrder } from '../../kernel/reading/order'
import { loadable } from '../../registry/composition/compose'
import { subgraphs } from '../../subgraphs'
import { entityColumns } from './entity-columns'
import type { ValueKind } from './expected-list'
import { isOfTenants } from './platform-fields'

export const api: GraphQLSchema = Supergraph.build(
  loadable(readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')),
)
  .apiSchema()
  .toGraphQLJSSchema()

/** A value that a list is ordered by. */
export interface ListOrder {
  /** The enum's value: `LAST_NAME` */
  value: string
  /** Field of the row: `lastName` */
  field: string
  kind: ValueKind
  /** Column of the table: `last_name` */
  column: string
}

/** A condition of a list's filter. */
export interface ListCondition {
  /** `departmentId` */
  name: string
  /** The filter kind, such as `StringFilter`. */
  type: string
  operators: readonly string[]
  kind: ValueKind
  /** Column of the table that it looks at; null for money and `search`. */
  column: string | null
}

/** A root connection with everything that it can be asked. */
export interface List {
  /** `employees` */
  name: string
  subgraph: string
  node: GraphQLObjectType
  table: string
  orders: readonly ListOrder[]
  conditions: readonly ListCondition[]
  /** Fields that `search` looks into; empty where there is no `search`. */
  searched: readonly string[]
}

/** Every root connection of the product with `first`, derived from the composed schema, the SDL and the entities. */
export const lists: readonly List[] = Object.values(api.getQueryType()!.getFields())
  .filter(isOfTenants('Query'))
  .flatMap((field) => {
    const connection = getNamedType(field.type)
    const nodes = isObjectType(connection) ? connection.getFields()['nodes'] : undefined
    const node = nodes ? getNamedType(nodes.type) : undefined
    // A list with an argument of its own, such as a search, has an order of its own.
    const isOwn = field.args.some(
      ({ type, defaultValue }) => isNonNullType(type) && defaultValue === undefined,
    )
    return isObjectType(node) && !isOwn ? [listOf(field, node)] : []
  })

function listOf(field: GraphQLField<unknown, unknown>, node: GraphQLObjectType): List {
  const definition = subgraphs.find(({ entities }) => entities.some(({ name }) => name === node.name))
  const entity = definition?.entities.find(({ name }) => name === node.name)
  const table = getMetadataArgsStorage().tables.find(({ target }) => target === entity)
  if (!definition || !entity || !table)
    throw new Error(`${field.name} lists ${node.name}, which is no entity`)
  const input = (argument: string) => {
    const type = getNamedType(field.args.find(({ name }) => name === argument)?.type)
    return isInputObjectType(type) ? Object.values(type.getFields()) : []
  }
  const columns = entityColumns(entity)
  const column = (property: string): string | null => columns.get(property) ?? null
  const values = getNamedType(input('orderBy').find(({ name }) => name === 'field')?.type)
  const conditions = input('filter').filter(({ name }) => !['search', 'and', 'or', 'not'].includes(name))
  return {
    name: field.name,
    subgraph: definition.name,
    node,
    table: `${table.schema}.${table.name}`,
    orders: (isEnumType(values) ? values.getValues() : []).map(({ name }) => ({
      value: name,
      field: propertyOfOrder(name),
      kind: kindOf(getNamedType(node.getFields()[propertyOfOrder(name)]!.type)),
      column: column(propertyOfOrder(name))!,
    })),
    conditions: conditions.map(({ name, type }) => {
      const kind = getNamedType(type)
      const operators = isInputObjectType(kind) ? Object.keys(kind.getFields()) : []
      const shown = node.getFields()[name]
      return {
        name,
        type: kind.name,
        operators,
        kind: shown ? kindOf(getNamedType(shown.type)) : 'bytes',
        column: kind.name === 'MoneyFilter' ? null : column(name),
      }
    }),
    searched: definition.searched.get(node.name) ?? [],
  }
}

function kindOf({ name }: GraphQLNamedType): ValueKind {
  if (name === 'String' || name === 'EmailAddress') return 'language'
  if (name === 'Int' || name === 'Float' || name === 'Decimal') return 'number'
  return name === 'Money' ? 'money' : 'bytes'
}

/** What to read of each row, so that its orders, conditions and searches can be checked. */
export function selectionFor({ node, orders, conditions, searched }: List): string {
  const wanted = [...orders.map(({ field }) => field), ...conditions.map(({ name }) => name), ...searched]
  const leaves = [...new Set(wanted)].flatMap((name) => {
    const field = node.getFields()[name]
    const type = field && getNamedType(field.type)
    if (!field || field.args.length > 0 || isListType(field.type)) return []
    if (!isObjectType(type)) return [name]
    return type.name === 'Money' ? [`${name} { amount currency }`] : []
  })
  return ['id', ...leaves.filter((one) => one !== 'id')].join(' ')
}
