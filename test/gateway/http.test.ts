import { connect } from 'node:net'
import { request as httpRequest } from 'node:http'
import { anonymous } from '../../gateway/operations/viewer'
import { startTestGateway, type TestGateway } from './fixtures/start'

let gateway: TestGateway

beforeEach(async () => {
  gateway = await startTestGateway({ limits: { maxBodyBytes: 10_000 } })
})
afterEach(() => gateway.close())

const json = { 'content-type': 'application/json' }

describe('what is not GraphQL', () => {
  it('is alive', async () => {
    const answer = await gateway.fetch('/healthz')
    expect([answer.status, answer.body]).toEqual([200, { status: 'alive' }])
  })

  it('points to POST at GET /graphql', async () => {
    const pointer = await gateway.fetch('/graphql', { headers: { accept: 'text/html' } })
    expect([pointer.status, pointer.text]).toEqual([404, 'GraphQL answers POST /graphql here.\n'])
  })

  it('answers a fault of its own as a fault, masked and logged', async () => {
    const faulty = await startTestGateway({
      pages: {
        asset: () => undefined,
        at: () => {
          throw new Error('ENOENT /srv/secret/page.html')
        },
      },
    })
    const answer = await faulty.fetch('/graphql', { headers: { accept: 'text/html' } })
    await faulty.close()
    const traceId = answer.headers.get('x-request-id')
    expect([answer.status, answer.body]).toEqual([
      500,
      {
        errors: [
          { message: 'Internal server error', extensions: { code: 'INTERNAL_SERVER_ERROR', traceId } },
        ],
      },
    ])
    expect(faulty.lines.find(({ msg }) => msg === 'request failed')).toMatchObject({ requestId: traceId })
  })

  it.each(['/', '/graphql/', '/graphq', '/../graphql/x'])('knows nothing at %s', async (path) => {
    expect((await gateway.fetch(path)).status).toBe(404)
  })

  it('lets no cache keep an answer', async () => {
    const answer = await gateway.ask('{ asked { userId } }')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })

  it('is ready only when every check and every subgraph answers', async () => {
    let database = true
    let now = 0
    const checked = await startTestGateway({
      clock: { now: () => new Date(now) },
      checks: {
        database: async () => {
          if (!database) throw new Error('connect ECONNREFUSED 10.0.0.7')
        },
      },
    })
    const up = await checked.fetch('/readyz')
    expect([up.status, up.body]).toEqual([
      200,
      { ready: true, checks: { database: 'ok', identity: 'ok', hr: 'ok', finance: 'ok' } },
    ])
    database = false
    now += 1000
    const down = await checked.fetch('/readyz')
    await checked.close()
    expect([down.status, down.body]).toEqual([
      503,
      { ready: false, checks: { database: 'unavailable', identity: 'ok', hr: 'ok', finance: 'ok' } },
    ])
  })

  it('asks its checks once for all who ask within a second whether it is ready', async () => {
    let now = 0
    let asked = 0
    let answer!: () => void
    const checks = { database: () => new Promise<void>((resolve) => (asked++, (answer = resolve))) }
    const checked = await startTestGateway({ clock: { now: () => new Date(now) }, checks })
    const ask = async () => (await checked.fetch('/readyz')).status
    try {
      const first = [ask(), ask(), ask()]
      while (asked === 0) await new Promise((resolve) => setImmediate(resolve))
      // All have arrived once a later request is answered.
      await checked.fetch('/healthz')
      answer()
      expect(await Promise.all(first)).toEqual([200, 200, 200])
      now += 999
      expect([await ask(), asked]).toEqual([200, 1])
      now += 1
      const later = ask()
      while (asked === 1) await new Promise((resolve) => setImmediate(resolve))
      answer()
      expect([await later, asked]).toEqual([200, 2])
      // A clock that was set back keeps no answer for longer.
      now -= 60_000
      const back = ask()
      while (asked === 2) await new Promise((resolve) => setImmediate(resolve))
      answer()
      expect([await back, asked]).toEqual([200, 3])
    } finally {
      await checked.close()
    }
  })
})

describe('metrics', () => {
  it('counts requests, errors by code, and calls of each subgraph', async () => {
    await gateway.ask('{ user(id: "1") { employee { title } } }')
    await gateway.ask('{ boom }')
    await gateway.ask('{ nobody }')
    const lines = (await gateway.fetch('/metrics')).text.split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        'graphql_request_duration_seconds_count{status="200"} 2',
        'graphql_request_duration_seconds_count{status="400"} 1',
        'graphql_requests_in_flight 0',
        'graphql_errors_total{code="INTERNAL_SERVER_ERROR"} 1',
        'graphql_errors_total{code="GRAPHQL_VALIDATION_FAILED"} 1',
        'subgraph_request_duration_seconds_count{subgraph="identity",outcome="ok"} 1',
        'subgraph_request_duration_seconds_count{subgraph="identity",outcome="errors"} 1',
        'subgraph_request_duration_seconds_count{subgraph="hr",outcome="ok"} 1',
      ]),
    )
  })

  it('counts what is under way', async () => {
    const slow = gateway.ask('{ slow }')
    await gateway.state.gate.reached
    expect((await gateway.fetch('/metrics')).text).toContain('\ngraphql_requests_in_flight 1\n')
    gateway.state.gate.release()
    await slow
  })
})

describe('request bodies', () => {
  const tooLarge = 'The request body is larger than 10000 bytes'

  it('refuses one that says it is too large', async () => {
    const answer = await gateway.fetch('/graphql', {
      method: 'POST',
      headers: json,
      body: 'x'.repeat(10_001),
    })
    expect([
      answer.status,
      answer.body.errors?.[0]?.extensions.code,
      answer.body.errors?.[0]?.message,
    ]).toEqual([413, 'BAD_USER_INPUT', tooLarge])
    expect((await gateway.ask('{ __typename }')).status).toBe(200)
  })

  it('refuses one that turns out to be too large, without reading on', async () => {
    const { port, hostname } = new URL(gateway.url)
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(
        { port, hostname, path: '/graphql', method: 'POST', headers: json },
        (response) => {
          resolve(response.statusCode)
          response.resume()
          request.destroy()
        },
      )
      request.on('error', reject)
      request.write('x'.repeat(20_000))
    })
    expect(status).toBe(413)
  })

  it('refuses a compressed one', async () => {
    const headers = { ...json, 'content-encoding': 'gzip' }
    const answer = await gateway.fetch('/graphql', { method: 'POST', headers, body: 'x' })
    expect([answer.status, answer.body.errors?.[0]?.extensions.code]).toEqual([415, 'BAD_USER_INPUT'])
  })

  it('survives one that is cut off', async () => {
    const { port, hostname } = new URL(gateway.url)
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"q',
        )
        socket.end()
        socket.destroy()
      })
      socket.on('close', () => resolve())
    })
    expect((await gateway.ask('{ __typename }')).status).toBe(200)
    await gateway.close()
    const requests = gateway.lines.filter(({ msg }) => msg === 'request')
    expect(requests.map(({ status }) => status).sort()).toEqual([200, 499])
    expect(await gateway.metrics.registry.metrics()).toContain('\ngraphql_requests_in_flight 0\n')
  })

  it('is not brought down by the name of a prototype', async () => {
    const body =
      '{"query":"query($id: ID) { user(id: \\"1\\") { id } }","variables":{"__proto__":{"id":1}},"__proto__":{"query":"x"}}'
    const answer = await gateway.fetch('/graphql', { method: 'POST', headers: json, body })
    expect(answer.status).toBe(400)
    expect(({} as Record<string, unknown>).id).toBeUndefined()
  })
})

describe('the client’s address', () => {
  const query = '{ asked { clientIp } }'
  const headers = { 'x-forwarded-for': '203.0.113.9, 198.51.100.7' }

  it('is the connection’s unless a proxy is trusted', async () => {
    expect((await gateway.ask(query, { headers })).body.data).toEqual({ asked: { clientIp: '127.0.0.1' } })
  })

  it('is what the trusted proxy wrote last', async () => {
    const behind = await startTestGateway({ trustProxy: true })
    const forwarded = await behind.ask(query, { headers })
    const nonsense = await behind.ask(query, { headers: { 'x-forwarded-for': "x' OR 1=1" } })
    await behind.close()
    expect(forwarded.body.data).toEqual({ asked: { clientIp: '198.51.100.7' } })
    expect(nonsense.body.data).toEqual({ asked: { clientIp: null } })
  })

  it('is one and the same for rates, however it is spelled', async () => {
    const behind = await startTestGateway({
      trustProxy: true,
      callersSignIn: true,
      resolveViewer: anonymous,
      rates: { anonymousPerMinute: 20 },
    })
    const ask = (address: string) => behind.ask(query, { headers: { 'x-forwarded-for': address } })
    try {
      expect((await ask('198.51.100.7:4711')).body.data).toEqual({ asked: { clientIp: '198.51.100.7' } })
      for (let n = 0; n < 20; n++) await ask(['::ffff:c633:6407', '[::ffff:198.51.100.7]:80'][n % 2]!)
      expect([(await ask('198.51.100.7')).status, (await ask('198.51.100.8')).status]).toEqual([429, 200])
      for (let n = 0; n < 20; n++) await ask(`[2001:db8::${n}]:80`)
      expect([(await ask('2001:DB8::F')).status, (await ask('2001:db8:0:1::f')).status]).toEqual([429, 200])
    } finally {
      await behind.close()
    }
  })
})

describe('a client that leaves', () => {
  it('cancels what its request started', async () => {
    const controller = new AbortController()
    const asked = gateway.fetch('/graphql', {
      method: 'POST',
      headers: json,
      body: '{"query":"{ slow user(id: \\"1\\") { employee { title } } }"}',
      signal: controller.signal,
    })
    await gateway.state.gate.reached
    const [signal] = gateway.state.signals
    const aborted = new Promise((resolve) => signal?.addEventListener('abort', resolve))
    controller.abort()
    await expect(asked).rejects.toThrow('aborted')
    await aborted
    gateway.state.gate.release()
    await gateway.close()
    // hr would be asked for the employee once identity has answered.
    expect(gateway.state.calls).toEqual(['identity'])
    expect(gateway.lines.find(({ msg }) => msg === 'request')).toMatchObject({ status: 499 })
  })

  it('does not cancel a request that was answered', async () => {
    gateway.state.gate.release()
    await gateway.ask('{ slow }')
    await gateway.close()
    expect(gateway.state.signals.map((signal) => signal?.aborted)).toEqual([false])
  })
})

describe('closing', () => {
  it('lets requests under way finish and takes no new ones', async () => {
    const slow = gateway.ask('{ slow }')
    await gateway.state.gate.reached
    const closed = gateway.close()
    await expect(gateway.ask('{ __typename }')).rejects.toThrow('fetch failed')
    gateway.state.gate.release()
    const answer = await slow
    expect(answer.body).toEqual({ data: { slow: 'done' } })
    expect(answer.headers.get('connection')).toBe('close')
    await closed
  })

  it('cuts off what does not finish in time', async () => {
    const hasty = await startTestGateway({ drainMs: 50 })
    const slow = hasty.ask('{ slow }')
    await hasty.state.gate.reached
    const failed = expect(slow).rejects.toThrow()
    await hasty.close()
    await failed
    hasty.state.gate.release()
    expect(
      hasty.lines.find(({ msg }) => msg === 'requests did not finish in time and are cut off'),
    ).toMatchObject({
      underWay: 1,
    })
  })

  it('does not wait for connections without a request', async () => {
    const { port, hostname } = new URL(gateway.url)
    const socket = connect(Number(port), hostname)
    await new Promise((resolve) => socket.once('connect', resolve))
    const ended = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => undefined)
    socket.resume()
    await gateway.close()
    await ended
  })

  it('can be asked for twice', async () => {
    await Promise.all([gateway.close(), gateway.close()])
  })

  it('names the port that is taken', async () => {
    const port = Number(new URL(gateway.url).port)
    await expect(startTestGateway({ port })).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use`)
  })
})
