import { compose } from '../../registry/composition/compose'
import type { Policies } from '../../kernel/policy'
import type { ResolverMap } from '../../kernel/subgraph'
import { define, finance, hr, identity, start } from './three-subgraphs'

const policies: Policies = {
  own: { columns: ['userId'], allow: () => true },
  ownRows: { columns: ['userId'], allow: () => true, where: () => null },
  never: { columns: [], allow: () => false },
}

/** The faults with which this SDL does not start. */
async function faultsOf(sdl: string, resolvers: ResolverMap = {}): Promise<string[]> {
  const answered = { Query: { thing: () => null }, Thing: { __resolveReference: () => null } }
  const error = await start(define('hr', sdl, { ...answered, ...resolvers }, policies)).then(
    () => new Error('it started'),
    (reason: Error) => reason,
  )
  const [title, ...faults] = error.message.split('\n- ')
  return title === 'subgraph hr cannot start:' ? faults : [error.message]
}

const query = 'type Query { thing: Thing @authenticated }'
const thing = (fields = '', type = '@authenticated') =>
  `type Thing @key(fields: "id") ${type} { id: ID! ${fields} }`

test('what declares its access starts', async () => {
  expect(await faultsOf(`${thing()} ${query}`)).toEqual(['it started'])
})

interface Fault {
  what: string
  sdl: string
  fault: string
  resolvers?: ResolverMap
}

const answersThings = { User: { things: () => 1 } }
const user = (fields: string, type = '') => `type User @key(fields: "id") ${type} { id: ID! ${fields} }`

const undeclared: Fault[] = [
  { what: 'a root field', sdl: `${thing()} type Query { thing: Thing }`, fault: 'Query.thing' },
  {
    what: 'a mutation',
    sdl: `${thing()} ${query} type Mutation { do: Int }`,
    fault: 'Mutation.do',
    resolvers: { Mutation: { do: () => 1 } },
  },
  { what: 'an entity', sdl: `${thing('', '')} ${query}`, fault: 'Thing' },
  {
    what: 'a field added to the entity of another subgraph',
    sdl: `${thing()} ${query} ${user('things: Int')}`,
    fault: 'User.things',
    resolvers: answersThings,
  },
]

test.each(undeclared)('$what that declares nothing is a fault', async ({ sdl, fault, resolvers }) => {
  expect(await faultsOf(sdl, resolvers)).toEqual([
    `${fault} declares no access: add @requiresScopes, @authenticated, @policy or @public`,
  ])
})

const wrong: Fault[] = [
  {
    what: 'public and restricted at once',
    sdl: thing('name: String @public @authenticated'),
    fault: 'Thing.name is @public and restricted at once: choose one',
  },
  {
    what: 'a type and its extension that disagree',
    sdl: `${thing('', '@public')} extend type Thing @authenticated { name: String }`,
    fault: 'Thing is @public and restricted at once: choose one',
  },
  {
    what: 'a rule without alternatives',
    sdl: thing('name: String @requiresScopes(scopes: [])'),
    fault: 'Thing.name lists no alternative, which nobody could meet: name scopes or policies',
  },
  {
    what: 'an unknown policy',
    sdl: thing('name: String @policy(policies: [["nobody"]])'),
    fault: 'Thing.name names policy "nobody", which this subgraph does not implement',
  },
  {
    what: 'a field that may be denied and is not nullable',
    sdl: thing('name: String! @authenticated'),
    fault: 'Thing.name may be denied, so it must be nullable: a denied non-null field blanks its parents',
  },
  {
    what: 'a rule on an enum',
    sdl: `${thing('kind: Kind')} enum Kind @authenticated { A }`,
    fault: 'Kind: @authenticated is enforced on object types and their fields only',
  },
  {
    what: 'a row rule on a root field',
    sdl: `${thing()} extend type Query { other: Int @policy(policies: [["own"]]) }`,
    fault: 'Query.other: policy "own" looks at userId, but of this type only its key can be trusted here',
    resolvers: { Query: { thing: () => null, other: () => 1 } },
  },
  {
    what: 'a row rule that looks at @requires values',
    sdl: `${thing()} ${user('userId: String @external things: Int @requires(fields: "userId") @policy(policies: [["own"]])')}`,
    fault: 'User.things: policy "own" looks at userId, but of this type only its key can be trusted here',
    resolvers: answersThings,
  },
  {
    what: 'a row rule on a type of another subgraph',
    sdl: `${thing()} ${user('', '@policy(policies: [["never"]])')}`,
    fault: 'User: row rules stand in the subgraph that has the rows',
  },
  {
    what: 'a row rule on a type that SQL cannot follow',
    sdl: thing('', '@policy(policies: [["own"]])'),
    fault: 'Thing: policy "own" filters lists, so it must say where(): use rowPolicy',
  },
  {
    what: 'a pair of row rules on a type',
    sdl: thing('', '@policy(policies: [["ownRows", "ownRows"]])'),
    fault: 'Thing: policies on a type are alternatives; write what needs two rules at once as one policy',
  },
  {
    what: 'an entity named like a wrapper',
    sdl: `${thing()} type ThingEdge @key(fields: "id") @authenticated { id: ID! }`,
    fault: 'ThingEdge: names in Connection and Edge are for Relay wrappers, which are no entities',
    resolvers: { ThingEdge: { __resolveReference: () => null } },
  },
]

test.each(wrong)('$what is a fault', async ({ sdl, fault, resolvers }) => {
  expect(await faultsOf(`${sdl} ${query}`, resolvers)).toEqual([fault])
})

test('a rule on an interface does not even compose', async () => {
  const [fault] = await faultsOf(`${thing()} ${query} interface Named { name: String @authenticated }`)
  expect(fault).toContain('@authenticated cannot be applied on interfaces')
})

test('all faults come at once, with what nothing answers and what answers nothing', async () => {
  const sdl = `${thing('name: String! @authenticated')} type Query { thing: Thing @authenticated other: Int }
    interface Shape { id: ID } type Circle implements Shape { id: ID } type Square implements Shape { id: ID }`
  const resolvers = { Query: { thing: () => null, gone: () => 1 }, Gone: { a: () => 1 } }
  expect(await faultsOf(sdl, resolvers)).toEqual([
    'Thing.name may be denied, so it must be nullable: a denied non-null field blanks its parents',
    'Query.other declares no access: add @requiresScopes, @authenticated, @policy or @public',
    'a resolver is given for Query.gone, which the schema does not have',
    'resolvers are given for Gone, which the schema does not have',
    'Query.other has no resolver',
    'Shape has several types here: give it a resolver __resolveType',
  ])
})

test('composition refuses a field that would leak what it requires', () => {
  const leak = define(
    'finance',
    `type Employee @key(fields: "id") { id: ID! salary: Int @external
       bonus: Int @requires(fields: "salary") @requiresScopes(scopes: [["finance:claim:read"]]) }
     type Query { claims: Int @authenticated }`,
    {},
  )
  expect(() => compose([identity, hr, leak])).toThrow('MISSING_TRANSITIVE_AUTH_REQUIREMENTS')
  expect(() => compose([identity, hr, finance])).not.toThrow()
})
