import { removalDate, replacementIn } from '../deprecations'
import { deprecation } from '../diff/documented'
import type { Finding, LintedSubgraph } from '.'

/** A deprecation names what to use instead and the day until which the old works. */
export function* deprecations({ schema }: LintedSubgraph): Generator<Finding> {
  for (const type of schema.types.values()) {
    for (const member of [...type.fields.values(), ...type.inputFields.values(), ...type.values.values()]) {
      const coordinate = `${type.name}.${member.name}`
      yield* unclear(coordinate, member)
      if ('args' in member)
        for (const argument of member.args.values())
          yield* unclear(`${coordinate}(${argument.name}:)`, argument)
    }
  }
}

function* unclear(
  coordinate: string,
  of: Parameters<typeof deprecation>[0] & { node: Finding['node'] },
): Generator<Finding> {
  const reason = deprecation(of)
  if (reason === null) return
  const lacks = [
    ...(replacementIn(reason) ? [] : ['what to use instead, in backticks']),
    ...(removalDate(reason) ? [] : ['the day of removal']),
  ]
  if (lacks.length === 0) return
  const message = `${coordinate} is deprecated without ${lacks.join(' and without ')}: "${reason}"`
  yield { code: 'DEPRECATION_UNCLEAR', coordinate, message, node: of.node }
}
