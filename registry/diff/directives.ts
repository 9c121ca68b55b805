import type { Change } from '../change'
import type { SchemaModel } from '../schema-model'
import { argumentChanges } from './inputs'
import { missing } from './types'

/** Differences between the directives that operations may use. */
export function directiveChanges(from: SchemaModel, to: SchemaModel): Change[] {
  const changes: Change[] = []
  for (const before of from.directives.values()) {
    const coordinate = `@${before.name}`
    const after = to.directives.get(before.name)
    const broken = { severity: 'breaking', coordinate, affects: [coordinate] } as const
    const harmless = { severity: 'safe', coordinate, affects: [] } as const
    if (!after) {
      changes.push({ ...broken, code: 'DIRECTIVE_REMOVED', message: `${coordinate} was removed` })
      continue
    }
    changes.push(...argumentChanges({ from, to }, coordinate, before.args, after.args))
    for (const location of missing(before.locations, after.locations)) {
      const message = `${coordinate} may not stand on ${location} any more`
      const affects = [`${coordinate} on ${location}`]
      changes.push({ ...broken, affects, code: 'DIRECTIVE_LOCATION_REMOVED', message, from: location })
    }
    for (const location of missing(after.locations, before.locations)) {
      const message = `${coordinate} may stand on ${location} now`
      changes.push({ ...harmless, code: 'DIRECTIVE_LOCATION_ADDED', message, to: location })
    }
    if (before.repeatable && !after.repeatable) {
      changes.push({
        ...broken,
        affects: [`${coordinate} twice`],
        code: 'DIRECTIVE_REPEATABLE_REMOVED',
        message: `${coordinate} may not be repeated any more`,
      })
    }
    if (!before.repeatable && after.repeatable) {
      changes.push({
        ...harmless,
        code: 'DIRECTIVE_REPEATABLE_ADDED',
        message: `${coordinate} may be repeated now`,
      })
    }
  }
  for (const name of to.directives.keys()) {
    if (from.directives.has(name)) continue
    changes.push({
      code: 'DIRECTIVE_ADDED',
      severity: 'safe',
      coordinate: `@${name}`,
      message: `@${name} was added`,
      affects: [],
    })
  }
  return changes
}
