// PostGraphile 5 over the same tables with the same policies: a login that row level security holds, the tenant set per
// request from the same access token.
import { createServer } from 'node:http'
import pg from 'pg'
import { postgraphile } from 'postgraphile'
import { grafserv } from 'postgraphile/grafserv/node'
import { makePgService } from 'postgraphile/adaptors/pg'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import accessTokens from '../../dist/kernel/sign-in/access-token.js'
import configs from '../../dist/kernel/process/config.js'
import tokenKeys from '../../dist/kernel/sign-in/token-keys.js'
import { given, isControl, serve } from './child.mjs'

let statements = 0
const config = configs.loadConfig(given.env)
const keys = tokenKeys.loadTokenKeys(config)
const pool = new pg.Pool({ connectionString: given.urls.postgraphile, max: 8 })
pool.on('error', () => undefined)
pool.on('connect', (client) => {
  const { query } = client
  client.query = function (config, ...rest) {
    const text = typeof config === 'string' ? config : (config?.text ?? '')
    if (!isControl(text)) statements += 1
    return query.call(this, config, ...rest)
  }
})

const instance = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ pool, schemas: ['hr', 'identity', 'finance'] })],
  grafast: {
    context: (request) => {
      const token = request.node?.req.headers.authorization?.slice('Bearer '.length) ?? ''
      const { tenantId } = accessTokens.verifyAccessToken(keys, config.tokenIssuer, token, {
        now: () => new Date(),
      })
      return { pgSettings: { 'app.tenant_id': tenantId } }
    },
    explain: false,
  },
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false, port: 0 },
})
const server = createServer()
await instance.createServ(grafserv).addTo(server)
server.listen(0, '127.0.0.1', () =>
  serve(`http://127.0.0.1:${server.address().port}/graphql`, {
    counts: () => ({ calls: 0, statements }),
    schema: async () => {
      const { printSchema } = await import('graphql')
      return printSchema(await instance.getSchema())
    },
  }),
)
