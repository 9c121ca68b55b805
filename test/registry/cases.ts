import type { Request } from './real'
import { shop, type Edit } from './shop'

/** A change of the shop, what the diff must say, and how it shows in operation. */
export interface Case {
  what: string
  /** What makes the shop before; the shop as it is when not given. */
  base?: readonly Edit[]
  /** What makes the shop after. */
  edits: readonly Edit[]
  /** `severity CODE coordinate`, all of them, in order. */
  changes: readonly string[]
  /** The ways to its fields are found by searching only. */
  unproven?: boolean
  /** Answered without errors before, refused or without data after. */
  breaks?: Request
  /** Answered the same before and after. */
  keeps?: Request
  /** Further ones that suffer: refused, or answered differently. */
  harms?: readonly Request[]
  /** Further ones that are answered the same before and after, and must not be named. */
  spares?: readonly Request[]
  /** Still valid, answered differently. */
  differs?: Request
  costs?: { operation: string; was: number; is: number }
  /** Whether a viewer with these scopes gets an answer without errors. */
  access?: { subgraph?: string; operation: string; scopes: string[] | null; was: boolean; is: boolean }
  /** Whether an operation works over a gateway that has not loaded the new version yet. */
  rollout?: { operation: string; works: boolean }
}

const me = (fields: string) => `{ me { ${fields} } }`
const userKey =
  'type User implements Node & Named @key(fields: "id") @authenticated {\n  id: ID!\n  name: String!'
const salary = '  salary: Int @policy(policies: [["staff"]])\n'

const fields: Case[] = [
  {
    what: 'a field is added',
    edits: [['accounts', '  phone: String\n', '  phone: String\n  fax: String\n']],
    changes: ['safe FIELD_ADDED User.fax'],
    keeps: { operation: me('name phone email') },
  },
  {
    what: 'a field is removed',
    edits: [['accounts', '  phone: String\n', '']],
    changes: ['breaking FIELD_REMOVED User.phone'],
    breaks: { operation: me('phone') },
    keeps: { operation: me('name') },
  },
  {
    what: 'a field is renamed',
    edits: [['accounts', '  phone: String\n', '  telephone: String\n']],
    changes: ['breaking FIELD_REMOVED User.phone', 'safe FIELD_ADDED User.telephone'],
    breaks: { operation: me('phone') },
  },
  {
    what: 'a root field is removed',
    edits: [['accounts', '  echo(text: String, number: Int!): String\n', '']],
    changes: ['breaking FIELD_REMOVED Query.echo'],
    breaks: { operation: '{ echo(number: 1) }' },
  },
  {
    what: 'a mutation is removed',
    edits: [['accounts', '  rename(id: ID!, name: String): String @authenticated\n', '']],
    changes: ['breaking FIELD_REMOVED Mutation.rename'],
    breaks: { operation: 'mutation { rename(id: 1) }' },
  },
  {
    what: 'a field is hidden with @inaccessible',
    edits: [['accounts', '  phone: String\n', '  phone: String @inaccessible\n']],
    changes: ['breaking FIELD_REMOVED User.phone'],
    breaks: { operation: me('phone') },
  },
  {
    what: 'a field of an interface and its types is removed',
    edits: [
      ['accounts', 'interface Named {\n  name: String!', 'interface Named {\n  title: String'],
      ['accounts', userKey, userKey.replace('name: String!', 'title: String')],
    ],
    changes: [
      'breaking FIELD_REMOVED Named.name',
      'breaking FIELD_REMOVED User.name',
      'safe FIELD_ADDED Named.title',
      'safe FIELD_ADDED User.title',
    ],
    breaks: { operation: '{ named { name } }' },
  },
  {
    what: 'a field becomes nullable',
    edits: [['accounts', '  createdAt: DateTime!\n', '  createdAt: DateTime\n']],
    changes: ['breaking FIELD_BECAME_NULLABLE User.createdAt'],
    differs: { operation: me('createdAt'), data: { 'User.createdAt': null } },
  },
  {
    what: 'the items of a list become nullable',
    edits: [['accounts', '  tags: [String!]!\n', '  tags: [String]!\n']],
    changes: ['breaking FIELD_BECAME_NULLABLE User.tags'],
    differs: { operation: me('tags'), data: { 'User.tags': ['a', null] } },
  },
  {
    what: 'a list becomes nullable',
    edits: [['accounts', '  tags: [String!]!\n', '  tags: [String!]\n']],
    changes: ['breaking FIELD_BECAME_NULLABLE User.tags'],
    differs: { operation: me('tags'), data: { 'User.tags': null } },
  },
  {
    what: 'a field becomes non-null',
    edits: [['accounts', '  phone: String\n', '  phone: String!\n']],
    changes: ['safe FIELD_BECAME_NON_NULL User.phone'],
    keeps: { operation: me('phone') },
  },
  {
    what: 'the items of a list become non-null',
    edits: [['accounts', '  scores: [Int]\n', '  scores: [Int!]\n']],
    changes: ['safe FIELD_BECAME_NON_NULL User.scores'],
    keeps: { operation: me('scores') },
  },
  {
    what: 'a field becomes non-null, unlike that of a type it may stand beside',
    edits: [
      [
        'accounts',
        '  name: String!\n  nickname: String\n  email',
        '  name: String!\n  nickname: String!\n  email',
      ],
    ],
    changes: ['dangerous FIELD_MAY_CONFLICT User.nickname'],
    breaks: { operation: '{ nodes { ... on User { nickname } ... on Bot { nickname } } }' },
    keeps: { operation: me('nickname') },
    spares: [{ operation: '{ nodes { ... on Bot { nickname } } }' }],
  },
  {
    what: 'a field becomes a list',
    edits: [['accounts', '  phone: String\n', '  phone: [String]\n']],
    changes: ['breaking FIELD_TYPE_CHANGED User.phone'],
    differs: { operation: me('phone') },
  },
  {
    what: 'a list becomes a single value',
    edits: [['accounts', '  scores: [Int]\n', '  scores: Int\n']],
    changes: ['breaking FIELD_TYPE_CHANGED User.scores'],
    differs: { operation: me('scores') },
  },
  {
    what: 'a field returns another scalar',
    edits: [['accounts', '  createdAt: DateTime!\n', '  createdAt: Int!\n']],
    changes: ['breaking FIELD_TYPE_CHANGED User.createdAt'],
    differs: { operation: me('createdAt'), data: { 'User.createdAt': '1' } },
  },
  {
    what: 'a scalar field becomes an object',
    edits: [['accounts', '  phone: String\n', '  phone: Team\n']],
    changes: ['breaking FIELD_TYPE_CHANGED User.phone'],
    breaks: { operation: me('phone') },
  },
  {
    what: 'an object field becomes a scalar',
    edits: [['accounts', '  manager: User\n', '  manager: ID\n']],
    changes: ['breaking FIELD_TYPE_CHANGED User.manager'],
    breaks: { operation: me('manager { name }') },
  },
  {
    what: 'an interface field returns one of its types',
    edits: [['accounts', '  nodes: [Node!]! @authenticated', '  nodes: [User!]! @authenticated']],
    changes: ['breaking FIELD_TYPE_CHANGED Query.nodes'],
    breaks: { operation: '{ nodes { ... on Bot { name } } }' },
    spares: [
      { operation: '{ nodes { id } }' },
      { operation: '{ nodes { ... on User { name } } }', data: { Node: 'User' } },
    ],
  },
  {
    what: 'an object field returns an interface',
    edits: [['accounts', '  manager: User\n', '  manager: Node\n']],
    changes: ['breaking FIELD_TYPE_CHANGED User.manager'],
    breaks: { operation: me('manager { name }') },
    spares: [
      { operation: me('name manager { id }') },
      { operation: me('manager { ... on User { name } }'), data: { Node: 'User' } },
    ],
  },
  {
    what: 'fields change their places',
    edits: [['accounts', '  phone: String\n  manager: User\n', '  manager: User\n  phone: String\n']],
    changes: [],
    keeps: { operation: me('phone manager { name }') },
  },
]

const args: Case[] = [
  {
    what: 'an optional argument is added',
    edits: [['accounts', 'echo(text: String,', 'echo(upper: Boolean, text: String,']],
    changes: ['safe ARGUMENT_ADDED Query.echo(upper:)'],
    keeps: { operation: '{ echo(text: "a", number: 1) }' },
  },
  {
    what: 'a required argument is added',
    edits: [['accounts', 'echo(text: String,', 'echo(upper: Boolean!, text: String,']],
    changes: ['breaking REQUIRED_ARGUMENT_ADDED Query.echo(upper:)'],
    breaks: { operation: '{ echo(number: 1) }' },
  },
  {
    what: 'a non-null argument with a default is added',
    edits: [['accounts', 'echo(text: String,', 'echo(upper: Boolean! = false, text: String,']],
    changes: ['safe ARGUMENT_ADDED Query.echo(upper:)'],
    keeps: { operation: me('name') },
  },
  {
    what: 'an argument is removed',
    edits: [['accounts', 'echo(text: String, number: Int!)', 'echo(number: Int!)']],
    changes: ['breaking ARGUMENT_REMOVED Query.echo(text:)'],
    breaks: { operation: '{ echo(text: "a", number: 1) }' },
    keeps: { operation: '{ me { name } }' },
  },
  {
    what: 'an argument becomes required',
    edits: [['accounts', 'echo(text: String,', 'echo(text: String!,']],
    changes: ['breaking REQUIRED_ARGUMENT_ADDED Query.echo(text:)'],
    breaks: { operation: '{ echo(number: 1) }' },
    keeps: { operation: '{ echo(text: "a", number: 1) }' },
    harms: [
      { operation: '{ echo(text: null, number: 1) }' },
      { operation: 'query ($t: String) { echo(text: $t, number: 1) }', variables: { t: 'a' } },
      { operation: 'query ($t: String = "b") { echo(text: $t, number: 1) }', variables: { t: null } },
    ],
    // A variable with a default may stand where null may not: it fails only for whoever sends null.
    spares: [
      { operation: 'query ($t: String!) { echo(text: $t, number: 1) }', variables: { t: 'a' } },
      { operation: 'query ($t: String = "b") { echo(text: $t, number: 1) }' },
      { operation: 'query ($t: String = "b") { echo(text: $t, number: 1) }', variables: { t: 'a' } },
      { operation: 'query ($t: String! = "b") { echo(text: $t, number: 1) }' },
    ],
  },
  {
    what: 'an argument becomes optional',
    edits: [['accounts', 'number: Int!): String', 'number: Int): String']],
    changes: ['safe ARGUMENT_TYPE_WIDENED Query.echo(number:)'],
    keeps: { operation: 'query ($n: Int!) { echo(number: $n) }', variables: { n: 3 } },
  },
  {
    what: 'a required argument gets a default',
    edits: [['accounts', 'number: Int!): String', 'number: Int! = 4): String']],
    changes: ['safe ARGUMENT_DEFAULT_CHANGED Query.echo(number:)'],
    keeps: { operation: '{ echo(number: 1) }' },
  },
  {
    what: 'an optional argument becomes non-null with a default',
    edits: [['accounts', 'echo(text: String,', 'echo(text: String! = "x",']],
    changes: [
      'breaking ARGUMENT_TYPE_CHANGED Query.echo(text:)',
      'dangerous ARGUMENT_DEFAULT_CHANGED Query.echo(text:)',
    ],
    breaks: { operation: '{ echo(text: null, number: 1) }' },
    differs: { operation: '{ echo(number: 1) }' },
    harms: [
      { operation: 'query ($t: String) { echo(text: $t, number: 1) }', variables: { t: null } },
      { operation: 'query ($t: String = "b") { echo(text: $t, number: 1) }', variables: { t: null } },
    ],
    spares: [
      { operation: '{ echo(text: "a", number: 1) }' },
      { operation: 'query ($t: String!) { echo(text: $t, number: 1) }', variables: { t: 'a' } },
      { operation: 'query ($t: String = "b") { echo(text: $t, number: 1) }' },
    ],
  },
  {
    what: 'a non-null argument loses its default',
    edits: [['accounts', 'limit: Int! = 10', 'limit: Int!']],
    changes: ['breaking REQUIRED_ARGUMENT_ADDED Query.search(limit:)'],
    breaks: { operation: '{ search(text: "a") { __typename } }' },
    harms: [{ operation: 'query ($l: Int) { search(text: "a", limit: $l) { __typename } }', variables: {} }],
    spares: [
      { operation: '{ search(text: "a", limit: 5) { __typename } }' },
      { operation: 'query ($l: Int = 3) { search(text: "a", limit: $l) { __typename } }' },
    ],
  },
  {
    what: 'a default changes',
    edits: [['catalog', 'products(first: Int = 10,', 'products(first: Int = 50,']],
    changes: ['dangerous ARGUMENT_DEFAULT_CHANGED Query.products(first:)'],
    differs: { operation: '{ products { title } }', data: {} },
    harms: [{ operation: 'query ($n: Int) { products(first: $n) { title } }', variables: {} }],
    spares: [
      { operation: '{ products(first: 3) { title } }' },
      { operation: '{ products(first: null) { title } }' },
      { operation: 'query ($n: Int = 7) { products(first: $n) { title } }' },
      { operation: 'query ($n: Int!) { products(first: $n) { title } }', variables: { n: 2 } },
    ],
  },
  {
    what: 'a default of an enum changes',
    edits: [['accounts', 'role: Role = MEMBER, tags', 'role: Role = GUEST, tags']],
    changes: ['dangerous ARGUMENT_DEFAULT_CHANGED Query.users(role:)'],
    differs: { operation: '{ users { name } }' },
  },
  {
    what: 'an optional argument gets a default',
    edits: [['accounts', 'login(style: Style)', 'login(style: Style = LONG)']],
    changes: ['dangerous ARGUMENT_DEFAULT_CHANGED Query.login(style:)'],
    differs: { operation: '{ login }' },
    keeps: { operation: '{ login(style: SHORT) }' },
  },
  {
    what: 'an optional argument loses its default',
    edits: [['accounts', 'verbose: Boolean = false', 'verbose: Boolean']],
    changes: ['dangerous ARGUMENT_DEFAULT_CHANGED Query.user(verbose:)'],
    keeps: { operation: '{ user(id: 1, verbose: true) { name } }' },
  },
  {
    what: 'an argument takes another scalar',
    edits: [['accounts', 'rename(id: ID!, name: String)', 'rename(id: Int!, name: String)']],
    changes: ['breaking ARGUMENT_TYPE_CHANGED Mutation.rename(id:)'],
    breaks: { operation: 'mutation { rename(id: "a") }' },
    harms: [
      { operation: 'mutation ($id: ID!) { rename(id: $id) }', variables: { id: 1 } },
      { operation: 'mutation { rename(id: "1") }' },
    ],
  },
  {
    what: 'an argument becomes a list',
    edits: [['accounts', 'rename(id: ID!, name: String)', 'rename(id: ID!, name: [String])']],
    changes: ['breaking ARGUMENT_TYPE_CHANGED Mutation.rename(name:)'],
    breaks: {
      operation: 'mutation ($name: String) { rename(id: 1, name: $name) }',
      variables: { name: 'a' },
    },
    spares: [{ operation: 'mutation { rename(id: 1) }' }],
  },
  {
    what: 'the items of a list argument become nullable',
    edits: [['accounts', 'tags: [String!]): [User!]!', 'tags: [String]): [User!]!']],
    changes: ['safe ARGUMENT_TYPE_WIDENED Query.users(tags:)'],
    keeps: { operation: 'query ($t: [String!]) { users(tags: $t) { name } }', variables: { t: ['a'] } },
  },
  {
    what: 'arguments change their places',
    edits: [['accounts', 'echo(text: String, number: Int!)', 'echo(number: Int!, text: String)']],
    changes: [],
    keeps: { operation: '{ me { name } }' },
  },
]

const filtered = (variables: Record<string, unknown>): Request => ({
  operation: 'query ($f: UserFilter) { users(filter: $f) { name } }',
  variables,
})

const inputs: Case[] = [
  {
    what: 'an optional input field is added',
    edits: [['accounts', '  minAge: Int = 18\n', '  minAge: Int = 18\n  maxAge: Int\n']],
    changes: ['safe INPUT_FIELD_ADDED UserFilter.maxAge'],
    keeps: filtered({ f: { name: 'a' } }),
  },
  {
    what: 'a required input field is added',
    edits: [['accounts', '  minAge: Int = 18\n', '  minAge: Int = 18\n  maxAge: Int!\n']],
    changes: ['breaking REQUIRED_INPUT_FIELD_ADDED UserFilter.maxAge'],
    breaks: filtered({ f: { name: 'a' } }),
    keeps: filtered({}),
    spares: [{ operation: '{ users { name } }' }, { operation: '{ users(filter: null) { name } }' }],
  },
  {
    what: 'a non-null input field with a default is added',
    edits: [['accounts', '  minAge: Int = 18\n', '  minAge: Int = 18\n  maxAge: Int! = 99\n']],
    changes: ['safe INPUT_FIELD_ADDED UserFilter.maxAge'],
    keeps: filtered({}),
  },
  {
    what: 'an input field is removed',
    edits: [['accounts', '  ids: [ID!]\n}', '}']],
    changes: ['breaking INPUT_FIELD_REMOVED UserFilter.ids'],
    breaks: filtered({ f: { ids: [1] } }),
    keeps: filtered({}),
  },
  {
    what: 'an input field becomes required',
    edits: [
      [
        'accounts',
        '  name: String!\n  email: String\n  role: Role! = MEMBER',
        '  name: String!\n  email: String!\n  role: Role! = MEMBER',
      ],
    ],
    changes: ['breaking REQUIRED_INPUT_FIELD_ADDED CreateUserInput.email'],
    breaks: { operation: 'mutation { createUser(input: { name: "a" }) { name } }' },
    harms: [
      { operation: 'mutation { createUser(input: { name: "a", email: null }) { name } }' },
      {
        operation: 'mutation ($e: String) { createUser(input: { name: "a", email: $e }) { name } }',
        variables: { e: 'a' },
      },
      {
        operation: 'mutation ($i: CreateUserInput!) { createUser(input: $i) { name } }',
        variables: { i: { name: 'a' } },
      },
    ],
    spares: [
      { operation: 'mutation { createUser(input: { name: "a", email: "b" }) { name } }' },
      {
        operation: 'mutation ($i: CreateUserInput!) { createUser(input: $i) { name } }',
        variables: { i: { name: 'a', email: 'b' } },
      },
    ],
  },
  {
    what: 'an input field becomes optional',
    edits: [
      ['accounts', 'input CreateUserInput {\n  name: String!', 'input CreateUserInput {\n  name: String'],
    ],
    changes: ['safe INPUT_FIELD_TYPE_WIDENED CreateUserInput.name'],
    keeps: { operation: 'mutation { createUser(input: { name: "a" }) { name } }' },
  },
  {
    what: 'a default of an input field changes',
    edits: [['accounts', '  minAge: Int = 18\n', '  minAge: Int = 21\n']],
    changes: ['dangerous INPUT_FIELD_DEFAULT_CHANGED UserFilter.minAge'],
    keeps: filtered({}),
    differs: filtered({ f: { name: 'a' } }),
    spares: [filtered({ f: { minAge: 3 } }), filtered({ f: { minAge: null } })],
  },
  {
    what: 'a non-null input field loses its default',
    edits: [['accounts', '  active: Boolean! = true\n', '  active: Boolean!\n']],
    changes: ['breaking REQUIRED_INPUT_FIELD_ADDED UserFilter.active'],
    breaks: filtered({ f: { name: 'a' } }),
  },
  {
    what: 'an input field takes another type',
    edits: [['accounts', '  ids: [ID!]\n}', '  ids: [Int!]\n}']],
    changes: ['breaking INPUT_FIELD_TYPE_CHANGED UserFilter.ids'],
    breaks: filtered({ f: { ids: ['a'] } }),
    harms: [{ operation: '{ users(filter: { ids: ["1"] }) { name } }' }],
    spares: [filtered({ f: { ids: [] } }), filtered({ f: { ids: null } })],
  },
  {
    what: 'an input that no field takes any more is removed',
    edits: [
      ['accounts', 'createUser(input: CreateUserInput!)', 'createUser(name: String!)'],
      [
        'accounts',
        'input CreateUserInput {\n  name: String!\n  email: String\n  role: Role! = MEMBER\n}\n',
        '',
      ],
    ],
    changes: [
      'breaking TYPE_REMOVED CreateUserInput',
      'breaking ARGUMENT_REMOVED Mutation.createUser(input:)',
      'breaking REQUIRED_ARGUMENT_ADDED Mutation.createUser(name:)',
    ],
    breaks: { operation: 'mutation { createUser(input: { name: "a" }) { name } }' },
  },
]

const types: Case[] = [
  {
    what: 'a type is added',
    edits: [
      ['accounts', '  phone: String\n', '  phone: String\n  desk: Desk\n'],
      ['accounts', 'enum Role {', 'type Desk {\n  number: Int\n}\n\nenum Role {'],
    ],
    changes: ['safe TYPE_ADDED Desk', 'safe FIELD_ADDED User.desk'],
    keeps: { operation: me('name') },
  },
  {
    what: 'a type is removed',
    edits: [
      ['accounts', 'type Team @authenticated {\n  title: String!\n}\n', ''],
      ['accounts', '  team: Team\n', ''],
      ['accounts', ' | Bot | Team', ' | Bot'],
    ],
    changes: [
      'breaking FIELD_REMOVED Query.team',
      'breaking UNION_MEMBER_REMOVED SearchResult',
      'breaking TYPE_REMOVED Team',
    ],
    breaks: { operation: '{ search(text: "a") { ... on Team { title } } }' },
  },
  {
    what: 'an object becomes an interface',
    edits: [
      ['accounts', 'type Team @authenticated {', 'interface Team {'],
      ['accounts', ' | Bot | Team', ' | Bot'],
      [
        'accounts',
        'enum Role {',
        'type Crew implements Team @authenticated {\n  title: String!\n}\n\nenum Role {',
      ],
      ['accounts', '  phone: String\n', '  phone: String\n  team: Team\n'],
    ],
    changes: [
      'breaking UNION_MEMBER_REMOVED SearchResult',
      'breaking TYPE_KIND_CHANGED Team',
      'safe TYPE_ADDED Crew',
      'safe FIELD_ADDED User.team',
    ],
    breaks: { operation: '{ search(text: "a") { ... on Team { title } } }', data: { SearchResult: 'Team' } },
  },
  {
    what: 'an enum becomes a scalar',
    edits: [['accounts', 'enum Style {\n  SHORT\n  LONG\n}', 'scalar Style']],
    changes: ['breaking TYPE_KIND_CHANGED Style'],
    keeps: { operation: '{ login(style: SHORT) }' },
  },
  {
    what: 'a type implements one more interface that clients know',
    edits: [['accounts', 'type Bot implements Node @key', 'type Bot implements Node & Named @key']],
    changes: ['dangerous INTERFACE_ADDED Bot'],
    differs: { operation: '{ named { name __typename } }', data: { Named: 'Bot' } },
    spares: [{ operation: me('... on Named { name }') }],
  },
  {
    what: 'a type implements a new interface',
    edits: [
      [
        'accounts',
        'type Team @authenticated {',
        'interface Titled {\n  title: String!\n}\n\ntype Team implements Titled @authenticated {',
      ],
      [
        'accounts',
        '  status: Status!\n}\n\ntype Mutation',
        '  status: Status!\n  titled: Titled @authenticated\n}\n\ntype Mutation',
      ],
    ],
    changes: ['safe FIELD_ADDED Query.titled', 'safe INTERFACE_ADDED Team', 'safe TYPE_ADDED Titled'],
    keeps: { operation: '{ search(text: "a") { __typename } }' },
  },
  {
    what: 'a type no longer implements an interface',
    edits: [['accounts', 'type Bot implements Node @key', 'type Bot @key']],
    changes: ['breaking INTERFACE_REMOVED Bot'],
    breaks: { operation: '{ nodes { ... on Bot { name } } }' },
    spares: [{ operation: '{ nodes { ... on User { name } } }', data: { Node: 'User' } }],
  },
  {
    what: 'a union gets a member',
    edits: [
      ['accounts', ' | Bot | Team', ' | Bot | Team | Badge'],
      ['accounts', 'enum Role {', 'type Badge {\n  color: String\n}\n\nenum Role {'],
    ],
    changes: ['dangerous UNION_MEMBER_ADDED SearchResult', 'safe TYPE_ADDED Badge'],
    differs: { operation: '{ search(text: "a") { __typename } }', data: { SearchResult: 'Badge' } },
  },
  {
    what: 'a union loses a member that stays a type',
    edits: [['accounts', ' | Bot | Team', ' | Team']],
    changes: ['breaking UNION_MEMBER_REMOVED SearchResult'],
    breaks: { operation: '{ search(text: "a") { ... on Bot { name } } }' },
    keeps: { operation: '{ nodes { ... on Bot { name } } }', data: { Node: 'Bot' } },
    spares: [{ operation: '{ search(text: "a") { ... on Team { title } } }' }],
  },
  {
    what: 'an enum that clients receive gets a value',
    edits: [['accounts', '  SUSPENDED\n', '  SUSPENDED\n  LEFT\n']],
    changes: ['dangerous ENUM_VALUE_ADDED Status.LEFT'],
    differs: { operation: '{ me { status } }', data: { 'User.status': 'LEFT' } },
    spares: [{ operation: me('name') }],
  },
  {
    what: 'an enum that clients only send gets a value',
    edits: [['accounts', '  LONG\n', '  LONG\n  NONE\n']],
    changes: ['safe ENUM_VALUE_ADDED Style.NONE'],
    keeps: { operation: '{ login(style: LONG) }' },
  },
  {
    what: 'an enum that clients send loses a value',
    edits: [['accounts', '  LONG\n', '']],
    changes: ['breaking ENUM_VALUE_REMOVED Style.LONG'],
    breaks: { operation: '{ login(style: LONG) }' },
    keeps: { operation: '{ login(style: SHORT) }' },
  },
  {
    what: 'a value that clients send in variables is removed',
    edits: [['accounts', '  GUEST\n', '']],
    changes: ['breaking ENUM_VALUE_REMOVED Role.GUEST'],
    breaks: filtered({ f: { role: 'GUEST' } }),
  },
  {
    what: 'an enum that clients only receive loses a value',
    edits: [['accounts', '  SUSPENDED\n', '']],
    changes: ['dangerous ENUM_VALUE_REMOVED Status.SUSPENDED'],
    keeps: { operation: '{ me { status } }' },
    spares: [{ operation: me('name') }],
  },
  {
    what: 'a scalar follows another specification',
    edits: [['accounts', 'andimarek/date-time', 'example/date-time']],
    changes: ['dangerous SPECIFIED_BY_CHANGED DateTime'],
    keeps: { operation: me('createdAt') },
  },
  {
    what: 'a scalar no longer names its specification',
    edits: [
      [
        'accounts',
        'scalar DateTime @specifiedBy(url: "https://scalars.graphql.org/andimarek/date-time")',
        'scalar DateTime',
      ],
    ],
    changes: ['dangerous SPECIFIED_BY_CHANGED DateTime'],
    keeps: { operation: me('createdAt') },
  },
]

const directives: Case[] = [
  {
    what: 'a directive for operations is added',
    edits: [['shared', 'directive @hint', 'directive @mark on FIELD\ndirective @hint']],
    changes: ['safe DIRECTIVE_ADDED @mark'],
    keeps: { operation: '{ me { name @trace } }' },
  },
  {
    what: 'a directive for operations is removed',
    edits: [['shared', 'directive @trace(label: String, level: Int = 1) on FIELD | QUERY\n', '']],
    changes: ['breaking DIRECTIVE_REMOVED @trace'],
    breaks: { operation: '{ me { name @trace } }' },
  },
  {
    what: 'a directive loses a place',
    edits: [['shared', 'on FIELD | QUERY', 'on FIELD']],
    changes: ['breaking DIRECTIVE_LOCATION_REMOVED @trace'],
    breaks: { operation: 'query @trace { me { name } }' },
    spares: [{ operation: '{ me { name @trace } }' }],
  },
  {
    what: 'a directive gets a place',
    edits: [['shared', 'on FIELD | QUERY', 'on FIELD | QUERY | MUTATION']],
    changes: ['safe DIRECTIVE_LOCATION_ADDED @trace'],
    keeps: { operation: 'query @trace { me { name } }' },
  },
  {
    what: 'an argument of a directive is removed',
    edits: [['shared', '@trace(label: String, level: Int = 1)', '@trace(level: Int = 1)']],
    changes: ['breaking ARGUMENT_REMOVED @trace(label:)'],
    breaks: { operation: '{ me { name @trace(label: "a") } }' },
    spares: [{ operation: '{ me { name @trace } }' }],
  },
  {
    what: 'a required argument of a directive is added',
    edits: [
      [
        'shared',
        '@trace(label: String, level: Int = 1)',
        '@trace(label: String, level: Int = 1, kind: Int!)',
      ],
    ],
    changes: ['breaking REQUIRED_ARGUMENT_ADDED @trace(kind:)'],
    breaks: { operation: '{ me { name @trace } }' },
    spares: [{ operation: '{ me { name } }' }],
  },
  {
    what: 'a directive may no longer be repeated',
    edits: [['shared', ' repeatable on FIELD', ' on FIELD']],
    changes: ['breaking DIRECTIVE_REPEATABLE_REMOVED @hint'],
    breaks: { operation: '{ me { name @hint(text: "a") @hint(text: "b") } }' },
    spares: [{ operation: '{ me { name @hint(text: "a") phone @hint(text: "b") } }' }],
  },
  {
    what: 'a directive may be repeated',
    edits: [['shared', 'level: Int = 1) on', 'level: Int = 1) repeatable on']],
    changes: ['safe DIRECTIVE_REPEATABLE_ADDED @trace'],
    keeps: { operation: '{ me { name @trace } }' },
  },
]

const documentation: Case[] = [
  {
    what: 'a field is deprecated',
    edits: [
      [
        'accounts',
        '  phone: String\n',
        '  phone: String @deprecated(reason: "Use `email`. Removed after 2099-01-01.")\n',
      ],
    ],
    changes: ['safe DEPRECATED User.phone'],
    keeps: { operation: me('phone') },
  },
  {
    what: 'a field is no longer deprecated',
    edits: [['accounts', ' @deprecated(reason: "Use `id`. Removed after 2020-01-31.")', '']],
    changes: ['safe DEPRECATION_REMOVED User.legacyId'],
    keeps: { operation: me('legacyId') },
  },
  {
    what: 'a deprecation gets another date',
    edits: [['accounts', '2099-01-31', '2030-01-31']],
    changes: ['safe DEPRECATION_CHANGED User.badge'],
    keeps: { operation: me('badge') },
  },
  {
    what: 'an enum value is deprecated',
    edits: [
      ['accounts', '  GUEST\n', '  GUEST @deprecated(reason: "Use `MEMBER`. Removed after 2099-01-01.")\n'],
    ],
    changes: ['safe DEPRECATED Role.GUEST'],
    keeps: filtered({ f: { role: 'GUEST' } }),
  },
  {
    what: 'an argument is deprecated',
    edits: [
      [
        'accounts',
        'echo(text: String,',
        'echo(text: String @deprecated(reason: "Use `number`. Removed after 2099-01-01."),',
      ],
    ],
    changes: ['safe DEPRECATED Query.echo(text:)'],
    keeps: { operation: '{ echo(text: "a", number: 1) }' },
  },
  {
    what: 'a description is added',
    edits: [['accounts', 'type Team', '"A group."\ntype Team']],
    changes: ['safe DESCRIPTION_CHANGED Team'],
    keeps: { operation: '{ search(text: "a") { __typename } }' },
  },
]

const access: Case[] = [
  {
    what: 'a field loses its scope',
    edits: [['accounts', '  email: String @requiresScopes(scopes: [["user:email"]])\n', '  email: String\n']],
    changes: ['dangerous ACCESS_WIDENED User.email'],
    access: { operation: me('email'), scopes: [], was: false, is: true },
  },
  {
    what: 'a field gets a scope',
    edits: [['accounts', '  phone: String\n', '  phone: String @requiresScopes(scopes: [["user:phone"]])\n']],
    changes: ['breaking ACCESS_NARROWED User.phone'],
    access: { operation: me('phone'), scopes: [], was: true, is: false },
  },
  {
    what: 'a root field opens to everybody',
    edits: [
      [
        'accounts',
        'rename(id: ID!, name: String): String @authenticated',
        'rename(id: ID!, name: String): String',
      ],
    ],
    changes: ['dangerous ACCESS_WIDENED Mutation.rename'],
    access: { operation: 'mutation { rename(id: 1) }', scopes: null, was: false, is: true },
  },
  {
    what: 'a root field asks for a sign-in',
    edits: [['accounts', '  status: Status!\n}', '  status: Status! @authenticated\n}']],
    changes: ['breaking ACCESS_NARROWED Query.status'],
    access: { operation: '{ status }', scopes: null, was: true, is: false },
  },
  {
    what: 'another scope is asked for',
    edits: [['accounts', '["user:email"]', '["user:mail"]']],
    changes: ['breaking ACCESS_CHANGED User.email'],
    access: { operation: me('email'), scopes: ['user:mail'], was: false, is: true },
  },
  {
    what: 'one more scope suffices',
    edits: [['accounts', '[["user:email"]]', '[["user:email"], ["support"]]']],
    changes: ['dangerous ACCESS_WIDENED User.email'],
    access: { operation: me('email'), scopes: ['support'], was: false, is: true },
  },
  {
    what: 'one more scope is needed',
    edits: [['accounts', '[["user:email"]]', '[["user:email", "pii"]]']],
    changes: ['breaking ACCESS_NARROWED User.email'],
    access: { operation: me('email'), scopes: ['user:email'], was: true, is: false },
  },
  {
    what: 'a policy is dropped',
    edits: [['accounts', salary, '  salary: Int\n']],
    changes: ['dangerous ACCESS_WIDENED User.salary'],
    access: { operation: me('salary'), scopes: [], was: false, is: true },
  },
  {
    what: 'a policy is replaced',
    edits: [['accounts', '"staff"', '"boss"']],
    changes: ['breaking ACCESS_CHANGED User.salary'],
    access: { operation: me('salary'), scopes: ['boss'], was: false, is: true },
  },
  {
    what: 'a type opens to everybody',
    edits: [['accounts', 'type Team @authenticated', 'type Team']],
    changes: ['dangerous ACCESS_WIDENED Team'],
    access: { operation: '{ team { title } }', scopes: null, was: false, is: true },
  },
  {
    what: 'a type asks for a scope',
    edits: [['accounts', 'type Team @authenticated', 'type Team @requiresScopes(scopes: [["team:read"]])']],
    changes: ['breaking ACCESS_NARROWED Team'],
    access: { operation: '{ team { title } }', scopes: [], was: true, is: false },
  },
  {
    what: 'access moves from a type to all its fields',
    edits: [
      [
        'accounts',
        'type Team @authenticated {\n  title: String!',
        'type Team {\n  title: String! @authenticated',
      ],
    ],
    changes: [],
    access: { operation: '{ team { title } }', scopes: null, was: false, is: false },
  },
  {
    what: 'access that a stronger one implies is dropped',
    edits: [['accounts', salary, '  salary: Int @policy(policies: [["staff"]]) @authenticated\n']],
    changes: [],
    access: { operation: me('salary'), scopes: [], was: false, is: false },
  },
]

const cost: Case[] = [
  {
    what: 'a field costs more',
    edits: [['accounts', '@cost(weight: 2)', '@cost(weight: 7)']],
    changes: ['dangerous COST_RAISED Query.users'],
    costs: { operation: '{ users(first: 10) { name } }', was: 20, is: 70 },
  },
  {
    what: 'a field costs less',
    edits: [['accounts', '@cost(weight: 2)', '@cost(weight: 1)']],
    changes: ['safe COST_LOWERED Query.users'],
    costs: { operation: '{ users(first: 10) { name } }', was: 20, is: 10 },
  },
  {
    what: 'a field gets a cost',
    edits: [['accounts', '  phone: String\n', '  phone: String @cost(weight: 5)\n']],
    changes: ['dangerous COST_RAISED User.phone'],
    costs: { operation: me('phone'), was: 1, is: 6 },
  },
  {
    what: 'a list is taken to be longer',
    edits: [
      ['accounts', 'slicingArguments: ["first"]', 'slicingArguments: []'],
      ['accounts', 'assumedSize: 20', 'assumedSize: 200'],
    ],
    changes: ['dangerous LIST_SIZE_CHANGED Query.users'],
  },
  {
    what: 'a list without pages is taken to be longer',
    base: [['accounts', '  nodes: [Node!]!', '  nodes: [Node!]! @listSize(assumedSize: 20)']],
    edits: [['accounts', '  nodes: [Node!]!', '  nodes: [Node!]! @listSize(assumedSize: 200)']],
    changes: ['dangerous LIST_SIZE_CHANGED Query.nodes'],
    costs: { operation: '{ nodes { id } }', was: 20, is: 200 },
  },
  {
    what: 'a list loses its size',
    edits: [
      [
        'accounts',
        ' @listSize(assumedSize: 20, slicingArguments: ["first"], requireOneSlicingArgument: false)',
        '',
      ],
    ],
    changes: ['dangerous LIST_SIZE_CHANGED Query.users'],
  },
]

/** An interface that accounts answers, and what catalog adds to it. */
const media = (catalog: string): Edit[] => [
  ['shared', '"@inaccessible",', '"@inaccessible", "@interfaceObject",'],
  ['accounts', '  team: Team\n', '  team: Team\n  media: [Media!]! @authenticated\n'],
  [
    'accounts',
    'interface Named {',
    'interface Media @key(fields: "id") {\n  id: ID!\n}\n\ntype Song implements Media @key(fields: "id") {\n  id: ID!\n}\n\ninterface Named {',
  ],
  ['catalog', 'type User @key', `${catalog}\n\ntype User @key`],
]
const mediaAsObject = media('type Media @key(fields: "id") @interfaceObject {\n  id: ID!\n  seen: Int\n}')
const mediaAsInterface = media(
  'interface Media @key(fields: "id") {\n  id: ID!\n  seen: Int\n}\n\ntype Song implements Media @key(fields: "id") {\n  id: ID!\n  seen: Int\n}',
)
const seen: Request = {
  operation: '{ media { id seen } }',
}

const federation: Case[] = [
  {
    what: 'a subgraph no longer treats an interface as an object',
    base: mediaAsObject,
    edits: mediaAsInterface,
    changes: [
      'breaking FIELD_RESOLVER_REMOVED Song.seen',
      'dangerous INTERFACE_OBJECT_CHANGED Media',
      'safe KEY_ADDED Song',
      'safe FIELD_RESOLVER_ADDED Song.id',
      'safe FIELD_RESOLVER_ADDED Song.seen',
    ],
    unproven: true,
    keeps: seen,
  },
  {
    what: 'a subgraph treats an interface as an object',
    base: mediaAsInterface,
    edits: mediaAsObject,
    changes: [
      'breaking KEY_REMOVED Song',
      'breaking FIELD_RESOLVER_REMOVED Song.id',
      'breaking FIELD_RESOLVER_REMOVED Song.seen',
      'dangerous INTERFACE_OBJECT_CHANGED Media',
      'safe FIELD_RESOLVER_ADDED Song.seen',
    ],
    unproven: true,
    keeps: seen,
  },
  {
    what: 'a subgraph no longer finds an entity by one of its keys',
    edits: [['catalog', ' @key(fields: "sku")', '']],
    changes: ['breaking KEY_REMOVED Product'],
    keeps: { operation: '{ products { sku } }' },
  },
  {
    what: 'a subgraph only refers to an entity it used to find',
    edits: [
      [
        'reviews',
        'type User @key(fields: "id") {\n  id: ID!\n  reviews: [Review!] @authenticated\n}',
        'type User @key(fields: "id", resolvable: false) {\n  id: ID!\n}',
      ],
    ],
    changes: ['breaking KEY_REMOVED User', 'breaking FIELD_REMOVED User.reviews'],
    rollout: { operation: me('reviews { text }'), works: false },
  },
  {
    what: 'a subgraph finds an entity by one more key',
    edits: [
      [
        'reviews',
        'type Review @key(fields: "id") @authenticated {',
        'type Review @key(fields: "id") @key(fields: "text") @authenticated {',
      ],
    ],
    changes: ['safe KEY_ADDED Review'],
    rollout: { operation: '{ reviews { text author { name } } }', works: true },
  },
  {
    what: 'a field moves to another subgraph at once',
    edits: [
      ['catalog', '  size: Int\n', ''],
      [
        'reviews',
        '  reviews: [Review!] @authenticated\n  shipping',
        '  size: Int\n  reviews: [Review!] @authenticated\n  shipping',
      ],
    ],
    changes: ['breaking FIELD_RESOLVER_REMOVED Product.size', 'safe FIELD_RESOLVER_ADDED Product.size'],
    rollout: { operation: '{ products { size } }', works: false },
  },
  {
    what: 'a field moves with @override',
    edits: [
      [
        'reviews',
        '  reviews: [Review!] @authenticated\n  shipping',
        '  size: Int @override(from: "catalog")\n  reviews: [Review!] @authenticated\n  shipping',
      ],
    ],
    changes: ['safe FIELD_OVERRIDDEN Product.size'],
    rollout: { operation: '{ products { size } }', works: true },
  },
  {
    what: 'one more subgraph resolves a shared field',
    edits: [
      ['catalog', '  size: Int\n', '  size: Int @shareable\n'],
      [
        'reviews',
        '  reviews: [Review!] @authenticated\n  shipping',
        '  size: Int @shareable\n  reviews: [Review!] @authenticated\n  shipping',
      ],
    ],
    changes: ['safe FIELD_RESOLVER_ADDED Product.size'],
    rollout: { operation: '{ products { size } }', works: true },
  },
  {
    what: 'one subgraph less resolves a shared field',
    edits: [['reviews', '  rating: Float @shareable @authenticated\n', '']],
    changes: ['breaking FIELD_RESOLVER_REMOVED Product.rating'],
    rollout: { operation: '{ reviews { product { rating } } }', works: false },
  },
  {
    what: 'a field requires another one',
    edits: [
      ['reviews', '  weight: Int @external\n', '  weight: Int @external\n  size: Int @external\n'],
      ['reviews', 'fields: "weight"', 'fields: "weight size"'],
    ],
    changes: ['dangerous REQUIRES_CHANGED Product.shipping'],
    rollout: { operation: '{ products { shipping } }', works: true },
  },
  {
    what: 'a subgraph no longer provides a nested field',
    edits: [
      ['reviews', ' @provides(fields: "product { title }")', ''],
      ['reviews', '  title: String! @external\n', ''],
    ],
    changes: ['dangerous PROVIDES_REMOVED Query.latest'],
    rollout: { operation: '{ latest { product { title } } }', works: false },
  },
  {
    what: 'a subgraph is removed',
    edits: [['reviews', shop.reviews, '']],
    changes: [
      'breaking FIELD_REMOVED Product.reviews',
      'breaking FIELD_REMOVED Product.shipping',
      'breaking FIELD_REMOVED Query.latest',
      'breaking FIELD_REMOVED Query.reviews',
      'breaking TYPE_REMOVED Review',
      'breaking FIELD_REMOVED User.reviews',
      'dangerous SUBGRAPH_REMOVED reviews',
    ],
    breaks: { operation: '{ reviews { text } }' },
    rollout: { operation: '{ reviews { text } }', works: false },
  },
  {
    what: 'a tag is added',
    edits: [['accounts', '  phone: String\n', '  phone: String @tag(name: "public")\n']],
    changes: ['safe TAG_ADDED User.phone'],
    keeps: { operation: me('phone') },
  },
  {
    what: 'a tag is removed',
    edits: [['catalog', ' @tag(name: "catalog")', '']],
    changes: ['safe TAG_REMOVED Product.price'],
    keeps: { operation: '{ products { price { amount } } }' },
  },
]

/** Inputs inside inputs, which operations reach through one variable. */
const nested = (inner: string, outer = 'inner: Inner', root = 'deep(outer: Outer): String'): Edit[] => [
  ['accounts', '  team: Team\n', `  team: Team\n  ${root}\n`],
  ['accounts', 'enum Role {', `input Outer {\n  ${outer}\n  flag: Boolean\n}\n\n${inner}\n\nenum Role {`],
]
const deep = (outer: unknown): Request => ({
  operation: 'query ($o: Outer) { deep(outer: $o) }',
  variables: { o: outer },
})
const literal = (outer: string): Request => ({ operation: `{ deep(outer: ${outer}) }` })
const inner = 'input Inner {\n  y: Int\n}'

const reached: Case[] = [
  {
    what: 'a required field is added to an input inside an input',
    base: nested(inner),
    edits: nested('input Inner {\n  y: Int\n  z: Int!\n}'),
    changes: ['breaking REQUIRED_INPUT_FIELD_ADDED Inner.z'],
    breaks: deep({ inner: { y: 1 } }),
    harms: [deep({ inner: {} }), literal('{ inner: { y: 1 } }'), literal('{ inner: {} }')],
    spares: [deep({ flag: true }), deep({ inner: null }), deep({}), literal('{ flag: true }')],
  },
  {
    what: 'a field of an input inside an input becomes required',
    base: nested('input Inner {\n  y: Int\n  z: Int\n}'),
    edits: nested('input Inner {\n  y: Int!\n  z: Int\n}'),
    changes: ['breaking REQUIRED_INPUT_FIELD_ADDED Inner.y'],
    breaks: deep({ inner: { z: 1 } }),
    harms: [
      deep({ inner: { y: null } }),
      { operation: 'query ($y: Int) { deep(outer: { inner: { y: $y } }) }', variables: { y: 1 } },
      { operation: 'query ($y: Int = 2) { deep(outer: { inner: { y: $y } }) }', variables: { y: null } },
    ],
    spares: [
      deep({ inner: { y: 1 } }),
      deep({ flag: true }),
      { operation: 'query ($y: Int!) { deep(outer: { inner: { y: $y } }) }', variables: { y: 1 } },
      { operation: 'query ($y: Int = 2) { deep(outer: { inner: { y: $y } }) }' },
    ],
  },
  {
    what: 'a default inside an input inside an input changes',
    base: nested('input Inner {\n  y: Int = 1\n  z: Int\n}'),
    edits: nested('input Inner {\n  y: Int = 2\n  z: Int\n}'),
    changes: ['dangerous INPUT_FIELD_DEFAULT_CHANGED Inner.y'],
    differs: deep({ inner: { z: 1 } }),
    harms: [{ operation: 'query ($y: Int) { deep(outer: { inner: { y: $y } }) }', variables: {} }],
    spares: [deep({ inner: { y: 3 } }), deep({ flag: true }), literal('{ inner: { y: 3 } }')],
  },
  {
    what: 'a default changes that a default leaves out',
    base: nested(
      'input Inner {\n  y: Int = 1\n  z: Int\n}',
      'inner: Inner = { z: 1 }',
      'deep(outer: Outer = {}): String',
    ),
    edits: nested(
      'input Inner {\n  y: Int = 2\n  z: Int\n}',
      'inner: Inner = { z: 1 }',
      'deep(outer: Outer = {}): String',
    ),
    changes: ['dangerous INPUT_FIELD_DEFAULT_CHANGED Inner.y'],
    differs: { operation: '{ deep }' },
    harms: [literal('{ flag: true }')],
    spares: [literal('{ inner: { y: 3 } }'), literal('{ inner: null }')],
  },
  {
    what: 'a default of an input field is removed that the default of its argument names now',
    base: nested(
      'input Inner {\n  y: Int = 4\n  z: Int\n}',
      'inner: Inner',
      'flat(inner: Inner = {}): String',
    ),
    edits: nested(
      'input Inner {\n  y: Int\n  z: Int\n}',
      'inner: Inner',
      'flat(inner: Inner = { y: 4 }): String',
    ),
    changes: ['dangerous INPUT_FIELD_DEFAULT_CHANGED Inner.y'],
    differs: { operation: '{ flat(inner: {}) }' },
    harms: [
      { operation: '{ flat(inner: { z: 1 }) }' },
      { operation: 'query ($i: Inner) { flat(inner: $i) }', variables: { i: { z: 1 } } },
      { operation: 'query ($y: Int) { flat(inner: { y: $y }) }', variables: {} },
    ],
    spares: [
      { operation: '{ flat }' },
      { operation: 'query ($i: Inner) { flat(inner: $i) }', variables: {} },
      { operation: 'query ($i: Inner) { flat(inner: $i) }', variables: { i: { y: 1 } } },
    ],
  },
  {
    what: 'a default of an input field is removed that one of two defaults names now',
    base: nested(
      'input Inner {\n  y: Int = 4\n  z: Int\n}',
      'inner: Inner = { z: 1 }',
      'deep(outer: Outer = {}): String\n  flat(inner: Inner = {}): String',
    ),
    edits: nested(
      'input Inner {\n  y: Int\n  z: Int\n}',
      'inner: Inner = { z: 1, y: 4 }',
      'deep(outer: Outer = {}): String\n  flat(inner: Inner = {}): String',
    ),
    changes: ['dangerous INPUT_FIELD_DEFAULT_CHANGED Inner.y'],
    differs: { operation: '{ flat }' },
    harms: [literal('{ inner: { z: 1 } }')],
    spares: [{ operation: '{ deep }' }, literal('{ flag: true }'), deep({ flag: true })],
  },
  {
    what: 'a field becomes required that a default leaves out',
    base: nested('input Inner {\n  y: Int = 4\n}', 'inner: Inner', 'flat(inner: Inner = {}): String'),
    edits: nested('input Inner {\n  y: Int!\n}', 'inner: Inner', 'flat(inner: Inner = { y: 4 }): String'),
    changes: ['breaking REQUIRED_INPUT_FIELD_ADDED Inner.y'],
    breaks: { operation: '{ flat(inner: {}) }' },
    spares: [{ operation: '{ flat }' }, { operation: '{ flat(inner: { y: 1 }) }' }],
  },
  {
    what: 'a required field is added that a default leaves out',
    base: nested(
      'input Inner {\n  y: Int\n}',
      'inner: Inner',
      'deep(outer: Outer): String\n  flat(inner: Inner = {}): String',
    ),
    edits: nested(
      'input Inner {\n  y: Int\n  z: Int!\n}',
      'inner: Inner',
      'deep(outer: Outer): String\n  flat(inner: Inner = {}): String',
    ),
    changes: ['breaking REQUIRED_INPUT_FIELD_ADDED Inner.z'],
    breaks: { operation: '{ flat(inner: {}) }' },
    harms: [{ operation: '{ flat }' }],
    spares: [{ operation: '{ deep(outer: { flag: true }) }' }, { operation: '{ flat(inner: null) }' }],
  },
  {
    what: 'an input inside an input is removed',
    base: nested(inner),
    edits: nested('', 'other: Int'),
    changes: [
      'breaking TYPE_REMOVED Inner',
      'breaking INPUT_FIELD_REMOVED Outer.inner',
      'safe INPUT_FIELD_ADDED Outer.other',
    ],
    breaks: deep({ inner: { y: 1 } }),
    harms: [{ operation: 'query ($i: Inner) { deep(outer: { inner: $i }) }', variables: { i: {} } }],
    spares: [deep({ flag: true }), literal('{ flag: true }')],
  },
  {
    what: 'an input inside an input gets another name',
    base: nested(inner),
    edits: nested(inner.replace('Inner', 'Core'), 'inner: Core'),
    changes: [
      'breaking TYPE_REMOVED Inner',
      'breaking INPUT_FIELD_TYPE_CHANGED Outer.inner',
      'safe TYPE_ADDED Core',
    ],
    breaks: { operation: 'query ($i: Inner) { deep(outer: { inner: $i }) }', variables: { i: {} } },
    spares: [deep({ inner: { y: 1 } }), literal('{ inner: { y: 1 } }')],
  },
  {
    what: 'an input inside an input becomes a scalar',
    base: nested(inner),
    edits: nested('scalar Inner'),
    changes: ['breaking TYPE_KIND_CHANGED Inner'],
    spares: [deep({ flag: true }), literal('{ flag: true }')],
  },
  {
    what: 'the items of a list argument become non-null',
    base: [['accounts', 'tags: [String!]): [User!]!', 'tags: [String]): [User!]!']],
    edits: [],
    changes: ['breaking ARGUMENT_TYPE_CHANGED Query.users(tags:)'],
    breaks: { operation: '{ users(tags: ["a", null]) { name } }' },
    harms: [
      { operation: 'query ($t: [String]) { users(tags: $t) { name } }', variables: { t: ['a'] } },
      { operation: 'query ($t: String) { users(tags: [$t]) { name } }', variables: { t: 'a' } },
    ],
    spares: [
      { operation: '{ users(tags: ["a"]) { name } }' },
      { operation: '{ users(tags: "a") { name } }' },
      { operation: '{ users(tags: null) { name } }' },
      { operation: 'query ($t: [String!]) { users(tags: $t) { name } }', variables: { t: ['a'] } },
    ],
  },
  {
    what: 'an argument takes a wider scalar',
    edits: [['accounts', 'number: Int!): String', 'number: Float!): String']],
    changes: ['breaking ARGUMENT_TYPE_CHANGED Query.echo(number:)'],
    breaks: { operation: 'query ($n: Int!) { echo(number: $n) }', variables: { n: 3 } },
    spares: [{ operation: '{ echo(number: 3) }' }],
  },
  {
    what: 'an enum that clients send gets another name',
    edits: [
      ['accounts', 'login(style: Style)', 'login(style: Form)'],
      ['accounts', 'enum Style {', 'enum Form {'],
    ],
    changes: [
      'breaking ARGUMENT_TYPE_CHANGED Query.login(style:)',
      'breaking TYPE_REMOVED Style',
      'safe TYPE_ADDED Form',
    ],
    breaks: { operation: 'query ($s: Style) { login(style: $s) }', variables: { s: 'LONG' } },
    spares: [{ operation: '{ login(style: LONG) }' }, { operation: '{ login }' }],
  },
  {
    what: 'the default of an argument of a directive changes',
    edits: [['shared', 'level: Int = 1', 'level: Int = 2']],
    changes: ['dangerous ARGUMENT_DEFAULT_CHANGED @trace(level:)'],
    spares: [{ operation: '{ me { name @trace(level: 5) } }' }, { operation: me('name') }],
  },
  {
    what: 'a field read through an interface asks for a scope',
    edits: [
      [
        'accounts',
        '  name: String!\n  nickname: String\n  email',
        '  name: String! @requiresScopes(scopes: [["user:name"]])\n  nickname: String\n  email',
      ],
      ['accounts', 'interface Named {\n  name: String!', 'interface Named {\n  name: String!'],
    ],
    changes: ['breaking ACCESS_NARROWED Named.name', 'breaking ACCESS_NARROWED User.name'],
    access: { operation: '{ named { name } }', scopes: [], was: true, is: false },
    spares: [{ operation: me('phone') }, { operation: '{ nodes { ... on Bot { name } } }' }],
  },
  {
    what: 'an interface loses the only type that another shares with it',
    edits: [['accounts', 'type User implements Node & Named @key', 'type User implements Node @key']],
    changes: ['breaking INTERFACE_REMOVED User', 'dangerous ACCESS_WIDENED Named'],
    breaks: { operation: '{ nodes { ... on Named { name } } }' },
    harms: [{ operation: me('... on Named { name }') }],
    spares: [
      { operation: '{ nodes { ... on User { name } } }', data: { Node: 'User' } },
      { operation: me('name') },
    ],
  },
]

/** R4: the same, written differently. */
const written = (before: string, after: string, what: string): Case => ({
  what,
  base: nested(
    'input Inner {\n  y: Int = 4\n  z: [Int!]\n  f: Float\n  s: String\n  i: ID\n}',
    'inner: Inner',
    before,
  ),
  edits: nested(
    'input Inner {\n  y: Int = 4\n  z: [Int!]\n  f: Float\n  s: String\n  i: ID\n}',
    'inner: Inner',
    after,
  ),
  changes: [],
  keeps: { operation: '{ deep }' },
})
const d = (value: string) => `deep(inner: Inner = ${value}, l: [Int!] = 1): String`
const alike: Case[] = [
  written(d('{ y: 1, f: 2 }'), d('{ f: 2, y: 1 }'), 'the fields of a default change their places'),
  written(
    'deep(l: [Int!] = 1): String',
    'deep(l: [Int!] = [1]): String',
    'a default of one item is written as a list',
  ),
  written(d('{ z: 3 }'), d('{ z: [3] }'), 'an item inside a default is written as a list'),
  written(d('{}'), d('{ y: 4 }'), 'a default names a default'),
  written(d('{ f: 1 }'), d('{ f: 1.0 }'), 'a number in a default is written with a fraction'),
  written(
    'deep(f: Float = 100): String',
    'deep(f: Float = 1e2): String',
    'a default is written with an exponent',
  ),
  written(
    'deep(s: String = "a"): String',
    'deep(s: String = """a"""): String',
    'a default is written as a block',
  ),
  written('deep(i: ID = 1): String', 'deep(i: ID = "1"): String', 'an ID is written as a text'),
  {
    what: 'the fields of a key change their places',
    base: [['catalog', ' @key(fields: "sku")', ' @key(fields: "sku title")']],
    edits: [['catalog', ' @key(fields: "sku")', ' @key(fields: "title,  sku")']],
    changes: [],
  },
  {
    what: 'the fields that a field requires change their places',
    base: [
      ['reviews', '  weight: Int @external\n', '  weight: Int @external\n  size: Int @external\n'],
      ['reviews', 'fields: "weight"', 'fields: "weight size"'],
    ],
    edits: [
      ['reviews', '  weight: Int @external\n', '  weight: Int @external\n  size: Int @external\n'],
      ['reviews', 'fields: "weight"', 'fields: "size,weight"'],
    ],
    changes: [],
  },
  {
    what: 'a default of @listSize is written out',
    base: [['accounts', '  nodes: [Node!]!', '  nodes: [Node!]! @listSize(assumedSize: 20)']],
    edits: [
      [
        'accounts',
        '  nodes: [Node!]!',
        '  nodes: [Node!]! @listSize(requireOneSlicingArgument: true, assumedSize: 20)',
      ],
    ],
    changes: [],
  },
  {
    what: 'scopes change their places',
    edits: [['accounts', '[["user:read"], ["admin"]]', '[["admin"], ["user:read"]]']],
    changes: [],
  },
  {
    what: 'a reason of a deprecation is broken into lines',
    edits: [
      [
        'accounts',
        '"Use `id`. Removed after 2020-01-31."',
        '"""\n    Use `id`.\n    Removed after 2020-01-31.\n    """',
      ],
    ],
    changes: [],
  },
  {
    what: 'the members of a union change their places',
    edits: [['accounts', ' | Bot | Team', ' | Team | Bot']],
    changes: [],
  },
]

/** A directive of one's own that composition carries into the supergraph. */
const own = (applied: string, definition = '@d(a: Int = 1, b: [String!])'): Edit[] => [
  [
    'shared',
    '"@listSize"\n  ])',
    '"@listSize", "@composeDirective"\n  ])\n  @link(url: "https://example.com/own/v1.0", import: ["@d"])\n  @composeDirective(name: "@d")',
  ],
  ['shared', 'type Money', `directive ${definition} on FIELD_DEFINITION | OBJECT\n\ntype Money`],
  ['accounts', '  phone: String\n', `  phone: String ${applied}\n`],
]
const appliedDirectives: Case[] = [
  {
    what: 'R7: an argument of an applied directive changes',
    base: own('@d(a: 1)'),
    edits: own('@d(a: 2)'),
    changes: ['dangerous APPLIED_DIRECTIVE_CHANGED User.phone'],
    spares: [{ operation: me('name') }],
  },
  {
    what: "R7: a directive of one's own is applied",
    base: own(''),
    edits: own('@d'),
    changes: ['dangerous APPLIED_DIRECTIVE_CHANGED User.phone'],
    spares: [{ operation: me('name') }],
  },
  {
    what: 'an applied directive is written differently',
    base: own('@d(b: "x", a: 1)'),
    edits: own('@d(b: ["x"])'),
    changes: [],
  },
]

export const cases: readonly Case[] = [
  ...fields,
  ...args,
  ...inputs,
  ...types,
  ...directives,
  ...documentation,
  ...access,
  ...cost,
  ...federation,
  ...reached,
  ...alike,
  ...appliedDirectives,
]
