import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { attachEmbedded, startEmbedded, type EmbeddedServer } from '../../database/embedded'

const binaries = process.env.TEST_POSTGRES_BIN
const log = { info: () => undefined, error: () => undefined }
const open = (folder: string, durable = false) =>
  startEmbedded({ dataDir: folder, ...(binaries ? { binaries } : {}), durable, log })

/** A data directory with a stopped cluster; each test works on a copy of it. */
let made: string
let dataDir: string

beforeAll(async () => {
  made = emptyFolder()
  await (await open(made)).stop()
})
beforeEach(() => {
  dataDir = emptyFolder()
  expect(spawnSync('cp', ['-a', join(made, 'database'), dataDir]).status).toBe(0)
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))
afterAll(() => rmSync(made, { recursive: true, force: true }))

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tenantgraph-embedded-'))
  chmodSync(folder, 0o755)
  return folder
}

async function query<T extends object>(url: string, text: string): Promise<T[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<T>(text)).rows
  } finally {
    await client.end()
  }
}

function processOf(server: Pick<EmbeddedServer, 'cluster'>): number {
  return Number(readFileSync(join(server.cluster, 'postmaster.pid'), 'utf8').split('\n')[0])
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Also when nobody asks for the result of an orphan: then jest's time limit tells. */
async function gone(pid: number): Promise<void> {
  while (lives(pid)) await sleep(20)
}

interface Child {
  child: ChildProcess
  url: string
  cluster: string
}

/** Starts the server in a child process, as another user when one is given. */
async function openInChild(folder: string, uid?: number): Promise<Child> {
  const root = resolve(__dirname, '../..')
  const args = [
    '--require',
    join(root, 'test/support/typescript.js'),
    join(root, 'test/process/start-embedded.ts'),
  ]
  const child = spawn(process.execPath, [...args, folder, ...(binaries ? [binaries] : [])], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  const errors: Buffer[] = []
  child.stderr.on('data', (data: Buffer) => errors.push(data))
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error(Buffer.concat(errors).toString()))),
  ])) as [string]
  return { child, ...(JSON.parse(line) as { url: string; cluster: string }) }
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

test('makes a cluster, starts, answers, stops, and keeps its data, safely by default', async () => {
  rmSync(join(dataDir, 'database'), { recursive: true })
  const first = await open(dataDir, true)
  const pid = processOf(first)
  await query(first.superuserUrl(), 'CREATE TABLE kept AS SELECT 42 AS answer')
  const settings = await query(
    first.superuserUrl(),
    `SELECT current_setting('server_encoding') AS encoding, current_setting('TimeZone') AS zone,
       current_setting('listen_addresses') AS host, current_setting('unix_socket_directories') AS sockets,
       current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commits,
       lower('ÄÉ') AS lower, ('a' < 'B') AS dictionary_order`,
  )
  await first.stop()
  expect(settings).toEqual([
    {
      encoding: 'UTF8',
      zone: 'UTC',
      host: '127.0.0.1',
      sockets: '',
      fsync: 'on',
      commits: 'on',
      lower: 'äé',
      dictionary_order: false,
    },
  ])
  expect(lives(pid)).toBe(false)

  const second = await open(dataDir, true)
  const rows = await query(second.superuserUrl(), 'SELECT answer FROM kept')
  await second.stop()
  expect(rows).toEqual([{ answer: 42 }])
})

test('secrets are readable by their owner only, and every connection needs the password', async () => {
  const server = await open(dataDir)
  try {
    expect(statSync(join(dataDir, 'database/superuser-password')).mode & 0o777).toBe(0o600)
    expect(statSync(join(dataDir, 'database/server.log')).mode & 0o777).toBe(0o600)
    expect(existsSync(join(dataDir, 'database/initdb-password'))).toBe(false)
    const wrong = new URL(server.superuserUrl())
    wrong.password = 'wrong'
    await expect(query(wrong.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' })
  } finally {
    await server.stop()
  }
})

test("a failing statement's values do not reach the server's log", async () => {
  const server = await open(dataDir)
  await expect(query(server.superuserUrl(), `SELECT 'private value'::int`)).rejects.toThrow('private value')
  await server.stop()
  expect(readFileSync(join(dataDir, 'database/server.log'), 'utf8')).not.toContain('private value')
})

test('a second start is refused while the first lives, which goes on', async () => {
  const first = await open(dataDir)
  try {
    await expect(open(dataDir)).rejects.toThrow(
      `${dataDir} is in use by process ${process.pid}: stop that one first, or set DATA_DIR to another folder.`,
    )
    expect(await query(first.superuserUrl(), 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  } finally {
    await first.stop()
  }
})

test('a tool attaches to the running server and leaves it running', async () => {
  expect(attachEmbedded(dataDir)).toBeNull()
  const server = await open(dataDir)
  try {
    const attached = attachEmbedded(dataDir)!
    expect(attached).toMatchObject({ port: server.port, version: server.version, cluster: server.cluster })
    await attached.stop()
    expect(await query(attached.superuserUrl(), 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  } finally {
    await server.stop()
  }
  expect(attachEmbedded(dataDir)).toBeNull()
})

/** Tries until it works: a server that is started again takes a moment. jest's time limit tells if it never does. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch {
      await sleep(50)
    }
  }
}

test('O4: a server that is killed is started again, at the same address, with all that was committed', async () => {
  const said: string[] = []
  const tell = (message: string) => void said.push(message)
  const server = await startEmbedded({
    dataDir,
    ...(binaries ? { binaries } : {}),
    log: { info: tell, error: tell },
    onLost: (error) => tell(`lost: ${error.message}`),
  })
  try {
    await query(server.superuserUrl(), 'CREATE TABLE kept AS SELECT 42 AS answer')
    for (const times of [1, 2]) {
      const killed = processOf(server)
      process.kill(killed, 'SIGKILL')
      await gone(killed)
      const rows = await patiently(() => query(server.superuserUrl(), 'SELECT answer FROM kept'))
      expect(rows).toEqual([{ answer: 42 }])
      expect(processOf(server)).not.toBe(killed)
      const again = () => said.filter((message) => message === 'PostgreSQL runs again').length
      while (again() < times) await sleep(20)
      expect(again()).toBe(times)
    }
    expect(said.filter((message) => message.startsWith('lost'))).toEqual([])
  } finally {
    const last = processOf(server)
    await server.stop()
    expect(lives(last)).toBe(false)
  }
})

test('O4: a server that cannot be started again is reported as lost, once, and what is left of it stops', async () => {
  const lost: string[] = []
  const report = new Promise<void>((resolve) => {
    void startEmbedded({
      dataDir,
      ...(binaries ? { binaries } : {}),
      log,
      onLost: (error) => {
        lost.push(error.message)
        resolve()
      },
    }).then(async (server) => {
      // Its data is gone: no start can succeed.
      renameSync(join(server.cluster, 'global'), join(server.cluster, 'elsewhere'))
      process.kill(processOf(server), 'SIGKILL')
      await report
      await server.stop()
      renameSync(join(server.cluster, 'elsewhere'), join(server.cluster, 'global'))
    })
  })
  await report
  expect(lost).toEqual(['PostgreSQL died and could not be started again'])
  const whole = await patiently(() => open(dataDir))
  await whole.stop()
})

test('after kill -9 of our process the next start takes over its server with all data', async () => {
  const { child, url, cluster } = await openInChild(dataDir)
  const leftover = processOf({ cluster })
  await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer')
  await kill(child, 'SIGKILL')
  expect(lives(leftover)).toBe(true)

  const server = await open(dataDir)
  const rows = await query(server.superuserUrl(), 'SELECT answer FROM kept')
  expect(processOf(server)).not.toBe(leftover)
  await server.stop()
  await gone(leftover)
  expect(rows).toEqual([{ answer: 42 }])
})

test('after kill -9 of both processes the next start recovers what was committed', async () => {
  const { child, url, cluster } = await openInChild(dataDir)
  const postmaster = processOf({ cluster })
  await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer')
  await kill(child, 'SIGKILL')
  process.kill(postmaster, 'SIGKILL')
  await gone(postmaster)

  const server = await open(dataDir)
  const rows = await query(server.superuserUrl(), 'SELECT answer FROM kept')
  await server.stop()
  expect(rows).toEqual([{ answer: 42 }])
})

test('a pid file whose number belongs to somebody else by now hurts nobody', async () => {
  const server = await open(dataDir)
  const pidFile = readFileSync(join(server.cluster, 'postmaster.pid'), 'utf8')
  await server.stop()
  const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  try {
    writeFileSync(join(server.cluster, 'postmaster.pid'), pidFile.replace(/^\d+/, String(bystander.pid)))
    await (await open(dataDir)).stop()
    expect(lives(bystander.pid!)).toBe(true)
  } finally {
    await kill(bystander, 'SIGKILL')
  }
})

test('Ctrl-C in the terminal does not reach the server: it has a session of its own', async () => {
  const { child, cluster } = await openInChild(dataDir)
  const group = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[2]
  expect(group(processOf({ cluster }))).not.toBe(group(child.pid!))
  await kill(child, 'SIGTERM')
  expect(existsSync(join(cluster, 'postmaster.pid'))).toBe(false)
})

test('an ordinary user runs it too, and the cluster is theirs', async () => {
  const asRoot = process.getuid!() === 0
  const uid = asRoot ? 65_534 : process.getuid!()
  const home = join(dataDir, 'home')
  const { child, url, cluster } = await openInChild(prepareFor(home, uid), asRoot ? uid : undefined)
  expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  expect(statSync(cluster).uid).toBe(uid)
  await kill(child, 'SIGTERM')

  // Started as root afterwards, the server still runs as the owner: nothing changes hands.
  const server = await open(home)
  expect(await query(server.superuserUrl(), 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  expect(statSync(server.cluster).uid).toBe(uid)
  await server.stop()
})

test('a data directory in a folder that is closed to others works', async () => {
  const home = join(dataDir, 'closed')
  prepareFor(home, process.getuid!())
  const first = await open(join(home, 'data'))
  const moved = !first.cluster.startsWith(home)
  await query(first.superuserUrl(), 'CREATE TABLE kept AS SELECT 42 AS answer')
  await first.stop()
  const second = await open(join(home, 'data'))
  try {
    expect(await query(second.superuserUrl(), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }])
    expect(moved).toBe(process.getuid!() === 0)
  } finally {
    await second.stop()
    if (moved) rmSync(dirname(second.cluster), { recursive: true })
  }
})

test('a cluster of another version is refused and left alone', async () => {
  const file = join(dataDir, 'database/cluster/PG_VERSION')
  const version = readFileSync(file)
  writeFileSync(file, '12\n')
  await expect(open(dataDir)).rejects.toThrow(
    /was made by PostgreSQL 12, and .* is 1[58]: move the data with pg_dump/,
  )
  writeFileSync(file, version)
  await (await open(dataDir)).stop()
})

test('a cluster without its password is refused', async () => {
  rmSync(join(dataDir, 'database/superuser-password'))
  await expect(open(dataDir)).rejects.toThrow(/superuser-password is missing: restore it from a backup/)
})

test('what a killed first start left half made is made again', async () => {
  rmSync(join(dataDir, 'database/cluster'), { recursive: true })
  writeFileSync(join(dataDir, 'database/cluster.new'), 'half')
  const again = await open(dataDir)
  expect(await query(again.superuserUrl(), 'SELECT 1 AS one')).toEqual([{ one: 1 }])
  await again.stop()
})

/** A folder of mode 0700 that belongs to a user. */
function prepareFor(folder: string, uid: number): string {
  mkdirSync(folder, { mode: 0o700 })
  if (process.getuid!() === 0) chownSync(folder, uid, uid)
  return folder
}
