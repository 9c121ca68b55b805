import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { parse, Source } from 'graphql'
import { composeGraph, type Compose } from '../../registry/composition/composed'
import { composeThread } from '../../registry/composition/compose-thread'
import { plainlySatisfiable } from '../../registry/composition/satisfiability'
import { readSupergraph } from '../../registry/composition/supergraph-text'
import { projectRoot } from '../../kernel/process/config'
import { composedShop, editedShop, type Edit } from './shop'

const folder = mkdtempSync(join(tmpdir(), 'compose-thread-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
/** A thread that runs this text instead of the product's; its proofs are counted. */
function threadOf(text: string): { compose: Compose; proofs: boolean[] } {
  const file = join(folder, `${files++}.js`)
  writeFileSync(file, text)
  const proofs: boolean[] = []
  const compose = composeThread((supergraph) => {
    proofs.push(plainlySatisfiable(readSupergraph(supergraph)))
    return proofs.at(-1) ?? false
  }, new Worker(file))
  return { compose, proofs }
}

const [hook, worker] = ['test/support/typescript.js', 'registry/composition/composer.ts'].map((file) =>
  JSON.stringify(join(projectRoot, file)),
)
const product = `require(${hook})
const { parentPort } = require('worker_threads')
parentPort.on('message', require(${worker}).composer(parentPort))`

const withoutPhone: Edit[] = [['accounts', '  phone: String\n', '']]

it('gives each caller what it asked for, however many ask at once', async () => {
  const { compose, proofs } = threadOf(product)
  const [now, before] = await Promise.all([compose(editedShop(withoutPhone)), compose(editedShop([]))])
  expect(now).toEqual({ supergraph: composedShop(withoutPhone).supergraph, problems: [] })
  expect(before).toEqual({ supergraph: composedShop().supergraph, problems: [] })
  expect(proofs).toHaveLength(2)
})

it('says the same as composing here, with the places, when the subgraphs do not merge', async () => {
  const broken = editedShop([['reviews', '  shipping: Int', '  size: Int\n  shipping: Int']])
  const { compose, proofs } = threadOf(product)
  const { problems } = composeGraph(broken)
  expect(problems.map(({ code }) => code)).toEqual(['INVALID_FIELD_SHARING'])
  expect(await compose(broken)).toEqual({ supergraph: null, problems })
  expect(proofs).toEqual([])
})

it('searches where the proof fails, and where it is asked to', async () => {
  const unreachable = ['a', 'b'].map((name) => ({
    name,
    typeDefs: parse(
      new Source(
        `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9")
         type Query { ${name}: T } type T { ${name}${name}: Int }`,
        `${name}.graphql`,
      ),
    ),
  }))
  const { compose, proofs } = threadOf(product)
  const { supergraph, problems } = await compose(unreachable)
  expect(supergraph).toBeNull()
  expect(problems).toEqual(composeGraph(unreachable, { thorough: true }).problems)
  expect(problems.map(({ code }) => code)).toEqual([
    'SATISFIABILITY_ERROR',
    'SATISFIABILITY_ERROR',
    'INCONSISTENT_OBJECT_VALUE_TYPE_FIELD',
    'INCONSISTENT_OBJECT_VALUE_TYPE_FIELD',
  ])
  expect(proofs).toEqual([false])
  expect((await compose(unreachable, { thorough: true })).problems).toEqual(problems)
  expect(proofs).toEqual([false])
})

it('tells an error of the thread, to whoever waits and to whoever asks later', async () => {
  const { compose } = threadOf(product)
  const notGraphQL = { ...editedShop([])[0]!, typeDefs: parse(new Source('type A { a: Int }', 'a.graphql')) }
  Object.assign(notGraphQL.typeDefs.definitions[0]!.loc!.source, { body: 'type type A {' })
  const failed = 'The thread that composes failed: a.graphql:1:11 Syntax Error: Unexpected Name "A"'
  await expect(compose([notGraphQL])).rejects.toThrow(failed)
  await expect(compose(editedShop([]))).rejects.toThrow(failed)
})

it.each([
  ['does not load', 'throw new Error("no such module")', 'no such module'],
  ['ends', 'process.exit(3)', 'it ended with code 3'],
  [
    'ends over its work',
    'require("worker_threads").parentPort.on("message", () => process.exit(4))',
    'it ended with code 4',
  ],
])('does not wait for a thread that %s', async (_what, text, reason) => {
  const { compose } = threadOf(text)
  await expect(compose(editedShop([]))).rejects.toThrow(`The thread that composes failed: ${reason}`)
})
