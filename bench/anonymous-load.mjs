import { loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const usage = `node bench/anonymous-load.mjs [options]      (after npm run build)

What anonymous callers can do to others: a few connections that send, as fast as they are answered, the costliest
documents that they may, each a text that was never seen; beside them one tenant's small query at a fixed rate. The limit
per network address is lifted: it would end the load after a minute's share. Prints ratios to the same query alone, and
what the process keeps of the documents.

--connections N  that send anonymous documents, default 2
--seconds N      of each kind of document, default 5
--rate N         of the small query a second, default 50
--documents N    distinct anonymous documents for the look at memory, default 5000
--help`

const { values: options } = parseArgs({
  options: {
    connections: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '50' },
    documents: { type: 'string', default: '5000' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (options.help) {
  console.log(usage)
  process.exit()
}
const [connections, seconds, rate, documents] = [
  options.connections,
  options.seconds,
  options.rate,
  options.documents,
].map(Number)

const { prepareData } = await import('./data.mjs')
const tokens = (await import('../dist/subgraphs/identity/sessions/opaque-token.js')).default
const { closedLoop, openLoop } = await import('./measure/load.mjs')
const { killServers, startServer } = await import('./measure/processes.mjs')

const times = (count, text) => Array.from({ length: count }, (_, n) => text(n)).join(' ')
/** Kinds of documents at the bounds of anonymous callers, by what is dear about them; `n` makes each a new text. */
const kinds = {
  'refused before validation (the document of L1)': (n) =>
    `{ ${times(400, (at) => `tenant { x${at}: id x: ${at % 2 ? 'name' : `id a${n}: id`} }`)} }`,
  'many fields, valid': (n) => `{ ${times(5, (at) => `t${at}: tenant { ${wide(n)} i: id }`)} }`,
  'many pairs, in conflict': (n) =>
    `{ ${times(5, () => `tenant { a${n}: id x: id } tenant { x: name }`).slice(0, 900)} }`,
  'unknown fields': (n) => `{ ${times(5, (at) => `tenatn${n}x${at}`)} }`,
  'fragments, valid': (n) =>
    `{ tenant { ${times(9, (at) => `...F${at}`)} } } ${times(9, (at) => `fragment F${at} on Tenant { a${n}x${at}: ${at % 2 ? 'id' : 'name'} }`).slice(0)}`,
  'five mutations': (n) =>
    `mutation { ${times(5, (at) => `r${n}x${at}: refreshSession(input: { refreshToken: "x" }) { accessToken }`)} }`,
  'planned: a mutation for everybody': (n) =>
    `mutation { r${n}: refreshSession(input: { refreshToken: "${refreshToken}" }) { ${wideRefresh(n)} } }`,
  'known: a mutation for everybody': () =>
    `mutation { refreshSession(input: { refreshToken: "${refreshToken}" }) { ${wideRefresh(0)} } }`,
  'planned: a sign-in with a password': (n) =>
    `mutation { s${n}: signIn(input: { tenant: "bench", email: "nobody${n}@bench.example", password: "wrong" }) { accessToken } }`,
}
/** Each of these hashes a password, up to 300 of one address in five minutes: too slow to send thousands. */
const forMemory = Object.keys(kinds).filter((kind) => !kind.includes('password'))

/** Fields of a tenant under new names, within the bound of five names for each. */
function wide(n) {
  return ['id', 'name', 'slug', 'plan', 'createdAt', 'updatedAt']
    .flatMap((field) => Array.from({ length: 4 }, (_, at) => `w${n}${field}${at}: ${field}`))
    .join(' ')
}

function wideRefresh(n) {
  const five = (field) => times(5, (at) => `w${n}${field}${at}: ${field}`)
  return `${['accessToken', 'refreshToken', 'expiresAt'].map(five).join(' ')} userErrors { ${['code', 'message', 'field'].map(five).join(' ')} }`
}

let sent = 0
const anonymous = (url, kind) => ({
  candidate: 'ours',
  url,
  request: () => ({
    body: JSON.stringify({ query: kinds[kind](sent++) }),
    // With this media type a refused operation has status 200, so that the load goes on.
    headers: { accept: 'application/json' },
  }),
  accepts: (text) => !text.includes('RATE_LIMITED'),
})

const data = await prepareData((line) => console.error(line), [])
/** Of the right form, so that it is looked for; there is no such session. */
const refreshToken = tokens.formatToken({
  tenantId: data.tenantId,
  tokenId: '01900000-0000-7000-8000-000000000001',
  secret: 'x'.repeat(43),
})
const rows = []
try {
  const server = await startServer('ours', fileURLToPath(new URL('./servers/ours.mjs', import.meta.url)), {
    args: { env: { ...data.env, RATE_LIMIT_PER_MINUTE: '999999999' }, urls: data.urls('main') },
    nodeArgs: ['--expose-gc'],
  })
  const tenant = {
    candidate: 'ours',
    url: server.at,
    request: (index) => ({
      body: JSON.stringify({ query: '{ viewer { id email } }' }),
      headers: { authorization: data.authorization(index) },
    }),
    accepts: (text) => !text.includes('"errors":'),
  }
  await openLoop(tenant, { rate: 200, seconds: 5 })
  // Known is what somebody signed in has sent.
  for (const kind of Object.keys(kinds).filter((name) => name.startsWith('known')))
    await send(server.at, kind, { authorization: data.authorization(0) })
  const alone = async () => (await openLoop(tenant, { rate, seconds })).p50
  for (const kind of Object.keys(kinds)) {
    const before = await alone()
    const [probe, load] = await Promise.all([
      openLoop(tenant, { rate, seconds }),
      closedLoop(anonymous(server.at, kind), { concurrency: connections, seconds }),
    ])
    const quiet = (before + (await alone())) / 2
    rows.push({
      kind,
      'quiet p50 ms': round(quiet),
      'beside it': round(probe.p50),
      ratio: round(probe.p50 / quiet),
      'documents a second': Math.round(load.requests / load.seconds),
      'anonymous p50 ms': round(load.p50),
      'load average': round(loadavg()[0]),
    })
    console.error(JSON.stringify(rows.at(-1)))
  }
  console.table(rows)
  const looks = []
  for (let look = 0; look <= 5; look++) {
    // The first look comes after what the machine itself needs is warm.
    const until = sent + (look === 0 ? 500 : documents / 5)
    const kind = (n) => forMemory[n % forMemory.length]
    while (sent < until) await send(server.at, kind(sent))
    const { rss, heapUsed } = await server.ask('memory')
    looks.push({
      documents: look === 0 ? 0 : (look * documents) / 5,
      'heap MiB': mib(heapUsed),
      'RSS MiB': mib(rss),
    })
  }
  console.table(looks)
  await server.stop()
} finally {
  killServers()
  await data.close()
}

async function send(url, kind, more = {}) {
  const { body, headers } = anonymous(url, kind).request()
  await (
    await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers, ...more },
      body,
    })
  ).text()
}

function round(value) {
  return Number(value.toFixed(2))
}

function mib(bytes) {
  return Number((bytes / 2 ** 20).toFixed(1))
}
