import { runInThisContext } from 'node:vm'
import { execute, parse, type DocumentNode, type ExecutionResult, type GraphQLError } from 'graphql'
import { compiledExecution } from '../../../kernel/execution/compile'
import { generateOperation } from '../../gateway/execution/operations'
import { unreliableSchema, type World } from './world'

/**
 * Operations are generated from this many seeds. For a longer run:
 *
 *   DIFFERENTIAL_COUNT=50000 npx jest test/subgraph/execution
 */
const count = Number(process.env.DIFFERENTIAL_COUNT ?? 2000)
const first = Number(process.env.DIFFERENTIAL_SEED ?? 1)

/** The process outside of Jest's sandbox, which learns of rejections that nobody handled. */
const realProcess = runInThisContext('process') as NodeJS.Process
let executing: 'compiled' | 'graphql-js' = 'compiled'
const unhandled: unknown[] = []
const onUnhandled = (error: unknown) => {
  // graphql-js leaves them behind when a list is lost while its items are pending.
  if (executing === 'compiled') unhandled.push(error)
}
let others: NodeJS.UnhandledRejectionListener[] = []
beforeAll(() => {
  others = realProcess.listeners('unhandledRejection')
  realProcess.removeAllListeners('unhandledRejection').on('unhandledRejection', onUnhandled)
})
afterAll(() => {
  realProcess.off('unhandledRejection', onUnhandled)
  for (const other of others) realProcess.on('unhandledRejection', other)
})

const schema = unreliableSchema()
const compiled = compiledExecution(schema)

/** A number for each node of a document. */
const numbers = new WeakMap<object, number>()
let given = 0
const numberOf = (node: object) => {
  if (!numbers.has(node)) numbers.set(node, given++)
  return numbers.get(node)
}

/** All that an error tells, the nodes that it names included. */
const told = (error: GraphQLError) => ({
  ...error.toJSON(),
  nodes: error.nodes?.map(numberOf),
  cause: error.originalError?.message ?? null,
  causeOfOwn: error.originalError === error,
})

async function answerOf(
  run: (world: World) => ExecutionResult | Promise<ExecutionResult>,
  seed: number,
): Promise<{ text: string; wasPending: boolean; world: World; errors: object[] }> {
  const world: World = { seed, calls: [] }
  const result = run(world)
  const { data, errors, ...rest } = await result
  // What runs on below a null of the answer still calls resolvers.
  for (let turn = 0; turn < 8; turn++) await new Promise(setImmediate)
  expect(rest).toEqual({})
  return {
    // As text, so that the order of the keys is compared too.
    text: JSON.stringify({ data }),
    errors: (errors ?? []).map(told),
    wasPending: result instanceof Promise,
    world,
  }
}

it(
  'answers generated operations as graphql-js does: data, errors and their order, calls of resolvers and what they are told',
  async () => {
    const seen = { pending: 0, failed: 0, mutations: 0, nulled: 0 }
    for (let seed = first; seed < first + count; seed++) {
      const { query, variables: variableValues } = generateOperation(schema, seed, { aliases: ['x', 'y'] })
      const document: DocumentNode = parse(query, { noLocation: seed % 2 === 0 })
      // The second time what was compiled the first time is used, with other values.
      for (const round of [seed, seed + 0.5]) {
        executing = 'compiled'
        const ours = await answerOf(
          (contextValue) => compiled({ document, variableValues, contextValue }),
          round,
        )
        executing = 'graphql-js'
        const theirs = await answerOf(
          (contextValue) => execute({ schema, document, variableValues, contextValue }),
          round,
        )
        try {
          expect(ours.text).toBe(theirs.text)
          expect(unhandled).toEqual([])
          expect(ours.errors).toEqual(theirs.errors)
          expect(ours.wasPending).toBe(theirs.wasPending)
          expect(ours.world.calls.length).toBe(theirs.world.calls.length)
          ours.world.calls.forEach((call, index) => {
            const other = theirs.world.calls[index]!
            if (call.length !== other.length || call.some((part, i) => part !== other[i]))
              throw new Error(
                `call ${index}: ${call.slice(0, 5).join()} instead of ${other.slice(0, 5).join()}`,
              )
          })
        } catch (error) {
          throw new Error(`seed ${round}: ${query}\n${JSON.stringify(variableValues)}\n${String(error)}`, {
            cause: error,
          })
        }
        if (ours.wasPending) seen.pending++
        if (ours.errors.length > 0) seen.failed++
        if (ours.text === '{"data":null}') seen.nulled++
      }
      if (query.startsWith('mutation')) seen.mutations++
    }
    if (count >= 2000) for (const times of Object.values(seen)) expect(times).toBeGreaterThan(100)
  },
  180_000 + count * 200,
)
