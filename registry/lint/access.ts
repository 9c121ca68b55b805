import type { AppliedDirective, SchemaModel } from '../schema-model'
import type { Finding, LintedSubgraph } from './linted-subgraph'

const access = new Set(['authenticated', 'requiresScopes', 'policy', 'public'])

/** Root fields, entities and contributed fields say who may read them. */
export function* accessDeclared({ schema, owns }: LintedSubgraph): Generator<Finding> {
  for (const [operation, root] of Object.entries(schema.roots)) {
    for (const field of schema.types.get(root)?.fields.values() ?? []) {
      if (!declares(field)) {
        const coordinate = `${root}.${field.name}`
        yield {
          code: 'ACCESS_MISSING',
          coordinate,
          message: `${coordinate} does not say who may use this ${operation}`,
          node: field.node,
        }
      }
    }
  }
  for (const type of schema.types.values()) {
    if (!isEntity(schema, type.name)) continue
    if (owns(type.name)) {
      if (!declares(type))
        yield {
          code: 'ACCESS_MISSING',
          coordinate: type.name,
          message: `${type.name} does not say who may read it`,
          node: type.nodes[0],
        }
      continue
    }
    const keys = keyFields(type.directives)
    for (const field of type.fields.values()) {
      const isReference = keys.has(field.name) || field.directives.some(({ name }) => name === 'external')
      if (isReference || declares(field)) continue
      const coordinate = `${type.name}.${field.name}`
      const message = `${coordinate} is added to another subgraph's entity and does not say who may read it`
      yield { code: 'ACCESS_MISSING', coordinate, message, node: field.node }
    }
  }
}

function declares(of: { directives: readonly AppliedDirective[] }): boolean {
  return of.directives.some(({ name }) => access.has(name))
}

function isEntity(schema: SchemaModel, name: string): boolean {
  return schema.types.get(name)?.directives.some((applied) => applied.name === 'key') ?? false
}

/** Names of all fields in a type's keys. */
export function keyFields(directives: readonly AppliedDirective[]): ReadonlySet<string> {
  return new Set(
    directives.flatMap(({ name, args }) =>
      name === 'key' && typeof args['fields'] === 'string' ? (args['fields'].match(/\w+/g) ?? []) : [],
    ),
  )
}
