import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../support/free-port'
import { listening } from '../support/listening'

export interface Bouncer {
  /** The same database, by way of the pooler. */
  through(url: string): string
  stop(): Promise<void>
}

/**
 * PgBouncer in transaction mode before the test server: every transaction may run on another server connection, of
 * which there are two per role.
 * @param urls of the roles that may come through it, all to one server
 */
export async function startBouncer(urls: readonly string[]): Promise<Bouncer> {
  const roles = urls.map((url) => new URL(url))
  const server = roles[0]!
  const folder = mkdtempSync(join(tmpdir(), 'pgbouncer-'))
  const port = await freePort()
  const isRoot = process.getuid?.() === 0
  const users = join(folder, 'users.txt')
  const settings = join(folder, 'pgbouncer.ini')
  writeFileSync(users, roles.map(({ username, password }) => `"${username}" "${password}"\n`).join(''))
  writeFileSync(
    settings,
    `[databases]
* = host=127.0.0.1 port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = transaction
default_pool_size = 2
max_client_conn = 200
`,
  )
  // It refuses to run as root.
  for (const path of [folder, users, settings]) chmodSync(path, 0o755)
  const child = spawn('pgbouncer', [...(isRoot ? ['-u', 'nobody'] : []), settings], { stdio: 'ignore' })
  await listening(child, port)
  return {
    through(original) {
      const pooled = new URL(original)
      pooled.port = String(port)
      return pooled.href
    },
    async stop() {
      const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : undefined
      child.kill('SIGTERM')
      await gone
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
