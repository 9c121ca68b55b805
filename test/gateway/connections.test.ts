import { request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { startTestGateway, type TestGateway } from './fixtures/start'

let gateway: TestGateway
afterEach(() => gateway.close())

/** An open connection, and everything that came over it when it ends. */
function open(send = ''): { socket: Socket; ended: Promise<string> } {
  const { port, hostname } = new URL(gateway.url)
  const socket = connect(Number(port), hostname)
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  socket.on('error', () => undefined)
  socket.once('connect', () => socket.write(send))
  return { socket, ended: new Promise((resolve) => socket.once('close', () => resolve(text))) }
}
const head = (length: number) =>
  `POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`

describe('L6 a client that sends slowly', () => {
  test.each([
    ['headers', 'POST /graphql HTTP/1.1\r\nHost: x\r\n'],
    ['a body', `${head(100)}{"q`],
  ])('%s is ended after the stated time, not when the server happens to look', async (_what, sent) => {
    gateway = await startTestGateway({ times: { headersMs: 200, requestMs: 200, checkMs: 50 } })
    const began = performance.now()
    expect(await open(sent).ended).toMatch(/^HTTP\/1\.1 408 /)
    // Node looks every 30 seconds unless it is told.
    expect(performance.now() - began).toBeLessThan(15_000)
    expect((await gateway.ask('{ __typename }')).status).toBe(200)
  })
})

describe('L6 connections', () => {
  const get = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
  const answered = ({ socket }: { socket: Socket }) =>
    new Promise<void>((resolve) => socket.once('data', () => resolve()))

  test.each([{ perAddress: 2 }, { total: 2 }])(
    'are no more than %j; one that ends makes room',
    async (connections) => {
      gateway = await startTestGateway({ connections })
      const first = open(get)
      await answered(first)
      const second = open(get)
      await answered(second)
      expect(await open(get).ended).toBe('')
      first.socket.destroy()
      await first.ended
      // The server sees the end a moment after the client.
      let again: string | null = ''
      while (again === '') {
        const next = open(get)
        again = await Promise.race([next.ended, answered(next).then(() => null)])
        next.socket.destroy()
      }
      expect(again).toBeNull()
      second.socket.destroy()
    },
  )

  test('of a trusted proxy are not counted by address', async () => {
    gateway = await startTestGateway({ connections: { perAddress: 1 }, trustProxy: true })
    const all = [open(get), open(get), open(get)]
    await Promise.all(all.map(answered))
    for (const { socket } of all) socket.destroy()
  })
})

describe('L7 a body that is too large', () => {
  const large = 10 * 1024 * 1024

  /** Sends it whole, whatever comes back, as most clients do. */
  function sent(headers: Record<string, string | number>, expectContinue = false) {
    const { port, hostname } = new URL(gateway.url)
    return new Promise<{ status?: number; body: string; wrote: number }>((resolve, reject) => {
      let wrote = 0
      const request = httpRequest({
        port,
        hostname,
        path: '/graphql',
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
      })
      request.on('error', reject)
      request.on('response', (response) => {
        let body = ''
        response.on('data', (chunk: Buffer) => (body += chunk.toString()))
        response.on('end', () => resolve({ status: response.statusCode, body, wrote }))
        response.on('error', reject)
      })
      const write = () => {
        wrote = large
        request.end('x'.repeat(large))
      }
      if (expectContinue) request.on('continue', write)
      else write()
      if (expectContinue) request.flushHeaders()
    })
  }

  test.each<[string, Record<string, string | number>]>([
    ['with its length', { 'content-length': large }],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ])('%s is refused so that the client can read it', async (_how, headers) => {
    gateway = await startTestGateway()
    const { status, body } = await sent(headers)
    expect([status, JSON.parse(body)]).toEqual([
      413,
      {
        errors: [
          {
            message: 'The request body is larger than 1048576 bytes',
            extensions: { code: 'BAD_USER_INPUT', traceId: expect.any(String) },
          },
        ],
      },
    ])
    expect((await gateway.ask('{ __typename }')).status).toBe(200)
  })

  test('is not sent at all by a client that asks before', async () => {
    gateway = await startTestGateway()
    const headers = { 'content-length': large, expect: '100-continue' }
    expect(await sent(headers, true)).toMatchObject({ status: 413, wrote: 0 })
    const query = '{"query":"{ __typename }"}'
    const { socket } = open()
    const answer = new Promise<string>((resolve) => {
      let text = ''
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        if (text.startsWith('HTTP/1.1 100')) socket.write(query)
        if (text.includes('__typename')) resolve(text)
      })
    })
    socket.write(head(query.length).replace('Host', 'Expect: 100-continue\r\nHost'))
    expect(await answer).toContain('{"data":{"__typename":"Query"}}')
    socket.destroy()
  })
})
