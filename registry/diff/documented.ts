import type { Change } from '../change'
import { directive, type AppliedDirective } from '../schema-model'

interface Documented {
  description: string | undefined
  directives: readonly AppliedDirective[]
}

/** Differences in what a schema says about something: its description and its deprecation. */
export function documentedChanges(coordinate: string, before: Documented, after: Documented): Change[] {
  const changes: Change[] = []
  if (normal(before.description) !== normal(after.description)) {
    changes.push({
      code: 'DESCRIPTION_CHANGED',
      severity: 'safe',
      coordinate,
      message: `The description of ${coordinate} changed`,
      from: before.description,
      to: after.description,
      affects: [],
    })
  }
  const [was, is] = [deprecation(before), deprecation(after)]
  if (was === is || (was !== null && is !== null && normal(was) === normal(is))) return changes
  const code = was === null ? 'DEPRECATED' : is === null ? 'DEPRECATION_REMOVED' : 'DEPRECATION_CHANGED'
  const message =
    is === null
      ? `${coordinate} is not deprecated any more`
      : `${coordinate} is deprecated${was === null ? '' : ' for another reason'}: ${is}`
  changes.push({
    code,
    severity: 'safe',
    coordinate,
    message,
    from: was ?? undefined,
    to: is ?? undefined,
    affects: [],
  })
  return changes
}

/** The reason of a deprecation; null when there is none. GraphQL's default reason stands for a missing one. */
export function deprecation(of: { directives: readonly AppliedDirective[] }): string | null {
  const deprecated = directive(of, 'deprecated')
  if (!deprecated) return null
  const reason = deprecated.args['reason']
  return typeof reason === 'string' ? reason : 'No longer supported'
}

function normal(description: string | undefined): string {
  return (description ?? '').replaceAll(/\s+/g, ' ').trim()
}
