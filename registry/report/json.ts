import type { CheckReport } from '../check'
import { nameOf } from '../usage/usage'

/** For programs. The supergraph itself is left out: `schema compose` writes it. */
export function jsonReport({ supergraph, changes, ...report }: CheckReport): string {
  return JSON.stringify(
    {
      ...report,
      composed: supergraph !== null,
      changes: changes.map(({ usedBy, ...change }) => ({
        ...change,
        usedBy:
          usedBy &&
          usedBy.map(({ hash, clients, ...operation }) => ({ hash, name: nameOf(operation), clients })),
      })),
    },
    null,
    2,
  )
}
