import { composeServices } from '@apollo/composition'
import { buildSubgraphSchema } from '@apollo/subgraph'
import type { GraphQLResolverMap } from '@apollo/subgraph/dist/schema-helper'
import { execute, parse, validate, type DocumentNode, type GraphQLSchema } from 'graphql'
import { serve, type Listening } from './fixtures/serve'

/** A subgraph as its team would write it. */
export interface AuditSubgraph {
  typeDefs: string
  resolvers: object
}

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable",
  "@external", "@requires", "@provides", "@override", "@interfaceObject", "@inaccessible", "@extends"])\n`

export interface Served {
  supergraph: string
  /** What each subgraph was asked, in order. */
  asked: { name: string; query: string; variables: Record<string, unknown> }[]
  close(): Promise<void>
}

/** Serves subgraphs over HTTP, each by itself and with validation, and composes them. */
export async function serveSubgraphs(subgraphs: Record<string, AuditSubgraph>): Promise<Served> {
  const asked: Served['asked'] = []
  const servers: Listening[] = []
  const close = async () => void (await Promise.all(servers.map((server) => server.close())))
  try {
    const schemas: { name: string; typeDefs: DocumentNode; url: string }[] = []
    for (const [name, { typeDefs, resolvers }] of Object.entries(subgraphs)) {
      const document = parse(typeDefs.startsWith('#fed1') ? typeDefs : link + typeDefs)
      const schema = buildSubgraphSchema({
        typeDefs: document,
        resolvers: resolvers as GraphQLResolverMap<unknown>,
      })
      const server = await serve((request, response) => {
        const chunks: Buffer[] = []
        request.on('data', (chunk: Buffer) => chunks.push(chunk))
        request.on('end', () => {
          const body = JSON.parse(Buffer.concat(chunks).toString()) as Asked
          asked.push({ name, query: body.query, variables: body.variables ?? {} })
          void answer(schema, body).then((result) => {
            response.setHeader('content-type', 'application/json')
            response.end(JSON.stringify(result))
          })
        })
      })
      servers.push(server)
      schemas.push({ name, typeDefs: document, url: server.url })
    }
    // Hints are none of the gateway's business.
    const { supergraphSdl, errors } = composeServices(schemas)
    if (supergraphSdl === undefined) throw new Error(errors.map(({ message }) => message).join('\n'))
    return { supergraph: supergraphSdl, asked, close }
  } catch (error) {
    await close()
    throw error
  }
}

interface Asked {
  query: string
  variables?: Record<string, unknown>
  operationName?: string
}

async function answer(schema: GraphQLSchema, { query, variables, operationName }: Asked): Promise<object> {
  const document = parse(query)
  const errors = validate(schema, document)
  if (errors.length > 0) return { errors }
  return execute({ schema, document, variableValues: variables, operationName })
}
