// Stock: @apollo/gateway in Apollo Server, as their documentation shows it, in the product's own versions.
// Over the product's subgraphs (`urls` given) it signs the viewer as they demand; over others it passes the
// authorization on.
process.env.APOLLO_TELEMETRY_DISABLED = 'true'
import { readFileSync } from 'node:fs'
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway'
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import viewerTokens from '../../dist/kernel/access/viewer-token.js'
import tokenKeys from '../../dist/kernel/sign-in/token-keys.js'
import ids from '../../dist/kernel/id.js'
import clocks from '../../dist/kernel/clock.js'
import viewers from '../../dist/gateway/operations/viewer.js'
import compose from '../../dist/registry/composition/compose.js'
import configs from '../../dist/kernel/process/config.js'
import databases from '../../dist/kernel/connection/database.js'
import logs from '../../dist/kernel/process/log.js'
import { given, serve } from './child.mjs'

const { systemClock } = clocks
const { env, urls, subgraphs, supergraph } = given
let statements = 0
let calls = 0

class ForwardingSource extends RemoteGraphQLDataSource {
  willSendRequest({ request, context }) {
    calls += 1
    if (context.authorization) request.http.headers.set('authorization', context.authorization)
  }
}

class SigningSource extends RemoteGraphQLDataSource {
  constructor(options, name, secret) {
    super(options)
    this.audience = name
    this.secret = secret
  }
  willSendRequest({ request, context }) {
    calls += 1
    if (!context.request) return // the gateway asks nothing for itself with a supergraph at hand
    const { http: _http, ...operation } = request
    const body = JSON.stringify(operation) // what the parent class sends
    const { secret, audience } = this
    request.http.headers.set(
      viewerTokens.viewerHeader,
      viewerTokens.signViewer(secret, audience, context.request.viewer, body, context.request, systemClock),
    )
  }
}

async function product() {
  const config = configs.loadConfig(env)
  const log = logs.createLogger({ logLevel: 'silent' })
  const database = await databases.openDatabase({
    url: urls.gateway,
    entities: [],
    connections: 3,
    applicationName: 'bench stock',
    onStatement: () => (statements += 1),
  })
  const viewerOf = viewers.sessionViewers({
    keys: tokenKeys.loadTokenKeys(config),
    issuer: config.tokenIssuer,
    database,
    cache: null,
    clock: systemClock,
    log,
  })
  return {
    source: ({ name }) => new SigningSource({ url: subgraphs[name] }, name, config.viewerSecret),
    context: async ({ req }) => {
      const requestId = ids.uuidv7()
      const viewer = await viewerOf({ get: (name) => req.headers[name] }, requestId)
      return { request: { requestId, viewer, clientIp: '127.0.0.1', userAgent: null } }
    },
  }
}

const foreign = {
  source: ({ url }) => new ForwardingSource({ url }),
  context: async ({ req }) => ({ authorization: req.headers['authorization'] }),
}

const { source, context } = urls ? await product() : foreign
const server = new ApolloServer({
  gateway: new ApolloGateway({
    supergraphSdl: compose.loadable(readFileSync(supergraph, 'utf8')),
    buildService: source,
  }),
  includeStacktraceInErrorResponses: false,
})
const { url } = await startStandaloneServer(server, { context, listen: { port: 0, host: '127.0.0.1' } })
serve(new URL('/graphql', url).href, { counts: () => ({ calls, statements }) })
