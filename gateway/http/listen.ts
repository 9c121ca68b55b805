import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from '../../kernel/process/log'

/**
 * @param port 0 = any free one
 * @returns the URL of the GraphQL endpoint
 * @throws Error that says what to do when the port is taken
 */
export async function listen(server: Server, port: number, host: string): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = `Port ${port} on ${host} is in use: stop what uses it, or choose another with PORT or --port`
      reject(error.code === 'EADDRINUSE' ? new Error(taken) : error)
    })
    server.listen(port, host, resolve)
  })
  const address = server.address() as AddressInfo
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}/graphql`
}

/**
 * Follows the requests of a server so that it can be closed in order.
 *
 * @returns stops accepting, waits at most `ms` milliseconds for requests under way, then ends every connection:
 *   browsers keep some open that never carried a request
 */
export function drainable(server: Server, log: Logger): (ms: number) => Promise<void> {
  let underWay = 0
  let onIdle: (() => void) | undefined
  server.prependListener('request', (_request, response) => {
    underWay++
    response.once('close', () => {
      underWay--
      if (underWay === 0) onIdle?.()
    })
  })
  return async (ms) => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      onIdle = resolve
      timer = setTimeout(resolve, ms)
      if (underWay === 0) resolve()
    })
    clearTimeout(timer)
    if (underWay > 0) log.warn({ underWay }, 'requests did not finish in time and are cut off')
    server.closeAllConnections()
    await closed
  }
}
