import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import type { LoggedEvent } from '../../kernel/events/event-log'
import { LiveStream, type Asked, type LiveStreamOptions } from '../../gateway/live/live-stream'
import { streamForms } from '../../gateway/live/stream-writers'
import type { LiveOperation } from '../../gateway/live/live-operation'

/** A reader that stops reading costs a bounded amount of memory, and learns that it has missed something (G7). */
let server: Server

afterEach(() => new Promise((resolve) => server.close(resolve)))

const operation: LiveOperation = {
  rootKey: 'changed',
  ids: null,
  after: null,
  named: [],
  queryFor: () => ({}) as ReturnType<LiveOperation['queryFor']>,
  changed: () => ({}),
  reset: (cursor) => ({ changed: { kind: 'RESET', cursor } }),
}
const event = (position: number): LoggedEvent => ({
  position,
  id: String(position),
  aggregateType: 'Row',
  aggregateId: `row ${position}`,
  eventType: 'updated',
  payload: {},
  occurredAt: '2026-01-01T00:00:00.000Z',
})

test('what waits for a slow reader is bounded, and ends in one RESET (G7)', async () => {
  let stream!: LiveStream
  let buffered = 0
  const started = new Promise<void>((resolve) => {
    server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': streamForms.sse.type })
      stream = new LiveStream({
        operation,
        response,
        writer: streamForms.sse.writer(response),
        ask: async ({ position }) => {
          buffered = Math.max(buffered, response.writableLength)
          return { result: { data: { position, padding: 'x'.repeat(50_000) } } }
        },
        assertAllowed: async () => {},
        cursorOf: String,
        formatError: (error) => ({ message: String(error) }),
        timing: { lifeMs: 60_000, beatMs: 60_000, stalledMs: 60_000, spreadMs: 0, retryMs: 1000 },
        mostWaiting: 100,
      })
      void stream.run()
      resolve()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nhost: test\r\n\r\n')
  socket.pause()
  await started
  const total = 5000
  for (let position = 1; position <= total; position++) {
    stream.take(event(position))
    stream.position = position
    if (position % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  expect(stream.sent).toBeLessThan(total / 2)
  // One message of 50 kB goes beyond what Node keeps before it says that it is enough.
  expect(buffered).toBeLessThan(150_000)

  let text = ''
  const positions = () => [...text.matchAll(/"position":(\d+)/g)].map(([, position]) => Number(position))
  const done = new Promise<void>((resolve) =>
    socket.on('data', (chunk) => {
      text += chunk.toString()
      if (text.includes(`"position":${total}`)) resolve()
    }),
  )
  socket.resume()
  await done
  socket.destroy()
  const resets = [...text.matchAll(/"kind":"RESET","cursor":"(\d+)"/g)].map(([, cursor]) => Number(cursor))
  expect(resets).toHaveLength(1)
  const [reset] = resets
  // Everything before and behind the gap that RESET tells of came once and in order.
  const before = positions().filter((position) => position <= reset!)
  const behind = positions().filter((position) => position > reset!)
  expect(before).toEqual(before.map((_, place) => place + 1))
  expect(behind).toEqual(behind.map((_, place) => reset! + 1 + place))
  expect([...before, ...behind]).toEqual(positions())
})

/** A stream whose row queries are answered by hand, to a reader that takes what comes. */
async function streamTo(ask: () => Promise<Asked>, parts: Partial<LiveStreamOptions> = {}) {
  let stream!: LiveStream
  const counted: string[] = []
  const started = new Promise<void>((resolve) => {
    server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': streamForms.sse.type })
      stream = new LiveStream({
        operation,
        response,
        writer: streamForms.sse.writer(response),
        ask,
        assertAllowed: async () => {},
        cursorOf: String,
        formatError: (error) => ({ message: String(error) }),
        count: (what) => void counted.push(what),
        timing: { lifeMs: 60_000, beatMs: 20, stalledMs: 50, spreadMs: 0, retryMs: 1000 },
        mostWaiting: 100,
        ...parts,
      })
      void stream.run()
      resolve()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n')
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString()))
  await started
  const tell = (position: number) => {
    stream.take(event(position))
    stream.position = position
  }
  const until = async (found: string) => {
    for (let waits = 0; !text.includes(found) && waits < 1000; waits++)
      await new Promise((resolve) => setTimeout(resolve, 10))
    expect(text).toContain(found)
    return text
  }
  return { stream, counted, tell, until, socket }
}

test('a row that fails each time is passed with a RESET, an outage ends the connection (live 3)', async () => {
  let isFault = true
  const { stream, counted, tell, until } = await streamTo(async () => ({ waitMs: 1, isFault }))
  tell(1)
  const text = await until('"kind":"RESET","cursor":"1"')
  expect(text).toMatch(/retry: \d+\n:\nid: 0\n/)
  expect(counted).toEqual([...Array<string>(5).fill('RETRY'), 'RESET'])
  isFault = false
  tell(2)
  await until(': part of the service does not answer: come again')
  expect(stream.isEnded).toBe(true)
})

test('with other rights, what was passed over ends in a RESET; with the same, in nothing (live 9)', async () => {
  let rights = 1
  const asked = { result: { data: 'shown' } }
  const { stream, tell, until, counted, socket } = await streamTo(async () => asked, {
    mayFollow: () => rights > 1,
    rights: () => rights,
  })
  // More than may wait, and still nothing is told of it.
  for (let position = 1; position <= 200; position++) tell(position)
  await until('id: 200')
  expect(counted).toEqual([])
  rights = 2
  await until('"kind":"RESET","cursor":"200"')
  tell(201)
  await until('shown')
  expect(counted).toEqual(['RESET', 'CHANGED'])
  stream.reconnect('over')
  socket.destroy()
})

test('a stream that was ended before it began sends nothing, and a reader that does not read is left (live 10)', async () => {
  const padding = 'x'.repeat(500_000)
  const { stream, tell, socket } = await streamTo(async () => ({ result: { padding } }))
  socket.pause()
  for (let position = 1; position <= 50; position++) tell(position)
  for (let waits = 0; !stream.isEnded && waits < 1000; waits++)
    await new Promise((resolve) => setTimeout(resolve, 10))
  expect(stream.isEnded).toBe(true)
  const before = stream.sent
  await stream.run()
  tell(51)
  expect(stream.sent).toBe(before)
  socket.destroy()
})
