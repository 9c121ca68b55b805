import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { numbersFrom } from './measure/arguments.mjs'

const require = createRequire(new URL('../package.json', import.meta.url))
const { parse } = require('graphql')
const usage = `node --expose-gc bench/cache-sizes.mjs [operations]      (after npm run build)

Holds what caches of operations take in memory, for the estimates that bound them.

First a parsed document alone, then the whole product, which keeps each new operation of a signed-in caller parsed,
prepared, planned, and parsed and compiled in each subgraph that it asks. Bytes for each token of the client's text.`
const [count] = numbersFrom(usage, 300)
const times = (n, text) => Array.from({ length: n }, (_, at) => text(at)).join(' ')
/** Texts that are all different: small ones, as screens send them, and wide ones. */
const kinds = {
  small: (n) =>
    `query Q${n}($first: Int = 3) { employees(first: $first) { nodes { a${n}: id employeeNumber user { id email } department { id name } } } }`,
  wide: (n) => `{ tenant { ${times(90, (at) => `a${n}x${at}: ${at % 2 ? 'id' : 'name'}`)} } }`,
}
const heap = () => {
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage().heapUsed
}

const rows = []
for (const [kind, text] of Object.entries(kinds)) {
  for (const noLocation of [false, true]) {
    const kept = []
    const before = heap()
    let tokens = 0
    for (let n = 0; n < count; n++) {
      const document = parse(text(n), { noLocation })
      tokens += document.tokenCount
      kept.push(document)
    }
    const bytes = heap() - before
    const what = `parsed, ${noLocation ? 'without' : 'with'} places`
    rows.push({ kind, what, 'bytes a token': Math.round(bytes / tokens), kept: kept.length })
  }
}

const { prepareData } = await import('./data.mjs')
const { killServers, startServer } = await import('./measure/processes.mjs')
const data = await prepareData((line) => console.error(line), [])
try {
  const file = fileURLToPath(new URL('./servers/ours.mjs', import.meta.url))
  const server = await startServer('ours', file, {
    args: { env: data.env, urls: data.urls('main') },
    nodeArgs: ['--expose-gc'],
  })
  let sent = 0
  async function ask(text) {
    const headers = { 'content-type': 'application/json', authorization: data.authorization(0) }
    const query = text(sent++)
    const answer = await fetch(server.at, { method: 'POST', headers, body: JSON.stringify({ query }) })
    const body = await answer.text()
    if (body.includes('"errors"')) throw new Error(body.slice(0, 400))
    return parse(query).tokenCount
  }
  for (const [kind, text] of Object.entries(kinds)) {
    for (let n = 0; n < 100; n++) await ask(text)
    const before = (await server.ask('memory')).heapUsed
    let tokens = 0
    for (let n = 0; n < count; n++) tokens += await ask(text)
    const bytes = (await server.ask('memory')).heapUsed - before
    rows.push({ kind, what: 'in all caches', 'bytes a token': Math.round(bytes / tokens), kept: count })
  }
  await server.stop()
} finally {
  killServers()
  await data.close()
}
console.table(rows)
