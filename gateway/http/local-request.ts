import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/** Tells whether a host name or an address, `[::1]` too, is this machine's own. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:/i, '')
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'))
}

/** Headers that proxies and tunnels add, which reach us from this machine for somebody elsewhere. */
const ofProxies = [
  'forwarded',
  'via',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
]

/**
 * Tells whether somebody at this machine asks for a page: its peer is this machine, and so is the name in its address bar. A page
 * elsewhere whose name was made to lead here has that name still.
 */
export function isLocalRequest({ socket, headers }: IncomingMessage): boolean {
  if (!isLoopback(socket.remoteAddress ?? '') || ofProxies.some((name) => headers[name] !== undefined))
    return false
  return isLoopback((headers.host ?? '').replace(/:\d+$/, ''))
}
