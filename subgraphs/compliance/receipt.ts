import { heldReason, type KeptCount } from '../../kernel/subjects'
import { untold } from './personal'

/** The answer of a subgraph for one type. */
export interface TypeAnswer {
  type: string
  given: number
  erased: number
  kept: KeptCount[]
}

/** The answers of one subgraph to one task. */
export interface SubgraphAnswer {
  taskId: string
  askedAt: string
  /** Tells whether the subgraph answered none that was asked later. */
  isLast: boolean
  answers: TypeAnswer[]
}

/** A receipt of an erasure: one line for each type, and what went when. */
export interface ErasureReceipt {
  types: TypeAnswer[]
  passes: { at: string; erased: Record<string, number> }[]
}

/** Leaves out what nobody is told of. */
export const told = <T extends { type: string }>(types: readonly T[]): T[] =>
  types.filter(({ type }) => !untold.includes(type))

/** One answer for each type: all that was ever erased, and what stayed when its subgraph answered last. */
export function unionOf(answers: readonly SubgraphAnswer[]): TypeAnswer[] {
  const types = new Map<string, TypeAnswer>()
  for (const { isLast, answers: ofSubgraph } of answers)
    for (const answer of ofSubgraph) {
      const erased = (types.get(answer.type)?.erased ?? 0) + answer.erased
      types.set(answer.type, { ...answer, kept: isLast ? answer.kept : [], erased })
    }
  return [...types.values()].sort((a, b) => (a.type < b.type ? -1 : 1))
}

/** The receipt of all answers to an erasure, in their order: the passes are those in which something went, the first in any case. */
export function receiptOf(answers: readonly SubgraphAnswer[]): ErasureReceipt {
  const passes = new Map<string, ErasureReceipt['passes'][number]>()
  for (const { taskId, askedAt, answers: ofSubgraph } of answers) {
    const pass = passes.get(taskId) ?? { at: askedAt, erased: {} }
    for (const { type, erased } of told(ofSubgraph)) if (erased > 0) pass.erased[type] = erased
    passes.set(taskId, pass)
  }
  const all = [...passes.values()]
  return {
    types: told(unionOf(answers)),
    passes: all.filter(({ erased }, place) => place === 0 || Object.keys(erased).length > 0),
  }
}

/** Describes what is left for a later pass. */
export interface Rest {
  /** Rows stay because somebody holds them: the pass comes with the release. */
  isHeld: boolean
  /** The instant of the next pass; null when nothing waits for one. */
  nextPassAt: string | null
}

/** Days after which rows are looked at again whose use ends on a day that nobody knows. */
const unknownDays = 30
const day = 86_400_000

/** Tells when what an erasure left is looked at again: tomorrow at the earliest. */
export function restOf(types: readonly TypeAnswer[], now: Date): Rest {
  const waiting = types.flatMap(({ kept }) => kept.filter(({ then }) => then === 'EMPTIED'))
  const isHeld = waiting.some(({ reason }) => reason === heldReason)
  const times = waiting
    .filter(({ reason }) => reason !== heldReason)
    .map(({ until }) => {
      const known = until === null ? now.getTime() + unknownDays * day : Date.parse(`${until}T00:00:00Z`)
      return Math.max(known, now.getTime() + day)
    })
  return { isHeld, nextPassAt: times.length > 0 ? new Date(Math.min(...times)).toISOString() : null }
}
