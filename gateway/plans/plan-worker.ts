import { parentPort, workerData } from 'node:worker_threads'
import { ApolloGateway } from '@apollo/gateway'
import { GraphQLError, parse } from 'graphql'
import { createPlanner } from '../execution/query-plan'
import type { Answered, Asked } from './plan-thread'

// The thread that plan-thread.ts starts, for one supergraph.
const planner = createPlanner()
const silent = () => undefined
const gateway = new ApolloGateway({
  supergraphSdl: workerData as string,
  buildService: () => ({ process: async () => ({}) }),
  logger: { debug: silent, info: silent, warn: silent, error: silent },
  debug: false,
  validateSupergraph: false,
  __exposeQueryPlanExperimental: false,
  experimental_didResolveQueryPlan: planner.didResolveQueryPlan,
  // Plans are kept by the thread that asks for them.
  queryPlannerConfig: {
    cache: {
      get: async () => undefined,
      set: async () => undefined,
      delete: async () => undefined,
      clear: silent,
    },
  },
})
const loaded = gateway.load({})
const say = (answered: Answered) => parentPort?.postMessage(answered)

parentPort?.on('message', (asked: Asked) => void answer(asked).then(say))
// A supergraph that cannot be loaded ends the thread, with the reason.
void loaded.then(() => say({ loaded: true }))

async function answer({ number, text, operationName }: Asked): Promise<Answered> {
  try {
    const { schema, executor } = await loaded
    const document = parse(text, { noLocation: true })
    const plan = await planner.plan(executor, schema, { document, operationName, id: '' })
    return { number, json: JSON.stringify(plan) }
  } catch (error) {
    const { message } = error as Error
    return { number, message, extensions: error instanceof GraphQLError ? { ...error.extensions } : null }
  }
}
