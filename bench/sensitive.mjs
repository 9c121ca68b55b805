import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'

const usage = `node bench/sensitive.mjs [options]      (after npm run build)

Prints what encryption and the record of reads cost. First values alone: encrypting and decrypting 1,000 texts of a telephone
number's length and 1,000 JSON values of 1 KiB. Then the whole product over a PostgreSQL of its own, durable as in production: a
list of 20 customers with four fields whose reads are recorded, beside the same list where nothing is recorded. They take turns in
every round; medians of requests a second are printed, and their ratio.

--rounds N       default 7
--seconds N      of each turn, default 2
--connections N  of each role, default 3, which is what a process has at least
--help`

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '3' },
    help: { type: 'boolean', short: 'h' },
  },
})
if (options.help) {
  console.log(usage)
  process.exit()
}
const [rounds, seconds, connections] = [options.rounds, options.seconds, options.connections].map(Number)

const load = async (path) => (await import(`../dist/${path}.js`)).default
const configs = await load('kernel/process/config')
const ciphers = await load('kernel/encryption/cipher')
const ids = await load('kernel/id')
const logs = await load('kernel/process/log')
const servers = await load('product/server')
const { prepareData } = await import('./data.mjs')
const { closedLoop } = await import('./measure/load.mjs')

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

const key = new ciphers.DataKey(ids.uuidv7(), randomBytes(32))
for (const [what, plain] of [
  ['telephone numbers', '+49 30 1234567'],
  ['JSON of 1 KiB', JSON.stringify({ note: 'x'.repeat(1010) })],
]) {
  const encrypt = []
  const decrypt = []
  for (let round = 0; round < 30; round++) {
    let from = performance.now()
    const values = Array.from({ length: 1000 }, (_, n) => key.encrypt(`place ${n}`, plain))
    encrypt.push(performance.now() - from)
    from = performance.now()
    values.forEach((value, n) => key.decrypt(`place ${n}`, value))
    decrypt.push(performance.now() - from)
  }
  console.log(
    `1,000 ${what}: encrypted in ${median(encrypt).toFixed(1)} ms, decrypted in ${median(decrypt).toFixed(1)} ms`,
  )
}

const data = await prepareData((line) => console.error(line), [])
const roles = 7
const config = configs.loadConfig({ ...data.env, DATABASE_CONNECTIONS: String(connections * roles) })
const log = logs.createLogger({ logLevel: 'silent' })
const isEntry = ({ text, values = [] }) =>
  text.startsWith('INSERT INTO shared.audit_logs') && values.includes('VIEW')
let isRecording = true
const server = await servers.startServer({
  config,
  log,
  database: { urlFor: (role) => data.urls('main')[role] },
  around: (_role, database) => ({
    ...database,
    rows: (binding, statement) =>
      !isRecording && isEntry(statement) ? Promise.resolve([]) : database.rows(binding, statement),
  }),
})
try {
  const body = JSON.stringify({
    query: '{ customers(first: 20) { nodes { id externalId email firstName lastName fullName } } }',
  })
  const target = {
    candidate: 'product',
    url: server.url,
    request: (index) => ({ body, headers: { authorization: data.authorization(index) } }),
    accepts: (text) => !text.includes('"errors"'),
  }
  await closedLoop(target, { concurrency: 16, seconds })
  const found = { recorded: [], unrecorded: [] }
  for (let round = 0; round < rounds; round++) {
    await data.renewTokens()
    for (const name of round % 2 ? ['recorded', 'unrecorded'] : ['unrecorded', 'recorded']) {
      isRecording = name === 'recorded'
      const { requests, seconds: took } = await closedLoop(target, { concurrency: 16, seconds })
      found[name].push(requests / took)
    }
  }
  const [recorded, unrecorded] = [median(found.recorded), median(found.unrecorded)]
  console.log(
    `20 customers, recorded: ${recorded.toFixed(0)} requests/s; not recorded: ${unrecorded.toFixed(0)}`,
  )
  console.log(`ratio ${(recorded / unrecorded).toFixed(2)}`)
} finally {
  await server.close()
  await data.close()
}
