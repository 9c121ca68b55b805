import fc from 'fast-check'
import {
  buildSchema,
  execute,
  getNamedType,
  getVariableValues,
  GraphQLID,
  isAbstractType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  parse,
  type ExecutionResult,
  type GraphQLCompositeType,
  type GraphQLOutputType,
  type OperationDefinitionNode,
} from 'graphql'
import { compileShape } from '../../../gateway/execution/complete-result'
import type { Data } from '../../../gateway/execution/data'
import {
  conditionsOf,
  fragmentsOf,
  resolveConditions,
  responseKey,
} from '../../../gateway/execution/selections'
import { generateOperation } from './operations'

/** Every kind of type, in every combination of lists and nullability that is worth one. */
const schema = buildSchema(`
  type Query { one: Thing must: Thing! any: Any all: [Any!]! nodes: [Node] node: Node! grid: [[Thing!]]! leaf: Leaf }
  type Mutation { change: Thing both: Node! }
  interface Node { id: ID! name: String parent: Node }
  interface Sized implements Node { id: ID! name: String parent: Node size: Float! }
  type Thing implements Node & Sized { id: ID! name: String parent: Thing size: Float! kind: Kind kinds: [Kind!]! json: Json others: [Node!] any: Any }
  type Leaf implements Node { id: ID! name: String! parent: Node! count: Int flags: [Boolean!] matrix: [[Int]!] texts: [String]! }
  type Free { text: String! json: Json! any: [Any!]! thing: Thing! }
  union Any = Thing | Leaf | Free
  enum Kind { A B C }
  scalar Json
`)

// A number is passed on as it was said, where graphql-js makes a text of it.
const { serialize } = GraphQLID
Object.assign(GraphQLID, { serialize: (value: unknown) => value })
afterAll(() => void Object.assign(GraphQLID, { serialize }))

const runs = Number(process.env.COMPLETION_COUNT ?? 400)

/** JSON that is of no kind that anything expects, one of them being right for some. */
const wrong = [true, 0, 1.5, 2 ** 31, 'x', '', 'A', [], ['x'], [null], {}, { id: 1 }, { __typename: 'Ghost' }]

/** A value that a subgraph may have given: undefined is one that it left out. */
type Draw = <T>(values: readonly T[]) => T

interface Given {
  draw: Draw
  /** Of a hundred values, how many are anything. */
  faults: number
}

function valueOf(type: GraphQLOutputType, given: Given, isItem = false): unknown {
  const { draw, faults } = given
  const fate = draw(hundred)
  if (fate < faults) {
    const value = structuredClone(draw<unknown>(isItem ? [null, ...wrong] : [undefined, null, ...wrong]))
    return isInterfaceType(getNamedType(type)) && isUntyped(value) ? { __typename: 'Ghost' } : value
  }
  if (isNonNullType(type)) return presentOf(type.ofType, given)
  return fate > 90 ? null : presentOf(type, given)
}

/** Where nothing depends on its type, an object of an interface needs none; executor.test.ts has such. */
const isUntyped = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !('__typename' in value)

const hundred = Array.from({ length: 100 }, (_, index) => index)

function presentOf(type: GraphQLOutputType, given: Given): unknown {
  const { draw, faults } = given
  if (isListType(type))
    return Array.from({ length: draw([0, 1, 2, 3]) }, () => valueOf(type.ofType, given, true))
  const named = getNamedType(type)
  if (isEnumType(named)) return draw(['A', 'B', 'C'])
  if (isLeafType(named)) return draw(leaves[named.name]!)
  const possible = possibleNames(named as GraphQLCompositeType)
  if (draw(hundred) >= faults) return { __typename: draw(possible) }
  if (!isInterfaceType(named) && draw([true, false])) return {}
  return { __typename: draw(['Thing', 'Leaf', 'Free', 'Query', 'Kind']) }
}

const leaves: Readonly<Record<string, readonly unknown[]>> = {
  Boolean: [true, false],
  Float: [0, -1.5, 1e300],
  Int: [0, -7, 2 ** 31 - 1],
  ID: ['', 'a', '5'],
  String: ['', 'text'],
  Json: [0, '', false, 'x', [1, null], { a: null }, { __typename: 'Ghost' }],
}

const possibleNames = (type: GraphQLCompositeType) =>
  isAbstractType(type) ? schema.getPossibleTypes(type).map(({ name }) => name) : [type.name]

/** What graphql-js is given for what a subgraph said: errors where the value is none of the type, as JSON has types. */
function judged(type: GraphQLOutputType, value: unknown): unknown {
  if (isNonNullType(type)) return judged(type.ofType, value)
  if (value === undefined) return new Error('left out')
  if (value === null) return null
  if (isListType(type))
    return Array.isArray(value) ? value.map((item) => judged(type.ofType, item)) : new Error('no list')
  const named = getNamedType(type)
  if (isEnumType(named)) return ['A', 'B', 'C'].includes(value as string) ? value : new Error('no value')
  if (isLeafType(named)) return isLeaf[named.name]!(value) ? value : new Error('no leaf')
  if (typeof value !== 'object' || Array.isArray(value)) return new Error('no object')
  const { __typename } = value as { __typename?: string }
  const possible = possibleNames(named as GraphQLCompositeType)
  if (__typename === undefined) return isAbstractType(named) ? new Error('no type') : value
  return possible.includes(__typename) ? value : new Error('another type')
}

const isLeaf: Readonly<Record<string, (value: unknown) => boolean>> = {
  Boolean: (value) => typeof value === 'boolean',
  Float: (value) => typeof value === 'number',
  Int: (value) => Number.isInteger(value) && Math.abs(value as number) < 2 ** 31,
  ID: (value) => typeof value === 'string' || Number.isInteger(value),
  String: (value) => typeof value === 'string',
  Json: () => true,
}

/** Executes an operation over values that are drawn as they are asked for, and returns them as one tree. */
function executed(
  document: ReturnType<typeof parse>,
  variableValues: Record<string, unknown>,
  given: Given,
): { answer: ExecutionResult; said: Data } {
  const said: Data = {}
  const answer = execute({
    schema,
    document,
    variableValues,
    rootValue: said,
    fieldResolver: (source: Data, _arguments, _context, { path, returnType }) => {
      const value = valueOf(returnType, given)
      if (value === undefined) delete source[path.key]
      else source[path.key] = value
      return judged(returnType, value)
    },
    typeResolver: (value: { __typename?: string }) => value.__typename,
  }) as ExecutionResult
  return { answer, said }
}

const operations = fc.nat({ max: 1_000_000 }).map((seed) => {
  const generated = generateOperation(schema, seed, { aliases: ['a', 'b', 'id', 'name'] })
  return { ...generated, document: parse(generated.query) }
})

function completed(
  document: ReturnType<typeof parse>,
  variables: Record<string, unknown>,
  said: Data,
): { data: unknown; places: string[] } {
  const operation = document.definitions.find(
    (node): node is OperationDefinitionNode => node.kind === 'OperationDefinition',
  )!
  const { coerced = {} } = getVariableValues(schema, operation.variableDefinitions ?? [], variables)
  const values = new Map(conditionsOf(document).map((name) => [name, coerced[name] as boolean]))
  const resolved = resolveConditions(document, values)
  const root = schema.getRootType(operation.operation)!
  const { selectionSet } = resolved.definitions.find(
    (node): node is OperationDefinitionNode => node.kind === 'OperationDefinition',
  )!
  const shape = compileShape(
    root,
    { set: selectionSet, parent: root },
    { schema, fragments: fragmentsOf(resolved), fetchedAs: responseKey },
  )
  // A second time as well: what was compiled for the first answer holds for others.
  shape(structuredClone(said))
  const { data, faults } = shape(structuredClone(said))
  return { data, places: faults.map(({ path }) => path.join('.')).sort() }
}

describe('completing an answer', () => {
  it.each([0, 3, 25])(
    'gives the data and the places of errors of graphql-js, of a hundred values %i being anything (G1)',
    (faults) => {
      let failed = 0
      fc.assert(
        fc.property(operations, fc.gen(), ({ query, document, variables }, gen) => {
          fc.pre(!query.includes('__schema'))
          const draw: Draw = (values) => values[gen(fc.nat, { max: values.length - 1 })]!
          const { answer, said } = executed(document, variables, { draw, faults })
          const ours = completed(document, variables, said)
          if (answer.errors) failed++
          expect({ said, ...ours }).toEqual({
            said,
            data: answer.data,
            places: (answer.errors ?? []).map(({ path }) => path?.join('.') ?? '').sort(),
          })
          expect(JSON.stringify(ours.data)).toBe(JSON.stringify(answer.data))
        }),
        { numRuns: runs },
      )
      expect(failed > 0).toBe(faults > 0)
    },
  )
})
