import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isObjectType,
  type GraphQLField,
  type GraphQLResolveInfo,
  type GraphQLSchema,
} from 'graphql'
import type { SubgraphContext } from '../context'
import { decodeCursor, type Position } from './cursor'
import { modelOf, type ColumnModel, type EntityClass, type EntityModel } from '../entity'
import { selectedFields, selectedProjection, type Projection } from './projection'
import { badUserInput } from '../errors'
import type { Filter } from './filter'
import { requireTenant } from '../load'

/** The arguments every connection takes. */
export interface PageArguments {
  first?: number | null
  after?: string | null
  filter?: object | null
  orderBy?: { field: string; direction?: 'ASC' | 'DESC' | null } | null
}

/** What a resolver may fix about its connection. */
export interface PageOptions {
  /** Equalities that always hold, whatever the client filters. */
  where?: Filter
  /** Order when the client gives none; default: newest first. */
  defaultOrder?: { property: string; direction: 'ASC' | 'DESC' }
}

/** A connection's request, checked and ready to be written as SQL. */
export interface PageRequest {
  model: EntityModel
  /** An integer: it is part of the statement's text. */
  first: number
  order: { column: ColumnModel; descending: boolean; name: string }
  after: Position | null
  filter: Filter | null
  options: PageOptions
  projection: Projection
  wantsRows: boolean
  wantsCount: boolean
}

const rowPaths = [['nodes'], ['edges', 'node']] as const

/**
 * Checks a connection's arguments and finds out what is selected of it.
 * @param extra properties to read whether they are selected or not
 * @param withJoins the statement is written by `joinedRows`, so related rows may come with it
 */
export function readPage(
  context: SubgraphContext,
  entity: EntityClass,
  args: PageArguments,
  info: GraphQLResolveInfo,
  options: PageOptions,
  limit: number,
  { extra = [], withJoins = false }: { extra?: readonly string[]; withJoins?: boolean } = {},
): PageRequest {
  const model = modelOf(context, entity)
  requireTenant(context, model)
  const first = args.first ?? 20
  if (!Number.isInteger(first) || first < 1 || first > limit)
    throw badUserInput(`first: ask for 1 to ${limit} rows at a time, not ${first}`)
  const order = readOrder(model, args.orderBy, options.defaultOrder)
  const selected = selectedFields(info, info.returnType.toString().replace(/!$/, ''))
  return {
    model,
    first,
    order,
    after: args.after ? decodeCursor(order.name, args.after) : null,
    filter: (args.filter ?? null) as Filter | null,
    options,
    projection: selectedProjection(model, info, rowPaths, [order.column.property, ...extra], withJoins),
    wantsRows: selected.has('nodes') || selected.has('edges') || selected.has('pageInfo'),
    wantsCount: selected.has('totalCount'),
  }
}

/** The order that the client asked for: the enum value `HIRE_DATE` names the property `hireDate`. */
function readOrder(
  model: EntityModel,
  orderBy: PageArguments['orderBy'],
  fallback: PageOptions['defaultOrder'],
): PageRequest['order'] {
  const property = orderBy ? propertyOfOrder(orderBy.field) : (fallback?.property ?? 'createdAt')
  const direction = orderBy ? (orderBy.direction ?? 'ASC') : (fallback?.direction ?? 'DESC')
  const column = model.columns.get(property)
  if (!column) throw new Error(`order ${property} is no column of ${model.name}`)
  return { column, descending: direction === 'DESC', name: `${property} ${direction}` }
}

/** The property that an order's enum value names: `HIRE_DATE` is `hireDate`. */
function propertyOfOrder(value: string): string {
  return value.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}

/**
 * What the schema promises of its connections and the entities cannot keep: filter fields and orders without a column.
 * Called once at start, so that a wrong name fails there and not under a request.
 */
export function connectionFaults(schema: GraphQLSchema, models: Iterable<EntityModel>): string[] {
  const byName = new Map([...models].map((model) => [model.name, model]))
  return Object.values(schema.getTypeMap()).flatMap((type) =>
    isObjectType(type)
      ? Object.values(type.getFields()).flatMap((field) => {
          const nodes = connectionNodes(schema, field)
          const model = nodes ? byName.get(nodes) : undefined
          return model ? faultsOf(`${type.name}.${field.name}`, field, model) : []
        })
      : [],
  )
}

function connectionNodes(schema: GraphQLSchema, field: GraphQLField<unknown, unknown>): string | null {
  const connection = schema.getType(getNamedType(field.type).name)
  const nodes = isObjectType(connection) ? connection.getFields()['nodes'] : undefined
  return nodes ? getNamedType(nodes.type).name : null
}

function faultsOf(name: string, field: GraphQLField<unknown, unknown>, model: EntityModel): string[] {
  const faults: string[] = []
  for (const argument of field.args) {
    const input = getNamedType(argument.type)
    if (!isInputObjectType(input)) continue
    if (argument.name === 'filter') {
      for (const property of Object.keys(input.getFields())) {
        if (property !== 'search' && !model.columns.has(property))
          faults.push(`${name}: filter ${property} has no column`)
        if (model.masked.has(property))
          faults.push(`${name}: filter ${property} would reveal a restricted field`)
      }
    }
    if (argument.name === 'orderBy') {
      const orders = getNamedType(input.getFields()['field']!.type)
      for (const { name: value } of isEnumType(orders) ? orders.getValues() : []) {
        const property = propertyOfOrder(value)
        if (!model.columns.has(property)) faults.push(`${name}: order ${value} has no column`)
        if (model.masked.has(property)) faults.push(`${name}: order ${value} would reveal a restricted field`)
      }
    }
  }
  return faults
}
