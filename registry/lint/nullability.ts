import { namedType, type SchemaModel } from '../schema-model'
import { keyFields } from './access'
import type { Finding, LintedSubgraph } from './linted-subgraph'

/** Fields of the root, and those that another subgraph answers or a viewer may be denied, can be null. */
export function* nullability({ schema, owns }: LintedSubgraph): Generator<Finding> {
  const others = new Set([schema.roots.mutation, schema.roots.subscription])
  for (const type of schema.types.values()) {
    if (type.kind !== 'object' || others.has(type.name)) continue
    const entity = type.directives.some(({ name }) => name === 'key')
    const keys = keyFields(type.directives)
    for (const field of type.fields.values()) {
      if (
        !field.type.endsWith('!') ||
        keys.has(field.name) ||
        field.directives.some(({ name }) => name === 'external')
      )
        continue
      const coordinate = `${type.name}.${field.name}`
      const is = { code: 'NULLABLE_ACROSS_SUBGRAPHS', coordinate, node: field.node } as const
      if (type.name === schema.roots.query)
        yield { ...is, message: `${coordinate} may be refused or unavailable and may not be ${field.type}` }
      else if (entity && !owns(type.name))
        yield {
          ...is,
          message: `${coordinate} is added to another subgraph's entity and may not be ${field.type}`,
        }
      else if (!field.type.startsWith('[') && isForeign(schema, namedType(field.type), owns)) {
        yield {
          ...is,
          message: `${coordinate} is an entity of another subgraph and may not be ${field.type}`,
        }
      }
    }
  }
}

function isForeign(schema: SchemaModel, typeName: string, owns: (name: string) => boolean): boolean {
  const type = schema.types.get(typeName)
  return type !== undefined && type.directives.some(({ name }) => name === 'key') && !owns(typeName)
}
