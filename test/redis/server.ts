import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../support/free-port'
import { listening } from '../support/listening'

/** A redis-server of its own for a test file. */
export interface RedisServer {
  url: string
  start(): Promise<void>
  /** Kills it as a crash would. */
  kill(): Promise<void>
  /** It keeps its connections and answers nothing until `resume`. */
  freeze(): void
  resume(): void
  stop(): Promise<void>
}

/** Starts redis-server on a free port of the loopback, with a password and without persistence. */
export async function startRedis(password: string): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), 'redis-test-'))
  const port = await freePort()
  let child: ChildProcess | undefined

  const server: RedisServer = {
    url: `redis://:${password}@127.0.0.1:${port}`,
    async start() {
      const settings = ['--port', port, '--bind', '127.0.0.1', '--requirepass', password, '--dir', folder]
      child = spawn('redis-server', [...settings.map(String), '--save', '', '--appendonly', 'no'], {
        stdio: 'ignore',
      })
      await listening(child, port)
    },
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
    freeze: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    async stop() {
      await server.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}
