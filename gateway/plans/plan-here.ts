import { parse, type GraphQLSchema } from 'graphql'
import type { Executor, Planner } from '../execution/query-plan'
import { anonymousAsker, type PlanMaker } from './plans'

/**
 * Plans in this thread, with the planner of the gateway that runs here. Everybody else waits meanwhile.
 *
 * @param serves what the gateway's planner plans for now; another supergraph than this is not planned for
 */
export function planHere(
  supergraph: string,
  gateway: { executor: Executor },
  planner: Planner,
  serves: () => { sdl: string; schema: GraphQLSchema },
): PlanMaker {
  let made = 0
  return {
    ready: Promise.resolve(),
    async plan(text, operationName) {
      const document = parse(text, { noLocation: true })
      const id = `planned here ${++made}`
      const plan = await planner.plan(gateway.executor, serves().schema, { document, operationName, id })
      if (serves().sdl !== supergraph) throw new Error('The supergraph is no longer in use')
      return JSON.stringify(plan)
    },
    close: async () => undefined,
  }
}

/** Plans in the thread, and here for signed-in clients who come while it starts: a start takes no longer for it. */
export function hereUntilReady(here: PlanMaker, thread: PlanMaker): PlanMaker {
  let started = false
  thread.ready.then(
    () => (started = true),
    () => undefined,
  )
  return {
    ready: thread.ready,
    plan: (text, name, asker) =>
      (asker !== null && asker !== anonymousAsker && !started ? here : thread).plan(text, name, asker),
    close: () => thread.close(),
  }
}
