import type { Path } from './data'
import type { EntityFetch } from './entities'
import { entityCall } from './entity-call'
import type { Opaque } from './opaque-values'
import { apart } from './required-conflicts'
import { fieldsStep, type Compiling, type Run, type Step } from './fetch'
import type { PlanNode, QueryPlan } from './query-plan'

/** Entity fetches of one subgraph that are one call: they come after the same number of other fetches. */
interface Group {
  fetches: EntityFetch[]
  call: Step
}

/**
 * Compiles the query plan of an operation without conditions.
 *
 * Fetches in parallel branches that go to one subgraph at the same depth are made one call, which starts when the last
 * of them is due. None of them can need another one: what a fetch needs is of a lower depth.
 *
 * @returns null for a plan this cannot run: subscriptions, `@defer`
 */
export function compilePlan(
  { node }: QueryPlan,
  compiling: Compiling & Pick<Opaque, 'restored'>,
): Step | null {
  const groups = new Map<string, Group>()

  let waits = 0

  /**
   * @param after the same number for what starts at the same time, whatever the answers are
   * @returns the step, and the depth of what comes after it
   */
  function compile(node: PlanNode, path: Path, depth: number, after: number): [Step, number] {
    switch (node.kind) {
      case 'Fetch': {
        if (!node.requires) return [fieldsStep(compiling.restored(node), path, compiling), depth + 1]
        const key = `${depth} ${node.serviceName}`
        const group = groups.get(key) ?? { fetches: [], call: nothing }
        groups.set(key, group)
        const fetches = apart(node, compiling.own).map(compiling.restored)
        group.fetches.push(...fetches.map((fetch) => ({ fetch, path, after })))
        return [inParallel(fetches.map(() => (run) => due(run, group))), depth + 1]
      }
      case 'Flatten':
        return compile(node.node, [...path, ...node.path], depth, after)
      case 'Sequence': {
        let reached = depth
        const steps = node.nodes.map((child, index) => {
          const [step, next] = compile(child, path, reached, index === 0 ? after : ++waits)
          reached = next
          return step
        })
        return [inSequence(steps), reached]
      }
      case 'Parallel': {
        const children = node.nodes.map((child) => compile(child, path, depth, after))
        return [
          inParallel(children.map(([step]) => step)),
          Math.max(depth, ...children.map(([, reached]) => reached)),
        ]
      }
      case 'Condition':
      case 'Defer':
        throw new NotCompilable()
    }
  }
  if (!node) return nothing
  if (node.kind === 'Subscription') return null
  try {
    const [step] = compile(node, [], 0, 0)
    for (const group of groups.values()) group.call = entityCall(group.fetches, compiling)
    return step
  } catch (error) {
    if (error instanceof NotCompilable) return null
    throw error
  }
}

/** Waits for the last fetch of a group to be due, which makes the call for all. */
function due(run: Run, group: Group): Promise<void> {
  if (group.fetches.length === 1) return group.call(run)
  let state = run.joint.get(group)
  if (!state) {
    let go!: () => void
    const started = new Promise<void>((resolve) => (go = resolve))
    state = { missing: group.fetches.length, done: started.then(() => group.call(run)), go }
    run.joint.set(group, state)
  }
  if (--state.missing === 0) state.go()
  return state.done
}

function inSequence(steps: readonly Step[]): Step {
  return async (run) => {
    for (const step of steps) await step(run)
  }
}

function inParallel(steps: readonly Step[]): Step {
  const [only] = steps
  if (only && steps.length === 1) return only
  return async (run) => void (await Promise.all(steps.map((step) => step(run))))
}

class NotCompilable extends Error {}

const nothing: Step = async () => undefined
