import type { CheckReport } from '../check'

/** For programs. The supergraph itself is left out: `schema compose` writes it. */
export function jsonReport({ supergraph, changes, ...report }: CheckReport): string {
  return JSON.stringify(
    {
      ...report,
      composed: supergraph !== null,
      changes: changes.map(({ usedBy, ...change }) => ({
        ...change,
        usedBy: usedBy && usedBy.map(({ hash, name, clients }) => ({ hash, name, clients })),
      })),
    },
    null,
    2,
  )
}
