import { buildSchema, lexicographicSortSchema, parse, print, printSchema } from 'graphql'
import { Supergraph } from '@apollo/federation-internals'
import { composition } from '../../registry/composition/compose'
import { apiDocument, apiSchema } from '../../registry/api-schema'
import { composeGraph } from '../../registry/composition/composed'
import { diff } from '../../registry/diff'
import { plainlySatisfiable } from '../../registry/composition/satisfiability'
import { readSchema } from '../../registry/schema-model'
import { composedShop, editedShop, type Edit } from './shop'

test('the supergraph is the same text whatever the order of the subgraphs', () => {
  const subgraphs = editedShop([])
  const { supergraph } = composedShop()
  expect(composeGraph([...subgraphs].reverse()).supergraph).toBe(supergraph)
  expect(composeGraph([subgraphs[1]!, subgraphs[2]!, subgraphs[0]!]).supergraph).toBe(supergraph)
})

test('what clients see is what federation itself makes of the supergraph', () => {
  const { supergraph } = composedShop([['accounts', '  phone: String\n', '  phone: String @inaccessible\n']])
  const official = Supergraph.build(supergraph, { supportedFeatures: null })
    .schema.toAPISchema()
    .toGraphQLJSSchema()
  const text = (schema: typeof official) => printSchema(lexicographicSortSchema(schema))
  expect(text(apiSchema(readSchema(parse(supergraph))))).toBe(text(official))
})

interface Problem {
  what: string
  edits: Edit[]
  code: string
  location: string
  fix: RegExp
}

const problems: Problem[] = [
  {
    what: 'a field that two subgraphs resolve without @shareable',
    edits: [['reviews', '  shipping: Int', '  size: Int\n  shipping: Int']],
    code: 'INVALID_FIELD_SHARING',
    location: 'schema/catalog.graphql:13:3',
    fix: /@shareable/,
  },
  {
    what: 'an input field that not all subgraphs have and composition would drop',
    edits: [
      ['accounts', 'input UserFilter {', 'input Window {\n  from: Int\n  to: Int\n}\n\ninput UserFilter {'],
      [
        'accounts',
        '  status: Status!\n}\n\ntype Mutation',
        '  status: Status!\n  a(window: Window): Int\n}\n\ntype Mutation',
      ],
      ['reviews', 'type Query {', 'input Window {\n  from: Int\n}\n\ntype Query {\n  b(window: Window): Int'],
    ],
    code: 'INCONSISTENT_INPUT_OBJECT_FIELD',
    location: 'schema/accounts.graphql:78:3',
    fix: /intersection/,
  },
  {
    what: 'a key of a field that is not there',
    edits: [['reviews', 'type Review @key(fields: "id")', 'type Review @key(fields: "number")']],
    code: 'KEY_INVALID_FIELDS',
    location: 'schema/reviews.graphql:7:14',
    fix: /Name fields/,
  },
  {
    what: 'an entity that a subgraph cannot find',
    edits: [
      ['catalog', ' @key(fields: "id") @key(fields: "sku")', ' @key(fields: "sku")'],
      ['catalog', '  id: ID!\n  sku: ID!', '  sku: ID!'],
    ],
    code: 'SATISFIABILITY_ERROR',
    location: 'schema/catalog.graphql:8:3',
    fix: /@key/,
  },
  {
    what: 'protected data that leaks through @requires',
    edits: [['catalog', '  weight: Int\n', '  weight: Int @requiresScopes(scopes: [["weight"]])\n']],
    code: 'MISSING_TRANSITIVE_AUTH_REQUIREMENTS',
    location: 'schema/reviews.graphql:20:3',
    fix: /rights/,
  },
]

test.each(problems)('$what is a problem with a place and a way out', ({ edits, code, location, fix }) => {
  const composed = composeGraph(editedShop(edits))
  expect(composed.supergraph).toBeNull()
  const problem = composed.problems.find((candidate) => candidate.code === code)
  expect(composed.problems.map((candidate) => candidate.code)).toContain(code)
  const at = problem?.location
  expect(at && `${at.file}:${at.line}:${at.column}`).toBe(location)
  expect(problem?.fix).toMatch(fix)
})

const unsatisfiable: [string, string, string][] = [
  [
    'a field behind a key nobody resolves',
    'type T @key(fields: "id") { id: ID! a: Int }',
    'type T @key(fields: "other") { other: ID! b: Int }',
  ],
  ['a field behind no key at all', 'type T { a: Int }', 'type T { b: Int }'],
  [
    'a field behind a key that is not resolvable',
    'type T @key(fields: "id") { id: ID! a: Int }',
    'type T @key(fields: "id", resolvable: false) { id: ID! b: Int }',
  ],
  [
    'a field that requires one nobody gives',
    'type T @key(fields: "id") { id: ID! a: Int }',
    'type T @key(fields: "id") { id: ID! w: Int @external b: Int @requires(fields: "w") }',
  ],
]
const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires"])\n`

test.each(unsatisfiable)('%s is never proven satisfiable', (_what, a, b) => {
  let asked = ''
  const { faults } = composition(
    [
      { name: 'a', typeDefs: parse(`${link} type Query { t: T } ${a}`) },
      { name: 'b', typeDefs: parse(`${link} type Query { u: T } ${b}`) },
    ],
    (supergraph) => {
      asked = supergraph
      return plainlySatisfiable(readSchema(parse(supergraph)))
    },
  )
  expect(faults).not.toEqual([])
  if (asked) expect(plainlySatisfiable(readSchema(parse(asked)))).toBe(false)
})

test('plain schemas are compared as well', () => {
  const schema = (sdl: string) => readSchema(parse(sdl))
  const [any, one] = ['', '@oneOf '].map((oneOf) =>
    schema(`type Query { find(by: By): Int } input By ${oneOf}{ id: ID name: String }`),
  )
  const found = (from: typeof any, to: typeof any) =>
    diff(from!, to!).map(({ code, severity, coordinate, affects }) => [code, severity, coordinate, affects])
  // Composition does not know @oneOf yet, so no supergraph has it.
  expect(found(any, one)).toEqual([['ONE_OF_ADDED', 'breaking', 'By', ['By{!1}']]])
  expect(found(one, any)).toEqual([['ONE_OF_REMOVED', 'safe', 'By', []]])
})

test('fields may be called like federation directives', () => {
  const { types } = readSchema(parse('type Query { key: Int tag: Int cost: Int link: Int policy: Int }'))
  expect([...types.get('Query')!.fields.keys()]).toEqual(['key', 'tag', 'cost', 'link', 'policy'])
})

test('E1: a type that is called Subscription is no root unless the supergraph says so', () => {
  const text = composedShop().supergraph.replace(
    'type Team',
    'type Subscription @join__type(graph: ACCOUNTS) {\n  plan: String\n}\n\ntype Team',
  )
  expect(text).toContain('type Subscription')
  const schema = readSchema(parse(text))
  expect(schema.roots).toEqual({ query: 'Query', mutation: 'Mutation' })
  const api = apiSchema(schema)
  expect([api.getSubscriptionType() ?? null, api.getType('Subscription')?.name]).toEqual([
    null,
    'Subscription',
  ])
  expect(buildSchema(print(apiDocument(schema))).getSubscriptionType() ?? null).toBeNull()
  const live = readSchema(
    parse(text.replace('mutation: Mutation', 'mutation: Mutation\n  subscription: Subscription')),
  )
  expect(apiSchema(live).getSubscriptionType()?.name).toBe('Subscription')
})
