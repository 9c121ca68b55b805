import type { Finding, LintedSubgraph } from './linted-subgraph'

const pascal = /^[A-Z][A-Za-z0-9]*$/
const camel = /^[a-z][A-Za-z0-9]*$/
const upper = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/

/** Names have the form of their kind; inputs say what they are for. */
export function* naming({ schema }: LintedSubgraph): Generator<Finding> {
  const wrong = (coordinate: string, form: string, node: Finding['node']): Finding => ({
    code: 'NAME_FORM',
    coordinate,
    message: `${coordinate} is not ${form}`,
    node,
  })
  for (const type of schema.types.values()) {
    const node = type.nodes[0]
    if (!pascal.test(type.name)) yield wrong(type.name, 'PascalCase', node)
    if (type.kind === 'input' && !/(Input|Filter|Order)$/.test(type.name))
      yield wrong(type.name, 'named …Input, …Filter or …Order', node)
    for (const field of type.fields.values()) {
      const coordinate = `${type.name}.${field.name}`
      if (!camel.test(field.name)) yield wrong(coordinate, 'camelCase', field.node)
      for (const argument of field.args.values()) {
        if (!camel.test(argument.name))
          yield wrong(`${coordinate}(${argument.name}:)`, 'camelCase', argument.node)
      }
    }
    for (const field of type.inputFields.values()) {
      if (!camel.test(field.name)) yield wrong(`${type.name}.${field.name}`, 'camelCase', field.node)
    }
    for (const value of type.values.values()) {
      if (!upper.test(value.name)) yield wrong(`${type.name}.${value.name}`, 'UPPER_CASE', value.node)
    }
  }
}
