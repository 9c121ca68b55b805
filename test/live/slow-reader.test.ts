import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import type { LoggedEvent } from '../../kernel/events/event-log'
import { LiveStream } from '../../gateway/live/live-stream'
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
        timing: { lifeMs: 60_000, beatMs: 60_000, stalledMs: 60_000 },
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
