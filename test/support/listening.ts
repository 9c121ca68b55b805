import type { ChildProcess } from 'node:child_process'
import { connect } from 'node:net'

/**
 * Resolves when a program takes connections on a port of the loopback.
 * @throws when it cannot be started, or ends before
 */
export async function listening(child: ChildProcess, port: number): Promise<void> {
  const program = child.spawnfile
  let failed: Error | undefined
  child
    .once(
      'error',
      (error) => (failed = new Error(`${program} does not start (${String(error)}): install it`)),
    )
    .once('exit', (code, signal) => (failed ??= new Error(`${program} ended at once with ${signal ?? code}`)))
  while (!failed) {
    const socket = connect(port, '127.0.0.1')
    const connected = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (connected && !failed) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw failed
}
