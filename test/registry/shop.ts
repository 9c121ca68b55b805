import { concatAST, parse, Source } from 'graphql'
import { composeGraph } from '../../registry/composition/composed'
import type { SchemaModel } from '../../registry/schema-model'
import type { SubgraphSource } from '../../registry/composition/subgraph-files'
import { readSupergraph } from '../../registry/composition/supergraph-text'
import { oncePerRun } from '../support/once-per-run'

/** Three subgraphs with one of everything that can change. */
export const shop = {
  shared: `
extend schema
  @link(url: "https://specs.apollo.dev/federation/v2.9", import: [
    "@key", "@shareable", "@external", "@requires", "@provides", "@override", "@tag", "@inaccessible",
    "@authenticated", "@requiresScopes", "@policy", "@cost", "@listSize"
  ])

directive @trace(label: String, level: Int = 1) on FIELD | QUERY
directive @hint(text: String!) repeatable on FIELD

type Money @shareable {
  amount: String!
  currency: String!
}

input Range {
  gte: Int
  lte: Int
}
`,
  accounts: `
type Query {
  me: User @authenticated
  user(id: ID!, verbose: Boolean = false): User @requiresScopes(scopes: [["user:read"]])
  users(first: Int = 20, after: String, filter: UserFilter, role: Role = MEMBER, tags: [String!]): [User!]! @requiresScopes(scopes: [["user:read"], ["admin"]]) @listSize(assumedSize: 20, slicingArguments: ["first"], requireOneSlicingArgument: false) @cost(weight: 2)
  nodes: [Node!]! @authenticated
  named: [Named!]! @authenticated
  search(text: String!, limit: Int! = 10): [SearchResult!]! @authenticated
  team: Team
  echo(text: String, number: Int!): String
  login(style: Style): String
  status: Status!
}

type Mutation {
  createUser(input: CreateUserInput!): User @requiresScopes(scopes: [["user:write"]])
  rename(id: ID!, name: String): String @authenticated
}

interface Node {
  id: ID!
}

interface Named {
  name: String!
}

type User implements Node & Named @key(fields: "id") @authenticated {
  id: ID!
  name: String!
  nickname: String
  email: String @requiresScopes(scopes: [["user:email"]])
  phone: String
  manager: User
  role: Role!
  status: Status!
  tags: [String!]!
  scores: [Int]
  createdAt: DateTime!
  legacyId: String @deprecated(reason: "Use \`id\`. Removed after 2020-01-31.")
  badge: String @deprecated(reason: "Use \`name\`. Removed after 2099-01-31.")
  salary: Int @policy(policies: [["staff"]])
}

type Bot implements Node @key(fields: "id") @authenticated {
  id: ID!
  name: String!
  nickname: String
}

type Team @authenticated {
  title: String!
}

union SearchResult = User | Bot | Team

enum Role {
  ADMIN
  MEMBER
  GUEST
}

enum Status {
  ACTIVE
  SUSPENDED
}

enum Style {
  SHORT
  LONG
}

scalar DateTime @specifiedBy(url: "https://scalars.graphql.org/andimarek/date-time")

input UserFilter {
  name: String
  role: Role
  minAge: Int = 18
  active: Boolean! = true
  ids: [ID!]
}

input CreateUserInput {
  name: String!
  email: String
  role: Role! = MEMBER
}
`,
  catalog: `
type Query {
  products(first: Int = 10, range: Range): [Product!]! @authenticated
  product(sku: ID!): Product @authenticated
}

type Product @key(fields: "id") @key(fields: "sku") @authenticated {
  id: ID!
  sku: ID!
  title: String! @shareable
  price: Money @tag(name: "catalog")
  weight: Int
  size: Int
  rating: Float @shareable
}

type User @key(fields: "id") {
  id: ID!
  favourites: [Product!] @authenticated
}
`,
  reviews: `
type Query {
  reviews(range: Range): [Review!]! @authenticated
  latest: Review @authenticated @provides(fields: "product { title }")
}

type Review @key(fields: "id") @authenticated {
  id: ID!
  text: String!
  author: User
  product: Product
}

type Product @key(fields: "id") {
  id: ID!
  title: String! @external
  weight: Int @external
  rating: Float @shareable @authenticated
  reviews: [Review!] @authenticated
  shipping: Int @requires(fields: "weight") @authenticated
}

type User @key(fields: "id") {
  id: ID!
  reviews: [Review!] @authenticated
}
`,
}

export type ShopPart = keyof typeof shop

/** Replace this text of this part by that. The text must occur there exactly once. */
export type Edit = readonly [part: ShopPart, from: string, to: string]

/** The subgraphs of the shop after some edits. */
export function editedShop(edits: readonly Edit[]): SubgraphSource[] {
  const texts = { ...shop }
  for (const [part, from, to] of edits) {
    const count = texts[part].split(from).length - 1
    if (count !== 1) throw new Error(`"${from}" occurs ${count} times in ${part}`)
    texts[part] = texts[part].replace(from, () => to)
  }
  const shared = parse(new Source(texts.shared, 'schema/shared.graphql'))
  return (['accounts', 'catalog', 'reviews'] as const)
    .filter((name) => texts[name].trim() !== '')
    .map((name) => ({
      name,
      typeDefs: concatAST([shared, parse(new Source(texts[name], `schema/${name}.graphql`))]),
    }))
}

/** A shop that composes. */
interface ComposedShop {
  supergraph: string
  model: SchemaModel
}

const composed = new Map<string, ComposedShop>()

/** The composed shop after some edits, composed once in a run of all tests. Throws when it does not compose. */
export function composedShop(edits: readonly Edit[] = []): ComposedShop {
  const key = JSON.stringify(edits)
  let known = composed.get(key)
  if (!known) {
    const supergraph = oncePerRun(`shop ${key}`, () => {
      const { supergraph: text, problems } = composeGraph(editedShop(edits), { thorough: true })
      if (text === null) throw new Error(JSON.stringify(problems, null, 2))
      return text
    })
    composed.set(key, (known = { supergraph, model: readSupergraph(supergraph) }))
  }
  return known
}
