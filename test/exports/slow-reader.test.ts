import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as passed } from 'node:timers/promises'
import { createHttpServer } from '../../gateway/http/http-server'
import type { HttpResponse } from '../../gateway/http/http-response'
import { createMetrics } from '../../gateway/http/metrics'
import { noRates } from '../../gateway/operations/rates'
import { anonymous } from '../../gateway/operations/viewer'
import { systemClock } from '../../kernel/clock'
import { memoryLog } from '../gateway/fixtures/start'

const readerMs = 150
let server: Server
let socket: Socket
afterEach(async () => {
  socket.destroy()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

interface Sent {
  /** Resolves when the export has let go of what it held. */
  ended: Promise<void>
  /** Counts the pieces that were asked for. */
  made: () => number
  lines: Record<string, unknown>[]
}

/** Asks for a file over a connection of its own, which reads nothing until it is told. */
async function ask(chunks: () => AsyncIterable<string>, longestMs?: number): Promise<Sent> {
  const { log, lines } = memoryLog()
  let pieces = 0
  let end: () => void = () => undefined
  const ended = new Promise<void>((resolve) => (end = resolve))
  async function* counted() {
    for await (const chunk of chunks()) {
      pieces++
      yield chunk
    }
  }
  const answer = { status: 200, type: 'text/csv', body: '' }
  server = createHttpServer({
    front: {
      answer: async (): Promise<HttpResponse> => ({
        ...answer,
        stream: { chunks: counted(), end, longestMs },
      }),
    },
    ...{ resolveViewer: anonymous, clock: systemClock, log, maxBodyBytes: 1000, rates: noRates },
    ...{ callersSignIn: false, checks: {}, metrics: createMetrics(), trustProxy: false, times: { readerMs } },
    formatError: () => ({}),
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.pause()
  socket.on('error', () => undefined)
  socket.write(
    'POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}',
  )
  return { ended, made: () => pieces, lines }
}

async function* many(count: number, ms = 0) {
  for (let piece = 0; piece < count; piece++) {
    if (ms > 0) await passed(ms)
    yield 'x'.repeat(ms > 0 ? 10 : 300_000)
  }
}

/** Reads to the end; the last chunk says whether the answer was whole. */
async function read(): Promise<string> {
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part))
  socket.resume()
  await once(socket, 'close')
  return Buffer.concat(parts).toString('latin1')
}

test('dash 6: who takes nothing of a file is given up, and what it held is free', async () => {
  const { ended, made } = await ask(() => many(1000))
  await ended
  // The kernel takes the first pieces for the client.
  expect(made()).toBeGreaterThan(1)
  expect(made()).toBeLessThan(1000)
  expect(await read()).not.toMatch(/\r\n0\r\n\r\n$/)
})

test('dash 6: the last piece too is taken in time, or not waited for', async () => {
  const { ended, made } = await ask(async function* () {
    yield 'x'.repeat(30_000_000)
  })
  await ended
  expect(made()).toBe(1)
  expect(await read()).not.toMatch(/\r\n0\r\n\r\n$/)
})

test('dash 6: nobody who reads is given up because a piece takes long to make, and a file that ends well is whole', async () => {
  const { ended, lines } = await ask(() => many(3, 2 * readerMs))
  const text = await read()
  await ended
  expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(text.match(/x{10}/g)).toHaveLength(3)
  expect(text).toMatch(/\r\n0\r\n\r\n$/)
  expect(lines.filter(({ msg }) => msg === 'an answer broke off')).toEqual([])
})

test('dash 6: a file that is taken in sips is broken off when its time is over', async () => {
  const { ended } = await ask(() => many(1000, 20), 200)
  const text = await read()
  await ended
  expect(text).toMatch(/x{10}/)
  expect(text).not.toMatch(/\r\n0\r\n\r\n$/)
})

test('a fault on the way breaks the connection off and is logged; a client that left is no fault', async () => {
  const broken = await ask(async function* () {
    yield 'x'.repeat(10)
    throw new Error('the list is gone')
  })
  expect(await read()).not.toMatch(/\r\n0\r\n\r\n$/)
  await broken.ended
  expect(broken.lines.filter(({ msg }) => msg === 'an answer broke off')).toMatchObject([
    { err: { message: 'the list is gone' } },
  ])
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  const left = await ask(() => many(1000, 20))
  socket.resume()
  await once(socket, 'data')
  socket.destroy()
  await left.ended
  expect(left.lines.filter(({ msg }) => msg === 'an answer broke off')).toEqual([])
})
