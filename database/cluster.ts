import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Binaries } from './binaries'
import { canReach, type ServerUser } from './server-user'

const run = promisify(execFile)

/**
 * Says where root keeps what the server's user must reach when it cannot reach the data directory (a home of mode
 * 0700).
 */
export const reachableFolder = '/var/lib/tenantgraph'

/** The environment of PostgreSQL's programs: none of ours, which holds secrets. */
export const serverEnvironment =
  process.platform === 'win32' ? undefined : { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/local/bin:/usr/bin:/bin' }

/** A secret kept in a file that only its owner reads; made at the first call. */
export function keptSecret(file: string): string {
  if (!existsSync(file)) {
    const draft = `${file}.new`
    writeFileSync(draft, randomBytes(32).toString('base64url'), { mode: 0o600, flush: true })
    renameSync(draft, file)
  }
  return readFileSync(file, 'utf8').trim()
}

/** The real place of the cluster: inside `folder`, or where a link there leads. */
export function clusterFolder(folder: string): string {
  const place = join(folder, 'cluster')
  return lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(place) : place
}

/**
 * Makes a cluster: UTF-8, ordered by code point and without ICU, so that it sorts the same everywhere; passwords
 * for every connection. It appears under its name only when it is complete.
 * @returns its real place
 */
export async function makeCluster(
  folder: string,
  options: { binaries: Binaries; user: ServerUser | null; password: string; durable: boolean },
): Promise<string> {
  const { binaries, user } = options
  const link = join(folder, 'cluster')
  rmSync(link, { force: true }) // a link that leads nowhere
  const inside = canReach(folder, user)
  const parent = inside ? folder : join(reachableFolder, randomBytes(8).toString('hex'))
  const cluster = join(parent, 'cluster')
  mkdirSync(parent, { recursive: true, mode: 0o755 })
  const unfinished = join(parent, 'cluster.new')
  const passwordFile = join(parent, 'initdb-password')
  const own = (path: string) => user && chownSync(path, user.uid, user.gid)
  try {
    writeFileSync(passwordFile, options.password, { mode: 0o600 })
    own(passwordFile)
    for (const [attempt, locale] of locales(binaries.version).entries()) {
      rmSync(unfinished, { recursive: true, force: true })
      mkdirSync(unfinished, { mode: 0o700 })
      own(unfinished)
      const args = [
        '-D',
        unfinished,
        '-U',
        'postgres',
        '-E',
        'UTF8',
        '-A',
        'scram-sha-256',
        '--pwfile',
        passwordFile,
      ]
      const sync = options.durable ? [] : ['--no-sync']
      try {
        await run(join(binaries.folder, 'initdb'), [...args, ...locale, ...sync, '--no-instructions'], {
          ...user,
          cwd: '/',
          env: serverEnvironment,
        })
        break
      } catch (error) {
        if (attempt < locales(binaries.version).length - 1) continue
        const words = (error as { stderr?: string }).stderr?.trim() || String(error)
        throw new Error(`initdb failed: ${words}`, { cause: error })
      }
    }
  } finally {
    rmSync(passwordFile, { force: true })
  }
  renameSync(unfinished, cluster)
  if (!inside) symlinkSync(cluster, link)
  return cluster
}

/** Makes the folder that holds the cluster. The server's user only passes through it; the secrets in it are 0600. */
export function makeFolder(folder: string, user: ServerUser | null): void {
  try {
    mkdirSync(dirname(folder), { recursive: true })
    mkdirSync(folder, { recursive: true })
    chmodSync(folder, user ? 0o711 : 0o700)
  } catch (error) {
    throw new Error(
      `The database's folder ${folder} cannot be used (${(error as Error).message}): ` +
        'run as the user who owns it, or set DATA_DIR to a folder of yours.',
      { cause: error },
    )
  }
}

/** Case rules for all of Unicode where the version has them without a system locale; bytes' order in any case. */
function locales(version: number): string[][] {
  if (version >= 17) return [['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']]
  return [['--locale=C', '--lc-ctype=C.UTF-8'], ['--locale=C']]
}
