import { parse } from 'graphql'
import { addVariable, coordinatesOf } from '../../registry/usage/coordinates'
import { readSchema } from '../../registry/schema-model'
import { composedShop } from './shop'

const schema = readSchema(parse(composedShop().supergraph))
const marks = (operation: string, variables?: Record<string, unknown>) =>
  [...coordinatesOf(schema, parse(operation), variables)].sort()
/** Those that people write. */
const used = (operation: string, variables?: Record<string, unknown>) =>
  marks(operation, variables).filter((mark) => !/[-={]/.test(mark))
const usedWith = (operation: string, variables?: Record<string, unknown>) =>
  marks(operation, variables).filter((mark) => /[-={]/.test(mark))

test('fields, the types they lead to, and arguments with the values they name', () => {
  expect(
    used('{ users(first: 5, role: ADMIN, filter: { name: "x", role: GUEST }) { name status } }'),
  ).toEqual([
    'Int',
    'Query',
    'Query.users',
    'Query.users(filter:)',
    'Query.users(first:)',
    'Query.users(role:)',
    'Role',
    'Role.ADMIN',
    'Role.GUEST',
    'Status',
    'String',
    'User',
    'User.name',
    'User.status',
    'UserFilter',
    'UserFilter.name',
    'UserFilter.role',
  ])
})

test('fragments, and where they narrow', () => {
  const operation =
    'query { search(text: "a") { ...Found ... on Team { title } } } fragment Found on User { ... on Named { name } }'
  expect(used(operation)).toEqual([
    'Named',
    'Named.name',
    'Query',
    'Query.search',
    'Query.search(text:)',
    'SearchResult',
    'SearchResult>Team',
    'SearchResult>User',
    'String',
    'Team',
    'Team.title',
    'User',
    'User>Named',
  ])
})

test('directives with their arguments', () => {
  expect(used('query @trace(level: 2) { status @skip(if: true) }')).toEqual([
    '@skip',
    '@skip(if:)',
    '@trace',
    '@trace(level:)',
    'Int',
    'Query',
    'Query.status',
    'Status',
  ])
})

test('input fields and enum values in variables, and never a value that is no name of the schema', () => {
  const operation = 'query ($f: UserFilter, $r: [Role!]) { users(filter: $f) { id } }'
  expect(
    used(operation, { f: { role: 'ADMIN', ids: ['secret'], unknown: 'secret' }, r: ['MEMBER', 'secret'] }),
  ).toEqual(
    expect.arrayContaining(['Role.ADMIN', 'Role.MEMBER', 'UserFilter', 'UserFilter.ids', 'UserFilter.role']),
  )
  const found = new Set<string>()
  addVariable(schema, 'UserFilter', { name: 'secret', nothing: { secret: 1 } }, found)
  addVariable(schema, 'Role', 'secret', found)
  expect([...found].sort()).toEqual([
    'Role',
    'String',
    'UserFilter',
    'UserFilter.-active',
    'UserFilter.-ids',
    'UserFilter.-minAge',
    'UserFilter.-role',
    'UserFilter.name',
    'UserFilter.name=text',
    'UserFilter{}',
  ])
})

test('R3: what was left out, and in which form the rest was sent', () => {
  expect(
    usedWith('query ($t: [String!], $r: Role = GUEST) { users(tags: $t, role: $r, first: null) { id } }'),
  ).toEqual([
    'Query.users(-after:)',
    'Query.users(-filter:)',
    'Query.users(first:)=null',
    'Query.users(role:)=$Role==',
    'Query.users(tags:)=$[String!]',
    '{}',
  ])
  expect(usedWith('query ($r: Role = GUEST) { users(role: $r) { id } }', { r: null })).toContain(
    'Query.users(role:)=$Role=',
  )
  expect(usedWith('{ users(tags: ["a", null]) { id @trace(level: 2) } }')).toEqual([
    '@trace(-label:)',
    '@trace(level:)=int',
    'Query.users(-after:)',
    'Query.users(-filter:)',
    'Query.users(-first:)',
    'Query.users(-role:)',
    'Query.users(tags:)=[null]',
    'Query.users(tags:)=[string]',
    '{}',
  ])
  expect(
    usedWith('query ($f: UserFilter) { users(filter: $f) { id } }', { f: { ids: [1, 'a'], role: null } }),
  ).toEqual(
    expect.arrayContaining([
      'UserFilter.-name',
      'UserFilter.ids=[int]',
      'UserFilter.ids=[text]',
      'UserFilter.role=null',
      'UserFilter{!1}',
      'UserFilter{}',
    ]),
  )
})
