// The product: everything in this process, or the gateway alone over subgraphs elsewhere (`subgraphs`: name -> URL).
// `unguarded` takes the guards away in code: no access rules, no tenant binding, a role that row level security does not
// hold. What is left is the same server, and the difference is what the guards cost.
import pg from 'pg'
import servers from '../../dist/product/server.js'
import configs from '../../dist/kernel/process/config.js'
import logs from '../../dist/kernel/process/log.js'
import names from '../../dist/kernel/schema/subgraph-names.js'
import values from '../../dist/kernel/connection/row-values.js'
import { given, isControl, serve } from './child.mjs'

const { env, urls, subgraphs, unguarded } = given
const config = configs.loadConfig({
  ...env,
  ...(subgraphs && {
    SUBGRAPHS: Object.entries(subgraphs)
      .map(([name, url]) => `${name}=${url}`)
      .join(','),
  }),
})
let statements = 0
const count = (text) => {
  if (!isControl(text)) statements += 1
}

/** Statements as any pool sends them: named, in one round trip, for no tenant. Transactions stay as they are. */
function unbound(role, database) {
  const pool = new pg.Pool({ connectionString: urls.superuser, max: 3, types: values.rowTypes })
  pool.on('error', () => undefined)
  const known = new Map()
  const nameOf = (text) => {
    let name = known.get(text)
    if (!name) known.set(text, (name = `s${known.size}`))
    return name
  }
  return {
    ...database,
    async rows(_binding, { text, values }) {
      count(text)
      return (await pool.query({ name: nameOf(text), text, values, rowMode: 'array' })).rows
    },
  }
}

const server = await servers.startServer({
  config,
  log: logs.createLogger(config),
  database: { urlFor: (role) => (unguarded && role !== 'gateway' ? urls.superuser : urls[role]) },
  onStatement: (_role, { text }) => count(text),
  ...(unguarded && {
    variants: Object.fromEntries(names.subgraphNames.map((name) => [name, { guard: (schema) => schema }])),
    around: (role, database) => (role === 'gateway' ? database : unbound(role, database)),
  }),
})

serve(server.url, {
  counts: async () => {
    const metrics = await (await fetch(new URL('/metrics', server.url))).text()
    const calls = [...metrics.matchAll(/^subgraph_request_duration_seconds_count\{.*\} (\d+)/gm)]
    return { calls: calls.reduce((sum, [, value]) => sum + Number(value), 0), statements }
  },
  // After a full collection, where the process was started with --expose-gc.
  memory: async () => {
    globalThis.gc?.()
    return process.memoryUsage()
  },
})
