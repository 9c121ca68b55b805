import type { DocumentNode } from 'graphql'
import { parse, Source } from 'graphql'

/** The size of a graph to measure with. */
export interface LargeGraph {
  subgraphs: number
  /** Entities of each subgraph; each brings its connection, edge, filter, order and two enums. */
  entities: number
  operations: number
}

/** 10 subgraphs, a little over 500 types, 10,000 operations. */
export const large: LargeGraph = { subgraphs: 10, entities: 8, operations: 10_000 }

const subgraphName = (index: number) => `area${index}`
const entityName = (subgraph: number, index: number) => `Area${subgraph}Thing${index}`

const shared = `
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@authenticated", "@requiresScopes", "@tag", "@cost", "@listSize"])
type PageInfo @shareable { hasNextPage: Boolean! endCursor: String }
type Money @shareable { amount: String! currency: String! }
input StringFilter { eq: String contains: String }
enum OrderDirection { ASC DESC }
`

/** The SDL of each subgraph by name. Entities of one subgraph are pointed at and added to by its neighbour. */
export function largeGraph({ subgraphs, entities }: LargeGraph): Map<string, string> {
  const texts = new Map<string, string>()
  for (let s = 0; s < subgraphs; s++) {
    const query: string[] = []
    const types: string[] = []
    for (let e = 0; e < entities; e++) {
      const name = entityName(s, e)
      const neighbour = entityName((s + 1) % subgraphs, e)
      const scope = `area${s}:thing:read`
      query.push(
        `  thing${s}x${e}(id: ID!): ${name} @requiresScopes(scopes: [["${scope}"]])`,
        `  things${s}x${e}(first: Int = 20, after: String, filter: ${name}Filter, orderBy: ${name}Order): ${name}Connection! @requiresScopes(scopes: [["${scope}"]]) @listSize(assumedSize: 20, slicingArguments: ["first"], sizedFields: ["edges", "nodes"], requireOneSlicingArgument: false)`,
      )
      const fields = Array.from(
        { length: 12 },
        (_, f) => `  field${f}: ${['String', 'Int', 'Float', 'Boolean'][f % 4]}${f % 3 ? '' : '!'}`,
      )
      types.push(
        `type ${name} @key(fields: "id") @authenticated {\n  id: ID!\n${fields.join('\n')}\n  state: ${name}State!\n  price: Money\n  other: ${neighbour}\n}`,
        `type ${neighbour} @key(fields: "id") {\n  id: ID!\n  from${name}: [${name}!] @authenticated\n}`,
        `type ${name}Connection { edges: [${name}Edge!]! nodes: [${name}!]! pageInfo: PageInfo! totalCount: Int }`,
        `type ${name}Edge { cursor: String! node: ${name}! }`,
        `input ${name}Filter { state: ${name}State field0: StringFilter field4: StringFilter }`,
        `input ${name}Order { field: ${name}OrderField! direction: OrderDirection! = ASC }`,
        `enum ${name}OrderField { FIELD0 FIELD1 FIELD2 }`,
        `enum ${name}State { DRAFT ACTIVE CLOSED }`,
      )
    }
    texts.set(subgraphName(s), `${shared}\ntype Query {\n${query.join('\n')}\n}\n\n${types.join('\n\n')}\n`)
  }
  return texts
}

/** The same as documents, as composition takes them. */
export function parsedGraph(size: LargeGraph): { name: string; typeDefs: DocumentNode }[] {
  return [...largeGraph(size)].map(([name, text]) => ({
    name,
    typeDefs: parse(new Source(text, `${name}.graphql`)),
  }))
}

/** Recorded usage as JSON lines: documents without literals, a client version and when it was seen last. */
export function* largeUsage(
  { subgraphs, entities, operations }: LargeGraph,
  lastSeen: string,
): Generator<string> {
  for (let n = 0; n < operations; n++) {
    const [s, e] = [n % subgraphs, Math.floor(n / subgraphs) % entities]
    const neighbour = (s + 1) % subgraphs
    const [a, b, c] = [n % 12, (n * 5 + 1) % 12, (n * 7 + 3) % 12]
    const selected = [...new Set([a, b, c])].map((f) => `field${f}`).join(' ')
    const document =
      n % 3 === 0
        ? `query Thing${n}($id: ID!) { thing${s}x${e}(id: $id) { id ${selected} state price { amount currency } } }`
        : n % 3 === 1
          ? `query Things${n}($first: Int, $filter: ${entityName(s, e)}Filter) { things${s}x${e}(first: $first, filter: $filter) { nodes { id ${selected} } pageInfo { hasNextPage endCursor } totalCount } }`
          : `query Across${n}($id: ID!) { thing${s}x${e}(id: $id) { ${selected} other { id field${a} state other { field${b} } } from${entityName((s + subgraphs - 1) % subgraphs, e)} { field${c} } } thing${neighbour}x${e}(id: $id) { __typename } }`
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
