import { removalDate, replacementIn } from '../deprecations'
import { deprecation } from '../diff/documented'
import type { Finding, LintedSubgraph } from './linted-subgraph'

/** A deprecation names what to use instead, which exists, and the day until which the old works. */
export function* deprecations({ schema, exists }: LintedSubgraph): Generator<Finding> {
  for (const type of schema.types.values()) {
    for (const member of [...type.fields.values(), ...type.inputFields.values(), ...type.values.values()]) {
      const coordinate = `${type.name}.${member.name}`
      yield* unclear(coordinate, member)
      yield* missing(coordinate, member, exists, (name) => [`${type.name}.${name}`])
      if ('args' in member)
        for (const argument of member.args.values()) {
          const place = `${coordinate}(${argument.name}:)`
          yield* unclear(place, argument)
          yield* missing(place, argument, exists, (name) => [
            `${coordinate}(${name}:)`,
            `${type.name}.${name}`,
          ])
        }
    }
  }
}

/**
 * Finds the coordinate, or the sibling, that a name stands for; of what is no plain name (`manager { id }`) the first one
 * counts.
 * @param near the coordinates that a name may stand for beside the deprecated one
 */
function* missing(
  coordinate: string,
  of: Parameters<typeof deprecation>[0] & { node: Finding['node'] },
  exists: (coordinate: string) => boolean,
  near: (name: string) => string[],
): Generator<Finding> {
  const named = replacementIn(deprecation(of) ?? '')
  const name = /^@?\w+(?:\.\w+)?(?:\(\w+:\))?/.exec(named ?? '')?.[0]
  if (
    named === null ||
    (name && [name, ...near(name)].some((place) => place !== coordinate && exists(place)))
  )
    return
  const message = `${coordinate} is deprecated for ${named}, which does not exist`
  yield { code: 'REPLACEMENT_MISSING', coordinate, message, node: of.node }
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
