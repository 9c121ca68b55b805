import {
  getOperationAST,
  isEnumType,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  typeFromAST,
  type DocumentNode,
  type GraphQLInputType,
  type GraphQLSchema,
} from 'graphql'

const builtIn: Readonly<Record<string, unknown>> = { Int: 0, Float: 0, Boolean: false, ID: '', String: '' }

/** Stands for a value of a custom scalar, which whoever checks these must let pass. No client can send it. */
export const anyScalar: unique symbol = Symbol('any value of a custom scalar')

/** Values that the variables of an operation accept: for each that has to have one, the simplest there is. */
export function anyVariables(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName?: string,
): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const definition of getOperationAST(document, operationName)?.variableDefinitions ?? []) {
    const type = typeFromAST(schema, definition.type as never)
    if (isInputType(type) && isNonNullType(type) && !definition.defaultValue)
      values[definition.variable.name.value] = anyValue(type.ofType)
  }
  return values
}

function anyValue(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return anyValue(type.ofType)
  if (isListType(type)) return []
  if (isEnumType(type)) return type.getValues()[0]?.name
  if (!isInputObjectType(type)) return builtIn[type.name] ?? anyScalar
  const fields = Object.values(type.getFields())
  const given = type.isOneOf
    ? fields.slice(0, 1)
    : fields.filter((field) => isNonNullType(field.type) && field.defaultValue === undefined)
  return Object.fromEntries(given.map((field) => [field.name, anyValue(field.type)]))
}
