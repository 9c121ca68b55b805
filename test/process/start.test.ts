import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { projectRoot } from '../../kernel/process/config'

/** `npm start` as a newcomer runs it: a data directory of its own, any free port. */
const dataDir = mkdtempSync(join(tmpdir(), 'start-'))
const running = new Set<ChildProcess>()

afterEach(async () => {
  for (const child of running) await stop(child, 'SIGKILL')
})
afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

interface Started {
  child: ChildProcess
  url: string
  output: () => string
}

/** Starts the product and waits for its ready line. `npm` and everything below it form a process group. */
async function start(): Promise<Started> {
  const child = spawn('npm', ['start', '--silent'], {
    cwd: projectRoot,
    env: { ...process.env, NODE_ENV: 'development', DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'warn' },
    detached: true,
  })
  running.add(child)
  let output = ''
  const ready = new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString()
      const url = /^ready (\S+)$/m.exec(output)?.[1]
      if (url) resolve(url)
    }
    child.stdout!.on('data', read)
    child.stderr!.on('data', read)
    child.once('exit', (code) => reject(new Error(`npm start ended with ${code}:\n${output}`)))
  })
  return { child, url: await ready, output: () => output }
}

/** Sends the signal and waits for the end of npm itself. */
async function stop(
  child: ChildProcess,
  signal: NodeJS.Signals,
  group = signal === 'SIGKILL',
): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const ended = once(child, 'exit') as Promise<[number | null]>
  process.kill(group ? -child.pid! : child.pid!, signal)
  running.delete(child)
  return (await ended)[0]
}

const accessToken = /^[\w-]+\.[\w-]+\.[\w-]+$/

async function signIn(url: string, user = 'viewer'): Promise<string | undefined> {
  const query = `mutation { signIn(input: { tenant: "acme", email: "${user}@acme.example", password: "demo-password" }) { accessToken } }`
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  })
  return ((await response.json()) as { data?: { signIn?: { accessToken?: string } } }).data?.signIn
    ?.accessToken
}

const answers = async (url: string): Promise<boolean> =>
  fetch(url.replace('/graphql', '/healthz')).then(
    () => true,
    () => false,
  )

it('starts with demo data, stops on SIGTERM to npm, keeps everything after kill -9, stops on Ctrl-C', async () => {
  const first = await start()
  expect(first.output()).toMatch(/^demo data of acme: /m)
  expect(await signIn(first.url)).toMatch(accessToken)
  expect(await stop(first.child, 'SIGTERM')).toBe(0)
  expect(await answers(first.url)).toBe(false)

  const second = await start()
  expect(second.output()).not.toContain('demo data')
  expect(await signIn(second.url)).toMatch(accessToken)
  await stop(second.child, 'SIGKILL')

  const third = await start()
  expect(await signIn(third.url)).toMatch(accessToken)
  // A terminal sends Ctrl-C to the whole group: npm, its shell and the server.
  expect(await stop(third.child, 'SIGINT', true)).toBe(0)
  expect(await answers(third.url)).toBe(false)
})

const cluster = () => realpathSync(join(dataDir, 'database', 'cluster'))
const killPostgres = () => {
  const pid = Number(readFileSync(join(cluster(), 'postmaster.pid'), 'utf8').split('\n')[0])
  process.kill(pid, 'SIGKILL')
}

it('O4: serves again after its PostgreSQL was killed, and has every write that it acknowledged', async () => {
  const { child, url } = await start()
  const token = (await signIn(url, 'hr'))!
  const send = async (query: string): Promise<Record<string, Record<string, unknown>> | undefined> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query }),
    })
    return ((await response.json()) as { data?: Record<string, Record<string, unknown>> }).data
  }
  const acknowledged: string[] = []
  let writing = true
  const writer = async (name: string) => {
    for (let number = 0; writing; number += 1) {
      const input = `{ name: "${name} ${number}" }`
      const data = await send(`mutation { createDepartment(input: ${input}) { department { name } } }`)
      const made = data?.['createDepartment']?.['department'] as { name: string } | undefined
      if (made) acknowledged.push(made.name)
      else await sleep(20)
    }
  }
  const writers = ['One', 'Two', 'Three'].map(writer)
  while (acknowledged.length < 20) await sleep(20)
  killPostgres()
  const before = acknowledged.length
  while (acknowledged.length < before + 20) await sleep(20)
  writing = false
  await Promise.all(writers)
  for (const name of acknowledged) {
    const found = await send(`{ departments(filter: { name: { eq: "${name}" } }) { totalCount } }`)
    expect([name, found?.['departments']?.['totalCount']]).toEqual([name, 1])
  }
  expect(await stop(child, 'SIGTERM')).toBe(0)
})

it('O4: ends with 1 where its PostgreSQL cannot be started again, so that a supervisor acts', async () => {
  const { child } = await start()
  const ended = once(child, 'exit')
  renameSync(join(cluster(), 'global'), join(cluster(), 'elsewhere'))
  killPostgres()
  expect(await ended).toEqual([1, null])
  running.delete(child)
  renameSync(join(cluster(), 'elsewhere'), join(cluster(), 'global'))
})
