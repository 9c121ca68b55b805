import { execFileSync, spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'

/** The user PostgreSQL runs as when it cannot run as us: it refuses root. */
export interface ServerUser {
  uid: number
  gid: number
}

/**
 * As root: who owns the cluster already, else `postgres`, else `nobody`. As anybody else null: PostgreSQL runs as we do.
 * @param cluster the data folder, which may not exist yet
 */
export function serverUser(cluster: string): ServerUser | null {
  if (process.getuid?.() !== 0) return null
  const owner = statSync(cluster, { throwIfNoEntry: false })
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid }
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) =>
        Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      continue // no such user here
    }
  }
  throw new Error(
    'PostgreSQL does not run as root, and this machine has neither a user "postgres" nor "nobody": ' +
      'run as an ordinary user, or set DATABASE_URL to a PostgreSQL server.',
  )
}

/** Tells whether the server's user can reach a folder: every folder above must let it through. */
export function canReach(folder: string, user: ServerUser | null): boolean {
  if (!user) return true
  return spawnSync('sh', ['-c', 'cd "$1"', 'sh', folder], { ...user, cwd: '/', stdio: 'ignore' }).status === 0
}
