import type { GraphQLSchema } from 'graphql'
import type { Path } from './data'
import { fetchStep, type Step } from './fetch'
import type { PlanNode, QueryPlan } from './query-plan'

/**
 * Compiles the query plan of an operation without conditions.
 *
 * @param keys the response keys of fields that were fetched under another one
 * @returns null for a plan this cannot run: subscriptions, `@defer`, contexts
 */
export function compilePlan(
  { node }: QueryPlan,
  supergraph: GraphQLSchema,
  keys: ReadonlyMap<string, string>,
): Step | null {
  function compile(node: PlanNode, path: Path): Step {
    switch (node.kind) {
      case 'Fetch':
        if (node.contextRewrites?.length) throw new NotCompilable()
        return fetchStep(node, path, supergraph, keys)
      case 'Flatten':
        return compile(node.node, [...path, ...node.path])
      case 'Sequence': {
        const steps = node.nodes.map((child) => compile(child, path))
        return async (run) => {
          for (const step of steps) await step(run)
        }
      }
      case 'Parallel': {
        const steps = node.nodes.map((child) => compile(child, path))
        return async (run) => void (await Promise.all(steps.map((step) => step(run))))
      }
      case 'Condition':
      case 'Defer':
        throw new NotCompilable()
    }
  }
  if (!node) return nothing
  if (node.kind === 'Subscription') return null
  try {
    return compile(node, [])
  } catch (error) {
    if (error instanceof NotCompilable) return null
    throw error
  }
}

class NotCompilable extends Error {}

const nothing: Step = async () => undefined
