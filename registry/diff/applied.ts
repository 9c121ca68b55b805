import { valueFromASTUntyped } from 'graphql'
import type { Change } from '../change'
import type { AppliedDirective, SchemaModel, TypeModel } from '../schema-model'
import { canonical } from '../versions/store'

/** Directives whose meaning is compared elsewhere, or that only composition reads. */
const known = new Set([
  ...['deprecated', 'specifiedBy', 'oneOf', 'cost', 'listSize', 'tag', 'inaccessible'],
  ...['authenticated', 'requiresScopes', 'policy', 'public', 'key', 'external', 'requires', 'provides'],
  ...[
    'extends',
    'shareable',
    'override',
    'interfaceObject',
    'context',
    'fromContext',
    'composeDirective',
    'link',
  ],
])

/**
 * Differences in how directives of one's own are applied: those that composition carries into the supergraph.
 * @param unchanged types to pass over
 */
export function appliedChanges(from: SchemaModel, to: SchemaModel, unchanged: ReadonlySet<string>): Change[] {
  const changes: Change[] = []
  for (const before of from.types.values()) {
    const after = to.types.get(before.name)
    if (unchanged.has(before.name) || !after) continue
    const kept = elementsOf(after)
    for (const [coordinate, element] of elementsOf(before)) {
      const now = kept.get(coordinate)
      if (!now || now.directives === element.directives) continue
      const [was, is] = [textsOf(from, element.directives), textsOf(to, now.directives)]
      for (const name of new Set([...was.keys(), ...is.keys()])) {
        const [old, current] = [was.get(name), is.get(name)]
        if (old === current) continue
        changes.push({
          code: 'APPLIED_DIRECTIVE_CHANGED',
          severity: 'dangerous',
          coordinate,
          message: `${coordinate} ${old === undefined ? `got ${current}` : current === undefined ? `lost ${old}` : `had ${old} and has ${current} now`}`,
          from: old,
          to: current,
          affects: [coordinate, `~${coordinate}`],
        })
      }
    }
  }
  return changes
}

/** Everything of a type that directives may be applied to, by its coordinate. */
function elementsOf(type: TypeModel): Map<string, { directives: readonly AppliedDirective[] }> {
  const found = new Map<string, { directives: readonly AppliedDirective[] }>([[type.name, type]])
  for (const field of type.fields.values()) {
    found.set(`${type.name}.${field.name}`, field)
    for (const argument of field.args.values())
      found.set(`${type.name}.${field.name}(${argument.name}:)`, argument)
  }
  for (const member of [...type.inputFields.values(), ...type.values.values()])
    found.set(`${type.name}.${member.name}`, member)
  return found
}

/** Directives of one's own by name, as text: every application, with the defaults of the definition. */
function textsOf(schema: SchemaModel, directives: readonly AppliedDirective[]): Map<string, string> {
  const texts = new Map<string, string>()
  for (const { name, args } of directives) {
    if (known.has(name) || name.startsWith('join__')) continue
    const definition = schema.schemaDirectives.get(name)
    const values: Record<string, unknown> = { ...args }
    for (const argument of definition?.args.values() ?? []) {
      const { defaultValue } = argument.node
      const given = args[argument.name] ?? (defaultValue && valueFromASTUntyped(defaultValue))
      if (given === undefined || (given === null && args[argument.name] === undefined)) continue
      const isOneOfList = argument.type.startsWith('[') && !Array.isArray(given)
      values[argument.name] = isOneOfList ? [given] : argument.type.startsWith('ID') ? String(given) : given
    }
    const text = `@${name}${Object.keys(values).length > 0 ? `(${canonical(values).slice(1, -1)})` : ''}`
    texts.set(name, [texts.get(name), text].filter(Boolean).join(' '))
  }
  return texts
}
