import type { GraphQLFormattedError } from 'graphql'
import type { SubgraphAnswer } from '../context'
import type { Data, Path } from './data'
import { gatherer, type Asked, type EntityFetch, type Gather } from './entities'
import { EntityReceiver } from './entity-answer'
import { ask, variablesOf, type Compiling, type Run, type Step } from './fetch'
import { batchFetches, type BatchedFetch } from './batched-fetch'
import type { FetchNode } from './query-plan'

/** Entities of one selection, at all places of the answer that ask for it. */
interface Part {
  fetch: FetchNode
  paths: readonly Path[]
  gather: Gather
  receiver: EntityReceiver
}

/**
 * Compiles entity fetches of one subgraph that run at the same time into one call: fetches with the same operation
 * share its entities, others stand beside each other in one operation.
 *
 * A subgraph that gives no data for the joint operation is asked for each part by itself, so that a fault of one part,
 * or a subgraph that takes no joint operations, costs the others nothing. Not so when it does not answer at all, or
 * says who it does not answer.
 */
export function entityCall(fetches: readonly EntityFetch[], compiling: Compiling): Step {
  const groups = new Map<string, EntityFetch[]>()
  for (const one of fetches) {
    const { operation, requires, inputRewrites, outputRewrites } = one.fetch
    const key = JSON.stringify([operation, requires, inputRewrites, outputRewrites])
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  const parts = [...groups.values()].map((group): Part => {
    const [{ fetch }] = group as [EntityFetch]
    const paths = group.map(({ path }) => path)
    return {
      fetch,
      paths,
      gather: gatherer(group, compiling.supergraph, compiling.own.required),
      receiver: new EntityReceiver(fetch, paths, compiling),
    }
  })
  const together = parts.length > 1 ? batchFetches(parts.map(({ fetch }) => fetch)) : null

  async function alone(run: Run, part: Part, asked: Asked): Promise<void> {
    try {
      const variables = variablesOf(part.fetch, run, compiling.variables)
      variables['representations'] = asked.representations
      part.receiver.receive(run, asked, await ask(run, part.fetch, part.paths[0]!, variables))
    } catch (error) {
      part.receiver.failed(run, asked, error)
    }
  }

  /** @returns false when the parts have to be asked for one by one */
  async function jointly(
    run: Run,
    all: readonly Asked[],
    { operation, keys }: BatchedFetch,
  ): Promise<boolean> {
    const variables: Record<string, unknown> = {}
    parts.forEach(({ fetch }, index) => {
      Object.assign(variables, variablesOf(fetch, run, compiling.variables), {
        [keys[index]!]: all[index]!.representations,
      })
    })
    const { fetch, paths } = parts[0]!
    const { data, errors } = await ask(run, { ...fetch, operation }, paths[0]!, variables)
    if (!data && mayAnswerParts(errors ?? [])) return false
    let first = true
    parts.forEach(({ receiver }, index) => {
      const asked = all[index]!
      if (asked.objects.length === 0) return
      const key = keys[index]!
      const mine = errors?.filter(({ path }) => {
        const part = path?.[0]
        // What is about no part is told once, or for each part where there is no data.
        return typeof part === 'string' && keys.includes(part) ? part === key : first || !data
      })
      first = false
      try {
        receiver.receive(run, asked, {
          data: data && { _entities: (data as Data)[key] },
          errors: mine,
        } as SubgraphAnswer)
      } catch (error) {
        receiver.failed(run, asked, error)
      }
    })
    return true
  }

  return async (run) => {
    const all = parts.map(({ gather }) => gather(run))
    parts.forEach(({ receiver, gather }, index) => {
      const objects = all[index]!.lacking
      if (objects.length > 0) receiver.unanswered(run, objects, gather.isKnown)
    })
    const wanted = all.filter(({ objects }) => objects.length > 0)
    try {
      if (together && wanted.length > 1 && (await jointly(run, all, together))) return
    } catch (error) {
      parts.forEach(({ receiver }, index) => receiver.failed(run, all[index]!, error))
      return
    }
    await Promise.all(wanted.map((asked) => alone(run, parts[all.indexOf(asked)]!, asked)))
  }
}

/**
 * Holds what a subgraph says to any part of a call when it says it to the whole: asking again would only be more load.
 */
const saidToAll: ReadonlySet<unknown> = new Set(['UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED'])

/** Tells whether a subgraph that gave nothing for several fetches at once may give something for each by itself. */
function mayAnswerParts(errors: readonly GraphQLFormattedError[]): boolean {
  if (errors.some(({ extensions }) => extensions?.['code'] === 'SUBGRAPH_UNAVAILABLE')) return false
  return !errors.some(({ path, extensions }) => !path?.length && saidToAll.has(extensions?.['code']))
}
