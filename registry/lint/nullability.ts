import { namedType, type SchemaModel } from '../schema-model'
import { keyFields } from './access'
import type { Finding, LintedSubgraph } from '.'

/** Fields that another subgraph has to answer, or that a viewer may be denied, can be null. */
export function* nullability({ schema, owns }: LintedSubgraph): Generator<Finding> {
  const roots = new Set(Object.values(schema.roots))
  for (const type of schema.types.values()) {
    if (type.kind !== 'object' || roots.has(type.name)) continue
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
      if (entity && !owns(type.name))
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
