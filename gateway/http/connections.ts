import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { addressOf, networkOf } from '../../kernel/process/network-address'

/** Says how many connections may be open at once. */
export interface ConnectionLimits {
  total: number
  /** From one network address; a trusted proxy is one address for everybody, and counts them itself. */
  perAddress: number
}

/** Milliseconds that a client may take to send a request and to read an answer, and how often the server looks. */
export interface RequestTimes {
  headersMs: number
  /** Headers and body. */
  requestMs: number
  /** A piece of an answer that comes in pieces. */
  readerMs: number
  checkMs: number
}

export const defaultConnections: ConnectionLimits = { total: 10_000, perAddress: 2000 }

/** Long enough for a bad line, too short to hold connections for nothing; Node looks every 30 s unless told. */
export const defaultTimes: RequestTimes = {
  headersMs: 15_000,
  requestMs: 30_000,
  readerMs: 30_000,
  checkMs: 1000,
}

/** Ends new connections beyond the limits before anything is read from them. */
export function limitConnections(server: Server, { total, perAddress }: ConnectionLimits): void {
  server.maxConnections = total
  const open = new Map<string, number>()
  server.prependListener('connection', (socket: Socket) => {
    const address = networkOf(addressOf(socket.remoteAddress ?? ''))
    const others = open.get(address) ?? 0
    if (others >= perAddress) return void socket.destroy()
    open.set(address, others + 1)
    socket.once('close', () => {
      const left = open.get(address)! - 1
      if (left > 0) open.set(address, left)
      else open.delete(address)
    })
  })
}

/**
 * Holds what is read and thrown away of a body that is refused, so that the client reads the answer instead of an
 * error.
 */
const drained = { bytes: 16 * 1024 * 1024, ms: 5000 }

/** Tells whether a request has a body that was not read to its end. */
export function isUnread({ complete, headers }: IncomingMessage): boolean {
  const hasBody = Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined
  return hasBody && !complete
}

/**
 * Ends an answer that is written while its request is still being sent. A connection closed at once would be reset, and
 * the client would lose the answer with it.
 */
export function endAfterRequest(request: IncomingMessage, response: ServerResponse): void {
  let left = drained.bytes
  const end = () => {
    clearTimeout(timer)
    request.off('data', count)
    response.end()
  }
  const count = (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) end()
  }
  const timer = setTimeout(end, drained.ms).unref()
  request.on('error', () => undefined)
  request.once('end', end)
  request.once('close', end)
  request.on('data', count)
  request.resume()
}

/**
 * Sends an answer a piece at a time, each when the one before was taken, and ends it. Ends too when the client leaves; gives a
 * client up that does not take a piece in time, the last one included.
 *
 * @throws what making a piece does
 */
export async function sendAsTaken(
  response: ServerResponse,
  chunks: AsyncIterable<string>,
  readerMs: number,
): Promise<void> {
  for await (const chunk of chunks) {
    if (response.destroyed) return
    if (response.write(chunk)) continue
    await within(response, 'drain', readerMs)
    if (response.destroyed) return
  }
  if (response.destroyed) return
  response.end()
  await within(response, 'finish', readerMs)
}

/** Waits until something happens to an answer, or it is over; breaks it off when that takes too long. */
function within(response: ServerResponse, event: 'drain' | 'finish', ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), ms)
    const done = () => {
      clearTimeout(timer)
      response.off(event, done).off('close', done)
      resolve()
    }
    response.on(event, done).on('close', done)
  })
}
