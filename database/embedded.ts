import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { binariesIn, findBinaries } from './binaries'
import {
  clusterFolder,
  keptSecret,
  makeCluster,
  makeFolder,
  reachableFolder,
  serverEnvironment,
} from './cluster'
import { stopLeftover } from './stale-server'
import { keepRunning } from './keep-running'
import { isHeld, takeLock } from './lock-file'
import { serverUser, type ServerUser } from './server-user'

export interface EmbeddedOptions {
  /** Absolute. The cluster and its secrets are kept in its folder `database`. */
  dataDir: string
  /** A folder with PostgreSQL's programs to use instead of those that came with npm or the system. */
  binaries?: string
  /** false: faster, and a crash of the machine loses the data. Only for tests. */
  durable?: boolean
  /** Further server settings. */
  settings?: Record<string, string>
  log: { info(message: string): void; error(message: string): void }
  /** The server died and could not be started again: the caller cannot go on. */
  onLost?: (error: Error) => void
}

export interface EmbeddedServer {
  port: number
  /** The major version. */
  version: number
  /** The real place of the data. */
  cluster: string
  superuserUrl(database?: string): string
  /** Ends the server in order; resolves when its process is gone. */
  stop(): Promise<void>
}

/** Starting replays what a crash left unwritten, which can take a while. */
const startWithinMs = 300_000
const stopWithinMs = 60_000

/**
 * Starts PostgreSQL on a data directory, making the cluster at the first start. Only loopback, passwords for all.
 * Whatever a killed process left behind is cleaned up first. A server that dies is started again at the same port.
 * @throws when another living process uses the data directory, when no PostgreSQL runs here, or when the cluster
 *   belongs to another version
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const folder = join(options.dataDir, 'database')
  const user = serverUser(clusterFolder(folder))
  makeFolder(folder, user)
  const releaseLock = takeLock(
    join(folder, 'lock'),
    (pid) =>
      `${options.dataDir} is in use by process ${pid}: stop that one first, or set DATA_DIR to another folder.`,
  )
  try {
    const server = await start(folder, user, options)
    return { ...server, stop: () => server.stop().finally(releaseLock) }
  } catch (error) {
    releaseLock()
    throw error
  }
}

/**
 * The server that another living process started on a data directory, for tools that run beside it. Null when
 * there is none. `stop` does nothing: it belongs to that process.
 */
export function attachEmbedded(dataDir: string): EmbeddedServer | null {
  const folder = join(dataDir, 'database')
  if (!isHeld(join(folder, 'lock'))) return null
  const cluster = clusterFolder(folder)
  const lines = postmasterLines(cluster)
  if (lines[7] !== 'ready') return null
  const port = Number(lines[3])
  return {
    port,
    version: Number(readFileSync(join(cluster, 'PG_VERSION'), 'utf8')),
    cluster,
    superuserUrl: superuserUrl(port, readFileSync(join(folder, 'superuser-password'), 'utf8')),
    stop: () => Promise.resolve(),
  }
}

function superuserUrl(port: number, password: string) {
  return (database = 'postgres') => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`
}

async function start(
  folder: string,
  user: ServerUser | null,
  options: EmbeddedOptions,
): Promise<EmbeddedServer> {
  const durable = options.durable ?? true
  const binaries = options.binaries
    ? binariesIn(options.binaries, user)
    : findBinaries(user, user ? reachableFolder : folder)
  const passwordFile = join(folder, 'superuser-password')
  let cluster = clusterFolder(folder)
  if (existsSync(join(cluster, 'PG_VERSION'))) {
    const made = Number(readFileSync(join(cluster, 'PG_VERSION'), 'utf8'))
    if (made !== binaries.version)
      throw new Error(
        `${cluster} was made by PostgreSQL ${made}, and ${binaries.folder} is ${binaries.version}: ` +
          `move the data with pg_dump and a PostgreSQL ${made}, or set DATA_DIR to another folder.`,
      )
    if (!existsSync(passwordFile))
      throw new Error(
        `${passwordFile} is missing: restore it from a backup; ${cluster} cannot be opened without it.`,
      )
    if (await stopLeftover(cluster))
      options.log.info('stopped the PostgreSQL that a killed process left running')
  } else {
    options.log.info(`making a PostgreSQL ${binaries.version} cluster in ${folder}`)
    cluster = await makeCluster(folder, { binaries, user, password: keptSecret(passwordFile), durable })
  }
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    jit: 'off',
    // Failing statements go to their caller. In a log they would show the tenants' values.
    log_min_messages: 'log',
    log_checkpoints: 'off',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...options.settings,
  }
  const logFile = join(folder, 'server.log')
  const program = join(binaries.folder, 'postgres')
  const first = await spawnReady({ program, cluster, settings, user, logFile })
  const { port } = first
  const running = keepRunning(first.child, {
    restart: async () => {
      await stopLeftover(cluster)
      return (await spawnReady({ program, cluster, settings, user, logFile, port })).child
    },
    ended: () => options.log.error(`PostgreSQL ended unexpectedly; its last words are in ${logFile}`),
    restarted: () => options.log.info('PostgreSQL runs again'),
    failed: (error) => options.log.error(`PostgreSQL could not be started again: ${error.message}`),
    lost: options.onLost ?? (() => undefined),
  })
  const onExit = () => void running.child()?.kill('SIGINT')
  process.once('exit', onExit)
  const stop = async () => {
    process.off('exit', onExit)
    const child = await running.release()
    if (!child) return
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    if (child.exitCode !== null || child.signalCode !== null) return
    endFast(child, join(binaries.folder, 'pg_ctl'), cluster)
    const timer = setTimeout(() => child.kill('SIGQUIT'), stopWithinMs)
    await gone
    clearTimeout(timer)
  }
  let stopping: Promise<void> | undefined
  return {
    port,
    version: binaries.version,
    cluster,
    superuserUrl: superuserUrl(port, keptSecret(passwordFile)),
    stop: () => (stopping ??= stop()),
  }
}

async function spawnReady(server: {
  program: string
  cluster: string
  settings: Record<string, string>
  user: ServerUser | null
  logFile: string
  /** Default: a free one. */
  port?: number
}): Promise<{ child: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = server.port ?? (await freePort())
    const args = Object.entries({ ...server.settings, port }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ])
    // A server that is started again tells beneath the last words of the one before.
    const log = openSync(server.logFile, server.port ? 'a' : 'w', 0o600)
    const child = spawn(server.program, ['-D', server.cluster, ...args], {
      ...server.user,
      cwd: '/',
      env: serverEnvironment,
      // A session of its own: Ctrl-C must reach us first, or requests under way would lose their database.
      detached: true,
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    const failure = await readiness(child, server.cluster)
    if (failure === null) return { child, port }
    const words = `${failure}\n${readFileSync(server.logFile, 'utf8').slice(-2000)}`.trim()
    // Somebody else took the port meanwhile.
    if (attempt < 5 && /could not bind/i.test(words)) continue
    throw new Error(`PostgreSQL did not start: ${words}`)
  }
}

/** Waits until the server takes connections. Returns null then, or what went wrong. */
async function readiness(child: ChildProcess, cluster: string): Promise<string | null> {
  let failure: string | null = null
  child.once('error', (error) => (failure = error.message))
  child.once('exit', (code, signal) => (failure = `ended with ${code ?? signal}`))
  for (let waited = 0; waited < startWithinMs; waited += 20) {
    if (failure !== null) return failure
    const lines = postmasterLines(cluster)
    if (Number(lines[0]) === child.pid && lines[7] === 'ready') return null
    await sleep(20)
  }
  child.kill('SIGQUIT')
  return `not ready after ${startWithinMs / 1000} s`
}

/** Returns what the server writes about itself: line 1 is its process, 4 its port, 8 its state. */
function postmasterLines(cluster: string): string[] {
  const file = join(cluster, 'postmaster.pid')
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
}

function endFast(child: ChildProcess, pgCtl: string, cluster: string): void {
  // Windows has no signals: there the control program asks.
  if (process.platform === 'win32') spawnSync(pgCtl, ['stop', '-D', cluster, '-m', 'fast'])
  else child.kill('SIGINT')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
