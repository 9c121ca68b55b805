import type { Finding, LintedSubgraph } from './linted-subgraph'

/** Everything clients see is described, once. */
export function* documented({ schema, owns }: LintedSubgraph): Generator<Finding> {
  const finding = (coordinate: string, node: Finding['node']): Finding => ({
    code: 'DESCRIPTION_MISSING',
    coordinate,
    message: `${coordinate} has no description`,
    node,
  })
  const roots = new Set(Object.values(schema.roots))
  for (const type of schema.types.values()) {
    // Query and Mutation need no explanation; entities that others own are described there.
    if (!type.description && !roots.has(type.name) && owns(type.name)) yield finding(type.name, type.nodes[0])
    for (const field of type.fields.values()) {
      const coordinate = `${type.name}.${field.name}`
      if (!field.description && (owns(type.name) || roots.has(type.name)))
        yield finding(coordinate, field.node)
      for (const argument of field.args.values()) {
        if (!argument.description) yield finding(`${coordinate}(${argument.name}:)`, argument.node)
      }
    }
    for (const member of [...type.inputFields.values(), ...type.values.values()]) {
      if (!member.description) yield finding(`${type.name}.${member.name}`, member.node)
    }
  }
}
