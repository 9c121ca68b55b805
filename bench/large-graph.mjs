/** 10 subgraphs, a little over 500 types, 10,000 operations; entities are per subgraph. */
export const large = { subgraphs: 10, entities: 8, operations: 10_000 }

const area = (subgraph) => `area${subgraph}`
const entityName = (subgraph, index) => `Area${subgraph}Thing${index}`

const shared = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@authenticated", "@requiresScopes", "@tag", "@cost", "@listSize"])

"Where a page stands in its list."
type PageInfo @shareable {
  "Whether more rows follow this page."
  hasNextPage: Boolean!
  "The cursor of the last row of the page."
  endCursor: String
}

"An exact amount of money."
type Money @shareable {
  "The amount in the currency's main unit."
  amount: String!
  "The currency of the amount."
  currency: String!
}

"How a text must be."
input StringFilter {
  "Exactly this."
  eq: String
  "With this in it."
  contains: String
}

"Which end comes first."
enum OrderDirection {
  "The smallest first."
  ASC
  "The largest first."
  DESC
}
`

/** Each entity brings its connection, edge, filter, order and two enums, follows the house rules, and is pointed at and added to by the next subgraph. */
function entity(s, e, subgraphs) {
  const name = entityName(s, e)
  const scopes = `@requiresScopes(scopes: [["${area(s)}:thing:read"]])`
  const neighbour = entityName((s + 1) % subgraphs, e)
  return ['', rootFields(s, e, name, scopes), objectType(s, e, name, neighbour), listTypes(name)].join('\n')
}

const rootFields = (s, e, name, scopes) => `extend type Query {
  "One ${name}; null when there is none with this id."
  thing${s}x${e}("UUID of the thing." id: ID!): ${name} ${scopes}
  "The things of this kind, by name."
  things${s}x${e}(
    "How many to return: 1 to 100."
    first: Int = 20
    "Continue after this cursor."
    after: String
    "Which to return; all when omitted."
    filter: ${name}Filter
    "In which order."
    orderBy: ${name}Order
  ): ${name}Connection! ${scopes} @listSize(assumedSize: 20, slicingArguments: ["first"], sizedFields: ["edges", "nodes"], requireOneSlicingArgument: false)
}
`

function objectType(s, e, name, neighbour) {
  const fields = Array.from({ length: 12 }, (_, f) => {
    const type = ['String', 'Int', 'Float', 'Boolean'][f % 4]
    return `  "The property number ${f}."\n  field${f}: ${type}${f % 3 ? '' : '!'}`
  })
  return `"The thing number ${e} of the area ${s}."
type ${name} @key(fields: "id") @authenticated {
  "UUID of the thing."
  id: ID!
${fields.join('\n')}
  "How far it is."
  state: ${name}State!
  "What it costs."
  price: Money
  "The thing beside it."
  other: ${neighbour}
}

type ${neighbour} @key(fields: "id") {
  id: ID!
  "The things that point here."
  from${name}: [${name}!] @authenticated @listSize(assumedSize: 5)
}
`
}

/** Definitions for a page, its filter and its order. */
const listTypes = (name) => `"A page of things."
type ${name}Connection {
  "The things with their cursors."
  edges: [${name}Edge!]!
  "The things alone."
  nodes: [${name}!]!
  "Where the page stands."
  pageInfo: PageInfo!
  "How many there are on all pages."
  totalCount: Int
}

"A thing in a page."
type ${name}Edge {
  "Where the next page goes on."
  cursor: String!
  "The thing."
  node: ${name}!
}

"Which things to return."
input ${name}Filter {
  "In this state."
  state: ${name}State
  "With such a property number 0."
  field0: StringFilter
  "With such a property number 4."
  field4: StringFilter
}

"In which order to return things."
input ${name}Order {
  "By which property."
  field: ${name}OrderField!
  "Which end comes first."
  direction: OrderDirection! = ASC
}

"What things are ordered by."
enum ${name}OrderField {
  "The property number 0."
  FIELD0
  "The property number 1."
  FIELD1
  "The property number 2."
  FIELD2
}

"How far a thing is."
enum ${name}State {
  "Not yet ready."
  DRAFT
  "Ready."
  ACTIVE
  "Done with."
  CLOSED
}
`

/** A schema folder as `--schema` takes it: texts by file name. */
export function largeGraph({ subgraphs, entities }) {
  const files = new Map([['shared.graphql', shared]])
  for (let s = 0; s < subgraphs; s++) {
    const parts = Array.from({ length: entities }, (_, e) => entity(s, e, subgraphs))
    files.set(`${area(s)}.graphql`, parts.join(''))
  }
  return files
}

/** Recorded usage as JSON lines: documents without literals, a client version and when it was seen last. */
export function* largeUsage({ subgraphs, entities, operations }, lastSeen) {
  for (let n = 0; n < operations; n++) {
    const [s, e] = [n % subgraphs, Math.floor(n / subgraphs) % entities]
    const [next, last] = [(s + 1) % subgraphs, (s + subgraphs - 1) % subgraphs]
    const [a, b, c] = [n % 12, (n * 5 + 1) % 12, (n * 7 + 3) % 12]
    const selected = [...new Set([a, b, c])].map((f) => `field${f}`).join(' ')
    const document = [
      `query Thing${n}($id: ID!) { thing${s}x${e}(id: $id) { id ${selected} state price { amount currency } } }`,
      `query Things${n}($first: Int, $filter: ${entityName(s, e)}Filter) { things${s}x${e}(first: $first, filter: $filter) { nodes { id ${selected} } pageInfo { hasNextPage endCursor } totalCount } }`,
      `query Across${n}($id: ID!) { thing${s}x${e}(id: $id) { ${selected} other { id field${a} state other { field${b} } } from${entityName(last, e)} { field${c} } } thing${next}x${e}(id: $id) { __typename } }`,
    ][n % 3]
    yield JSON.stringify({
      hash: `op${n}`,
      name: `Op${n}`,
      document,
      client: { name: `client${n % 7}`, version: `1.${n % 5}` },
      requests: 1 + (n % 100),
      tenants: 1 + (n % 20),
      lastSeen,
    })
  }
}

/** Edits a text between the head of a definition and the brace that closes it. @throws Error when nothing changes */
function edited(text, head, from, to) {
  const start = text.indexOf(head)
  const end = text.indexOf('\n}', start)
  const definition = text.slice(start, end)
  const after = definition.replace(from, to)
  if (start < 0 || after === definition) throw new Error(`${head}: nothing to change`)
  return text.slice(0, start) + after + text.slice(end)
}

/** Holds what a pull request may bring: file, head of a definition, text, new text. */
export const ordinary = [
  ['area0.graphql', 'type Area0Thing0 @key', /\n {2}".*"\n {2}field5: Int/, ''],
  ['area1.graphql', 'type Area1Thing1 @key', 'field3: Boolean!', 'field3: Boolean'],
  ['area2.graphql', 'enum Area2Thing2State', /\n {2}".*"\n {2}CLOSED/, ''],
  ['area3.graphql', 'input Area3Thing3Filter', /\n {2}".*"\n {2}field4: StringFilter/, ''],
  ['area4.graphql', 'things4x4(', 'first: Int = 20', 'first: Int = 50'],
  ['area5.graphql', '  thing5x5(', /@requiresScopes\(.*\)/, '@authenticated'],
  ['area6.graphql', 'type Area6Thing6 @key', 'field1: Int', 'field1: Int @cost(weight: 5)'],
  [
    'area7.graphql',
    'type Area7Thing7 @key',
    'other: Area8Thing7',
    'other: Area8Thing7\n  "Its name."\n  name: String',
  ],
]

/** Holds what concerns every operation: all must be read. */
export const sweeping = [
  ...ordinary,
  ['shared.graphql', 'type Money', 'amount: String!', 'amount: String'],
  ['shared.graphql', 'type PageInfo', 'hasNextPage: Boolean!', 'hasNextPage: Boolean'],
  ...Array.from({ length: 8 }, (_, s) => s).flatMap((s) =>
    Array.from({ length: 8 }, (_, e) => [
      `area${s}.graphql`,
      `type Area${s}Thing${e} @key`,
      `state: Area${s}Thing${e}State!`,
      `state: Area${s}Thing${e}State`,
    ]),
  ),
]

/** The files with edits made. */
export function withEdits(files, edits) {
  const after = new Map(files)
  for (const [file, head, from, to] of edits) after.set(file, edited(after.get(file), head, from, to))
  return after
}
