import { parse, Source } from 'graphql'
import { composeGraph } from '../../registry/composition/composed'
import { lint } from '../../registry/lint'
import { lintRules } from '../../registry/lint/rules'
import { readSubgraphFolder } from '../../registry/composition/subgraph-files'
import { projectRoot } from '../../kernel/process/config'
import { join } from 'node:path'

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@authenticated", "@listSize"])\n`

/** A graph without a fault. Each case puts one in. */
const good = {
  people: `type Query {
  "All people."
  people("How many." first: Int "After which." after: String): PersonConnection @authenticated @listSize(assumedSize: 20, sizedFields: ["edges"])
}
type Mutation {
  "Renames."
  renamePerson("Whom." input: RenamePersonInput!): RenamePersonPayload! @authenticated
}
"A person."
type Person @key(fields: "id") @authenticated {
  "UUID."
  id: ID!
  "Name."
  name: String! @deprecated(reason: "Use \`id\`. Removed after 2030-01-01.")
  "Mood."
  mood: Mood!
}
"Feelings."
enum Mood {
  "Good."
  VERY_GOOD
}
"A page."
type PersonConnection {
  "Edges."
  edges: [PersonEdge!]!
  "Nodes."
  nodes: [Person!]!
  "Page."
  pageInfo: PageInfo!
  "Count."
  totalCount: Int
}
"An edge."
type PersonEdge {
  "Cursor."
  cursor: String!
  "Node."
  node: Person!
}
"Where a page stands."
type PageInfo {
  "More."
  hasNextPage: Boolean!
}
"Whom to rename."
input RenamePersonInput {
  "Which."
  id: ID!
}
"What it did."
type RenamePersonPayload {
  "Who."
  person: Person
  "Why not."
  userErrors: [UserError!]!
}
"Why not."
type UserError {
  "Why."
  message: String!
}`,
  pay: `type Query {
  "One."
  payslip("Which." id: ID!): Payslip @authenticated
}
"A payslip."
type Payslip @key(fields: "id") @authenticated {
  "UUID."
  id: ID!
  "Whose."
  person: Person
}
type Person @key(fields: "id") {
  id: ID!
  "The last."
  payslip: Payslip @authenticated
}`,
}

type Edit = readonly [part: keyof typeof good, from: string, to: string]

function findings(edits: readonly Edit[] = []): string[] {
  const texts = { ...good }
  for (const [part, from, to] of edits) {
    expect(texts[part].split(from)).toHaveLength(2)
    texts[part] = texts[part].replace(from, to)
  }
  const subgraphs = (['people', 'pay'] as const).map((name) => ({
    name,
    typeDefs: parse(new Source(link + texts[name], `${name}.graphql`)),
  }))
  const { problems } = composeGraph(subgraphs)
  expect(problems).toEqual([])
  return lint(subgraphs).map(({ code, coordinate, location }) => `${code} ${coordinate} ${location?.file}`)
}

test.each(['Query.payslip', 'Query.people(first:)', 'payslip { id }', 'mood', 'Payslip'])(
  'R8: %s exists, so a deprecation may name it',
  (replacement) => {
    expect(findings([['people', 'Use `id`.', `Use \`${replacement}\`.`]])).toEqual([])
  },
)

test('a graph without a fault has no finding', () => {
  expect(findings()).toEqual([])
})

const cases: [string, Edit, string[]][] = [
  [
    'a root field without access',
    ['pay', 'payslip("Which." id: ID!): Payslip @authenticated', 'payslip("Which." id: ID!): Payslip'],
    ['ACCESS_MISSING Query.payslip pay.graphql'],
  ],
  [
    'an entity without access',
    ['pay', 'type Payslip @key(fields: "id") @authenticated', 'type Payslip @key(fields: "id")'],
    ['ACCESS_MISSING Payslip pay.graphql'],
  ],
  [
    'a contributed field without access',
    ['pay', '  payslip: Payslip @authenticated\n}', '  payslip: Payslip\n}'],
    ['ACCESS_MISSING Person.payslip pay.graphql'],
  ],
  ['a type without description', ['pay', '"A payslip."\n', ''], ['DESCRIPTION_MISSING Payslip pay.graphql']],
  [
    'a field without description',
    ['pay', '  "Whose."\n', ''],
    ['DESCRIPTION_MISSING Payslip.person pay.graphql'],
  ],
  [
    'an argument without description',
    ['pay', '"Which." id', 'id'],
    ['DESCRIPTION_MISSING Query.payslip(id:) pay.graphql'],
  ],
  [
    'an enum value without description',
    ['people', '  "Good."\n', ''],
    ['DESCRIPTION_MISSING Mood.VERY_GOOD people.graphql'],
  ],
  [
    'a deprecation without date',
    ['people', ' Removed after 2030-01-01.', ''],
    ['DEPRECATION_UNCLEAR Person.name people.graphql'],
  ],
  [
    'R8: a deprecation for something that does not exist',
    ['people', 'Use `id`.', 'Use `title`.'],
    ['REPLACEMENT_MISSING Person.name people.graphql'],
  ],
  [
    'R8: a deprecation for itself',
    ['people', 'Use `id`.', 'Use `name`.'],
    ['REPLACEMENT_MISSING Person.name people.graphql'],
  ],
  [
    'a deprecation without replacement',
    ['people', 'Use `id`. ', ''],
    ['DEPRECATION_UNCLEAR Person.name people.graphql'],
  ],
  ['a type name in another form', ['people', 'enum Mood', 'enum mood'], ['NAME_FORM mood people.graphql']],
  [
    'a field name in another form',
    ['people', '  mood: Mood!', '  the_mood: Mood!'],
    ['NAME_FORM Person.the_mood people.graphql'],
  ],
  [
    'an enum value in another form',
    ['people', '  VERY_GOOD', '  veryGood'],
    ['NAME_FORM Mood.veryGood people.graphql'],
  ],
  [
    'an argument in another form',
    ['pay', '"Which." id: ID!', '"Which." Id: ID!'],
    ['NAME_FORM Query.payslip(Id:) pay.graphql'],
  ],
  [
    'a connection without nodes',
    ['people', '  "Nodes."\n  nodes: [Person!]!\n', ''],
    ['CONNECTION_FORM PersonConnection people.graphql'],
  ],
  [
    'an edge without cursor',
    ['people', '  "Cursor."\n  cursor: String!\n', ''],
    ['CONNECTION_FORM PersonEdge people.graphql'],
  ],
  [
    'a connection field without after',
    ['people', ' "After which." after: String', ''],
    ['CONNECTION_FORM Query.people people.graphql'],
  ],
  [
    'a connection without list size',
    ['people', ' @listSize(assumedSize: 20, sizedFields: ["edges"])', ''],
    ['LIST_SIZE_MISSING Query.people people.graphql'],
  ],
  [
    'a list without end',
    ['people', '  mood: Mood!', '  mood: Mood!\n  "Friends."\n  friends: [Person!]'],
    ['LIST_UNBOUNDED Person.friends people.graphql'],
  ],
  [
    'a mutation with another input',
    ['people', 'input: RenamePersonInput!)', 'person: RenamePersonInput!)'],
    ['MUTATION_FORM Mutation.renamePerson people.graphql'],
  ],
  [
    'a payload without user errors',
    ['people', '  "Why not."\n  userErrors: [UserError!]!\n', '  "Why not."\n  error: UserError\n'],
    ['MUTATION_FORM Mutation.renamePerson people.graphql'],
  ],
  [
    'G4: a required root field',
    ['people', '): PersonConnection @auth', '): PersonConnection! @auth'],
    ['NULLABLE_ACROSS_SUBGRAPHS Query.people people.graphql'],
  ],
  [
    'a required entity of another subgraph',
    ['pay', '  person: Person\n', '  person: Person!\n'],
    ['NULLABLE_ACROSS_SUBGRAPHS Payslip.person pay.graphql'],
  ],
  [
    'a required field of another subgraph’s entity',
    ['pay', '  payslip: Payslip @authenticated\n}', '  payslip: Payslip! @authenticated\n}'],
    ['NULLABLE_ACROSS_SUBGRAPHS Person.payslip pay.graphql'],
  ],
]

test.each(cases)('%s is found', (_what, edit, expected) => {
  const found = findings(
    edit[1] === 'enum Mood' ? [edit, ['people', '  mood: Mood!', '  mood: mood!']] : [edit],
  )
  expect(found).toEqual(expected)
})

test('every rule has a case', () => {
  const found = new Set(cases.flatMap(([, , expected]) => expected.map((finding) => finding.split(' ')[0])))
  expect([...found].sort()).toEqual(Object.keys(lintRules).sort())
})

test('the schema of this repository follows the rules, and composes to the committed supergraph', () => {
  const subgraphs = readSubgraphFolder(join(projectRoot, 'schema'))
  const { problems } = composeGraph(subgraphs)
  expect(problems).toEqual([])
  expect(lint(subgraphs)).toEqual([])
})
