import { directive, namedType, type FieldModel, type SchemaModel, type TypeModel } from '../schema-model'
import type { Finding, LintedSubgraph } from './linted-subgraph'

/** Lists come in pages of one form, or say how long they get; mutations have one form. */
export function* connections({ schema }: LintedSubgraph): Generator<Finding> {
  for (const type of schema.types.values()) {
    if (type.kind === 'object' && type.name.endsWith('Connection')) yield* connectionForm(schema, type)
    for (const field of type.fields.values()) {
      const coordinate = `${type.name}.${field.name}`
      const node = field.node
      if (namedType(field.type).endsWith('Connection')) {
        for (const argument of ['first', 'after']) {
          if (!field.args.has(argument))
            yield {
              code: 'CONNECTION_FORM',
              coordinate,
              message: `${coordinate} has no argument "${argument}"`,
              node,
            }
        }
        if (!directive(field, 'listSize'))
          yield { code: 'LIST_SIZE_MISSING', coordinate, message: `${coordinate} has no @listSize`, node }
      } else if (unboundedList(schema, type, field)) {
        yield {
          code: 'LIST_UNBOUNDED',
          coordinate,
          message: `${coordinate} is a list of objects without pages or @listSize`,
          node,
        }
      }
    }
  }
  for (const field of schema.types.get(schema.roots.mutation ?? '')?.fields.values() ?? [])
    yield* mutationForm(schema, field)
}

const forms: Record<'Connection' | 'Edge', string[]> = {
  Connection: ['edges', 'nodes', 'pageInfo', 'totalCount'],
  Edge: ['cursor', 'node'],
}

function* connectionForm(schema: SchemaModel, connection: TypeModel): Generator<Finding> {
  const edge = schema.types.get(namedType(connection.fields.get('edges')?.type ?? ''))
  for (const [type, kind] of [
    [connection, 'Connection'],
    [edge, 'Edge'],
  ] as const) {
    for (const name of forms[kind]) {
      if (!type || type.fields.has(name)) continue
      yield {
        code: 'CONNECTION_FORM',
        coordinate: type.name,
        message: `${type.name} has no field "${name}"`,
        node: type.nodes[0],
      }
    }
  }
}

/** Objects in a list cost a fetch each. Pages hold what was paged; payloads and their errors are as long as the input. */
function unboundedList(schema: SchemaModel, type: TypeModel, field: FieldModel): boolean {
  if (!field.type.startsWith('[') || /(Connection|Payload)$/.test(type.name) || directive(field, 'listSize'))
    return false
  const kind = schema.types.get(namedType(field.type))?.kind
  return kind === 'object' || kind === 'interface' || kind === 'union'
}

function* mutationForm(schema: SchemaModel, field: FieldModel): Generator<Finding> {
  const coordinate = `Mutation.${field.name}`
  const name = field.name.charAt(0).toUpperCase() + field.name.slice(1)
  const [input, ...others] = [...field.args.values()]
  const payload = schema.types.get(namedType(field.type))
  const wrong: string[] = []
  if (input?.name !== 'input' || input.type !== `${name}Input!` || others.length > 0)
    wrong.push(`take input: ${name}Input! alone`)
  if (field.type !== `${name}Payload!`) wrong.push(`return ${name}Payload!`)
  if (payload && !payload.fields.has('userErrors')) wrong.push(`have userErrors in ${payload.name}`)
  if (wrong.length > 0)
    yield {
      code: 'MUTATION_FORM',
      coordinate,
      message: `${coordinate} does not ${wrong.join(', nor ')}`,
      node: field.node,
    }
}
