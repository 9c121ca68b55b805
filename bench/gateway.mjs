/**
 * Holds what a request costs in our gateway, against stock: Apollo Server with ApolloGateway and its own HTTP client.
 *
 *   npm run build && node bench/gateway.mjs [rounds] [milliseconds]
 *
 * Four subgraphs answer from memory, so that the gateways are what is measured. `ours` and `stock` call them over HTTP
 * in a process of their own; `in-process` runs them itself, and its figures include them. The candidates take turns in
 * every round. CPU is user and system time of the gateway's process per request; each request has another
 * authorization, and the answers are compared before anything is timed.
 */
import { fork } from 'node:child_process'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const queries = {
  nested: `{ users(first: 20) { id name reviews { body product { id name price inStock reviews { stars author { name } } } } } }`,
  small: '{ me { id name } }',
}

const typeDefs = {
  accounts: `type Query { me: User users(first: Int!): [User!]! }
    type User @key(fields: "id") { id: ID! name: String }`,
  reviews: `type User @key(fields: "id") { id: ID! reviews: [Review!]! }
    type Product @key(fields: "id") { id: ID! reviews: [Review!]! }
    type Review @key(fields: "id") { id: ID! body: String stars: Int author: User product: Product }`,
  products: `type Product @key(fields: "id") { id: ID! name: String price: Int weight: Int }`,
  inventory: `type Product @key(fields: "id") { id: ID! inStock: Boolean }`,
}
const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])\n'
const ids = (letter, seed, count) =>
  Array.from({ length: count }, (_, at) => ({ id: `${letter}${(seed + at * 7) % 20}` }))
const numberOf = ({ id }) => Number(id.slice(1))
const known = { __resolveReference: (row) => row }
const resolvers = {
  accounts: {
    Query: { me: () => ({ id: 'u1' }), users: (_, { first }) => ids('u', 0, first) },
    User: { ...known, name: ({ id }) => `User ${id}` },
  },
  reviews: {
    User: { ...known, reviews: (row) => ids('r', numberOf(row), 5) },
    Product: { ...known, reviews: (row) => ids('r', numberOf(row), 4) },
    Review: {
      ...known,
      body: ({ id }) => `Body of ${id}`,
      stars: (row) => numberOf(row) % 5,
      author: (row) => ids('u', numberOf(row) * 3, 1)[0],
      product: (row) => ids('p', numberOf(row) * 5, 1)[0],
    },
  },
  products: { Product: { ...known, name: ({ id }) => `Product ${id}`, price: numberOf, weight: numberOf } },
  inventory: { Product: { ...known, inStock: (row) => numberOf(row) % 2 === 0 } },
}

const role = process.argv[2]
if (role === '--serve') await serve(process.argv[3])
else await measure(Number(role ?? 10), Number(process.argv[3] ?? 1500))

/** One process of the measurement: the subgraphs, or one of the gateways. */
async function serve(what) {
  process.env.APOLLO_TELEMETRY_DISABLED = 'true'
  // The product's packages, not the bench's own: there must be one graphql in a process.
  const ofProduct = createRequire(new URL('../package.json', import.meta.url))
  const { buildSubgraphSchema } = ofProduct('@apollo/subgraph')
  const { execute, parse } = ofProduct('graphql')
  const running = Object.entries(typeDefs).map(([name, sdl]) => {
    const schema = buildSubgraphSchema({ typeDefs: parse(link + sdl), resolvers: resolvers[name] })
    const run = ({ document, variables, operationName }) =>
      execute({ schema, document, variableValues: variables, operationName })
    return { name, execute: async (operation) => run(operation), close: async () => undefined }
  })
  let url
  if (what === 'subgraphs') url = await serveSubgraphs(running, parse)
  else {
    const { compose } = (await import('../dist/registry/composition/compose.js')).default
    const base = process.argv[4]
    const supergraph = compose(
      Object.entries(typeDefs).map(([name, sdl]) => ({
        name,
        typeDefs: parse(link + sdl),
        url: `${base}/${name}`,
      })),
    )
    url =
      what === 'stock'
        ? await stock(supergraph)
        : await ours(supergraph, what === 'in-process' ? running : null)
  }
  process.on('message', (message) => {
    if (message === 'usage') process.send(process.cpuUsage())
    else process.exit(0)
  })
  // A measurement that fails leaves nobody behind.
  process.on('disconnect', () => process.exit(0))
  process.send(url)
}

async function serveSubgraphs(running, parse) {
  const documents = new Map()
  const server = createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const { query, variables, operationName } = JSON.parse(Buffer.concat(chunks))
    if (!documents.has(query)) documents.set(query, parse(query))
    const subgraph = running.find(({ name }) => request.url === `/${name}`)
    const answer = await subgraph.execute({ document: documents.get(query), variables, operationName })
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answer))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${server.address().port}`
}

async function stock(supergraphSdl) {
  const { ApolloServer } = await import('@apollo/server')
  const { startStandaloneServer } = await import('@apollo/server/standalone')
  const { ApolloGateway } = await import('@apollo/gateway')
  const server = new ApolloServer({ gateway: new ApolloGateway({ supergraphSdl }) })
  return (await startStandaloneServer(server, { listen: { port: 0, host: '127.0.0.1' } })).url
}

async function ours(supergraph, running) {
  const { startGateway } = (await import('../dist/gateway/gateway.js')).default
  const { localDataSource } = (await import('../dist/gateway/subgraphs/local.js')).default
  const { remoteDataSource } = (await import('../dist/gateway/subgraphs/remote.js')).default
  const { anonymous } = (await import('../dist/gateway/operations/viewer.js')).default
  const { createLogger } = (await import('../dist/kernel/process/log.js')).default
  const log = createLogger({ logLevel: 'error' })
  const gateway = await startGateway({
    supergraph,
    dataSource: ({ name, url }) =>
      running
        ? localDataSource(running.find((subgraph) => subgraph.name === name))
        : remoteDataSource({ name, url, headers: () => ({}), log }),
    resolveViewer: anonymous,
    log,
    host: '127.0.0.1',
    port: 0,
    callersSignIn: false,
    limits: { pageLimit: Infinity },
    foreignSubgraphs: true,
  })
  return gateway.url
}

async function start(...args) {
  const child = fork(fileURLToPath(import.meta.url), ['--serve', ...args], {
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const next = () => new Promise((resolve) => child.once('message', resolve))
  const url = await next()
  const usage = async () => {
    child.send('usage')
    const { user, system } = await next()
    return user + system
  }
  return { url, usage, stop: () => child.send('stop') }
}

async function measure(rounds, milliseconds) {
  const { Agent, request } = await import('undici')
  const dispatcher = new Agent({ connections: 8 })
  let sent = 0
  const ask = async ({ url }, query) => {
    const { body } = await request(url, {
      method: 'POST',
      dispatcher,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${++sent}` },
      body: JSON.stringify({ query }),
    })
    return body.text()
  }
  const subgraphs = await start('subgraphs')
  const candidates = {}
  for (const name of ['stock', 'ours', 'in-process']) candidates[name] = await start(name, subgraphs.url)
  const results = []
  for (const [workload, query] of Object.entries(queries)) {
    const answers = await Promise.all(Object.values(candidates).map((candidate) => ask(candidate, query)))
    if (new Set(answers.map((answer) => answer.trim())).size > 1)
      throw new Error(`different answers:\n${answers.join('\n')}`)
    const figures = Object.fromEntries(Object.keys(candidates).map((name) => [name, []]))
    for (let round = -1; round < rounds; round++) {
      for (const [name, candidate] of Object.entries(candidates)) {
        const before = await candidate.usage()
        const until = performance.now() + milliseconds
        let requests = 0
        await Promise.all(
          Array.from({ length: 4 }, async () => {
            for (; performance.now() < until; requests++) await ask(candidate, query)
          }),
        )
        // The first round is for warming up.
        if (round >= 0) figures[name].push(((await candidate.usage()) - before) / requests / 1000)
      }
      process.stderr.write(`\r${workload}: round ${round + 1} of ${rounds} `)
    }
    process.stderr.write('\n')
    const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
    for (const [name, values] of Object.entries(figures)) {
      results.push({
        workload,
        gateway: name,
        'CPU ms per request': Number(median(values).toFixed(3)),
        from: Number(Math.min(...values).toFixed(3)),
        to: Number(Math.max(...values).toFixed(3)),
        'stock ÷ this': Number((median(figures.stock) / median(values)).toFixed(2)),
      })
    }
  }
  console.table(results)
  for (const { stop } of [subgraphs, ...Object.values(candidates)]) stop()
  await dispatcher.close()
}
