import { Supergraph } from '@apollo/federation-internals'
import { lexicographicSortSchema, parse, printSchema } from 'graphql'
import { apiSchema } from '../../registry/api-schema'
import { allChanges } from '../../registry/check'
import { contractSupergraph } from '../../registry/composition/contract-supergraph'
import { contractSchema, type Contract } from '../../registry/composition/contracts'
import { readSchema } from '../../registry/schema-model'
import { composedShop, type Edit } from './shop'

const open: Contract = { name: 'public', include: ['public'], exclude: ['internal'] }
const partner: Contract = { name: 'partner', include: [], exclude: ['internal'] }
const tagged: Edit[] = [
  ['accounts', '  me: User @authenticated', '  me: User @authenticated @tag(name: "public")'],
  [
    'accounts',
    'type User implements Node & Named @key(fields: "id") @authenticated {',
    'type User implements Node & Named @key(fields: "id") @authenticated @tag(name: "public") {',
  ],
  ['accounts', '  phone: String\n', '  phone: String @tag(name: "internal")\n'],
  ['accounts', 'verbose: Boolean = false', 'verbose: Boolean = false @tag(name: "internal")'],
  ['accounts', '  GUEST\n', '  GUEST @tag(name: "internal")\n'],
  ['accounts', 'interface Node {', 'interface Node @tag(name: "public") {'],
  ['accounts', 'interface Named {', 'interface Named @tag(name: "public") {'],
]
const graph = (edits: readonly Edit[] = tagged) => readSchema(parse(composedShop(edits).supergraph))

test('a contract shows what its tags include, and what that leads to', () => {
  const { schema, faults } = contractSchema(graph([...tagged, favouritesTagged, hiddenReviews]), open)
  expect(faults).toEqual([])
  expect([...schema.types.get('Query')!.fields.keys()]).toEqual(['me'])
  const user = [...schema.types.get('User')!.fields.keys()]
  expect(user).toContain('email')
  expect(user).not.toContain('phone')
  expect([...schema.types.get('Role')!.values.keys()]).toEqual(['ADMIN', 'MEMBER'])
  expect(schema.types.has('Product')).toBe(false)
  expect(schema.types.has('UserFilter')).toBe(false)
})

/** `User` is shown whole, so what other subgraphs add to it must be hidden or tagged with what it leads to. */
const favouritesTagged: Edit = [
  'catalog',
  '  favourites: [Product!] @authenticated',
  '  favourites: [Product!] @authenticated @tag(name: "internal")',
]
const hiddenReviews: Edit = [
  'reviews',
  'type User @key(fields: "id") {\n  id: ID!\n  reviews: [Review!] @authenticated',
  'type User @key(fields: "id") {\n  id: ID!\n  reviews: [Review!] @authenticated @tag(name: "internal")',
]

test('what leads to something hidden is a fault', () => {
  const { faults } = contractSchema(graph(tagged), open)
  expect(faults.map(({ coordinate }) => coordinate).sort()).toEqual(['User.favourites', 'User.reviews'])
})

test('a router hides exactly what the contract hides', () => {
  const edits = [...tagged, favouritesTagged, hiddenReviews]
  const { supergraph } = composedShop(edits)
  for (const contract of [open, partner]) {
    const { schema, hidden, faults } = contractSchema(graph(edits), contract)
    expect(faults).toEqual([])
    const served = Supergraph.build(contractSupergraph(supergraph, hidden), { supportedFeatures: null })
    const text = (from: ReturnType<typeof apiSchema>) => printSchema(lexicographicSortSchema(from))
    expect(text(served.schema.toAPISchema().toGraphQLJSSchema())).toBe(text(apiSchema(schema)))
  }
})

test('a required argument cannot be hidden', () => {
  const edits: Edit[] = [['accounts', 'user(id: ID!,', 'user(id: ID! @tag(name: "internal"),']]
  expect(contractSchema(graph(edits), partner).faults.map(({ coordinate }) => coordinate)).toEqual([
    'Query.user(id:)',
  ])
})

test('a change that only the clients of a contract notice names the contract', () => {
  const changes = allChanges(
    graph([]),
    graph([['accounts', '  phone: String\n', '  phone: String @tag(name: "internal")\n']]),
    [partner],
    [partner],
  )
  expect(
    changes.map(({ severity, code, coordinate, contracts }) => [severity, code, coordinate, contracts]),
  ).toEqual([
    ['breaking', 'FIELD_REMOVED', 'User.phone', ['partner']],
    ['safe', 'TAG_ADDED', 'User.phone', []],
  ])
})

test('a change that everybody notices names the contracts that notice it too', () => {
  const changes = allChanges(
    graph(),
    graph([
      ...tagged.filter(([, from]) => !from.startsWith('  phone')),
      ['accounts', '  phone: String\n', ''],
    ]),
    [partner],
    [partner],
  )
  expect(changes.find(({ code }) => code === 'FIELD_REMOVED')?.contracts).toEqual([])
  const removed = allChanges(
    graph(),
    graph([
      ...tagged,
      ['accounts', '  badge: String @deprecated(reason: "Use `name`. Removed after 2099-01-31.")\n', ''],
    ]),
    [partner],
    [partner],
  )
  expect(removed.map(({ code, coordinate, contracts }) => [code, coordinate, contracts])).toEqual([
    ['FIELD_REMOVED', 'User.badge', ['partner']],
  ])
})

test('a contract that is gone breaks its clients', () => {
  const changes = allChanges(graph(), graph(), [partner], [])
  expect(changes.map(({ severity, code, coordinate }) => [severity, code, coordinate])).toEqual([
    ['breaking', 'CONTRACT_REMOVED', 'partner'],
  ])
})
