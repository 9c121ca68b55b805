import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isObjectType,
  type GraphQLField,
  type GraphQLInputObjectType,
  type GraphQLSchema,
} from 'graphql'
import type { EntityModel } from '../schema/entity-model'
import { filterOperators } from './filter'
import { propertyOfOrder } from './order'

const combinations: ReadonlySet<string> = new Set(['and', 'or', 'not'])

/**
 * Returns what the schema promises of its connections and the entities cannot keep: filter fields and orders without a
 * column. Called once at start, so that a wrong name fails there and not under a request.
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

/** Tells whether lists must tell nothing of a property. */
const isHidden = ({ restricted, listed }: EntityModel, property: string): boolean =>
  restricted.has(property) && !listed.has(property)

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
    if (argument.name === 'filter') faults.push(...filterFaults(name, input, model))
    if (argument.name === 'orderBy') {
      const orders = getNamedType(input.getFields()['field']!.type)
      for (const { name: value } of isEnumType(orders) ? orders.getValues() : []) {
        const property = propertyOfOrder(value)
        if (!model.columns.has(property)) faults.push(`${name}: order ${value} has no column`)
        if (isHidden(model, property)) faults.push(`${name}: order ${value} would reveal a restricted field`)
      }
    }
  }
  return faults
}

function filterFaults(name: string, input: GraphQLInputObjectType, model: EntityModel): string[] {
  return Object.values(input.getFields()).flatMap((field) => {
    if (field.name === 'search')
      return model.searched.length > 0
        ? []
        : [`${name}: filter search looks into nothing: mark fields @search`]
    if (combinations.has(field.name)) return []
    const money = model.money.get(field.name)
    if (!money && !model.columns.has(field.name)) return [`${name}: filter ${field.name} has no column`]
    if (isHidden(model, field.name)) return [`${name}: filter ${field.name} would reveal a restricted field`]
    if (model.encrypted.get(field.name)?.index === null)
      return [
        `${name}: filter ${field.name} needs a property ${field.name}Index, by which encrypted values are found`,
      ]
    // A resolver that has a filter of its own reads it by itself.
    if (input.name !== `${model.name}Filter`) return []
    const kind = getNamedType(field.type)
    const operators = isInputObjectType(kind) ? Object.keys(kind.getFields()) : []
    const isKnown = (operator: string) => filterOperators.has(operator) || (money && operator === 'currency')
    return operators.length > 0 && operators.every(isKnown)
      ? []
      : [`${name}: filter ${field.name} is of ${kind.name}, which is no kind of condition`]
  })
}
