import { startGraph, type TestGraph } from '../support/graph'
import { change, userErrors } from '../support/lists'
import { hour, meteringOf } from './metering'

let graph: TestGraph

beforeAll(async () => (graph = await startGraph()))
afterAll(() => graph?.close())

const { subscriber, stored, used, batch } = meteringOf(() => graph)

describe('T2: a limit', () => {
  test('that refuses is kept by a hundred at once, and warns from 80 % on', async () => {
    const one = await subscriber({ API_CALLS: { limit: '10', beyond: 'REFUSE' } })
    const selection = 'usage { used limit level }'
    const levels: string[] = []
    for (let place = 0; place < 8; place++) {
      const usage = await change<{ level: string }>(one.meter, 'recordUsage', one.reading(), selection)
      levels.push(usage.level)
    }
    expect(levels).toEqual([...Array<string>(7).fill('WITHIN'), 'NEAR'])
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => userErrors(one.meter, 'recordUsage', one.reading())),
    )
    expect(answers.filter((errors) => errors.length === 0)).toHaveLength(2)
    expect(new Set(answers.flat().map(({ code, field }) => `${code} ${field?.join()}`))).toEqual(
      new Set(['LIMIT_REACHED quantity']),
    )
    expect(await stored(one)).toHaveLength(10)
    expect(await used(one, 'API_CALLS')).toEqual({ used: '10', limit: '10', level: 'REACHED' })
    const { rows } = await graph.owner.query<{ event_type: string; payload: object }>(
      `SELECT event_type, payload FROM shared.outbox_events
        WHERE tenant_id = $1 AND event_type LIKE 'tenancy.usage%' ORDER BY id`,
      [one.tenant.id],
    )
    expect(rows).toEqual([
      { event_type: 'tenancy.usage-near-limit', payload: { meter: 'API_CALLS' } },
      { event_type: 'tenancy.usage-limit-reached', payload: { meter: 'API_CALLS' } },
    ])
  })

  test('that bills beyond it takes everything', async () => {
    const one = await subscriber({ API_CALLS: { limit: '10', beyond: 'OVERAGE' } })
    const usage = await change(
      one.meter,
      'recordUsage',
      one.reading({ quantity: '25' }),
      'usage { used limit level }',
    )
    expect(usage).toEqual({ used: '25', limit: '10', level: 'REACHED' })
  })

  test('of people counts each once, and refuses another one alone', async () => {
    const one = await subscriber({ ACTIVE_USERS: { limit: '2', beyond: 'REFUSE' } })
    const person = (subject: string) => one.reading({ meter: 'ACTIVE_USERS', properties: { subject } })
    const { results } = await batch(one, ['ada', 'bo', 'ada', 'cy', 'bo'].map(person))
    expect(results.map(({ userErrors: [error] }) => error?.code ?? null)).toEqual([
      null,
      null,
      null,
      'LIMIT_REACHED',
      null,
    ])
    expect(await userErrors(one.meter, 'recordUsage', person('di'))).toMatchObject([
      { code: 'LIMIT_REACHED' },
    ])
    expect(await userErrors(one.meter, 'recordUsage', person('ada'))).toEqual([])
    expect(await used(one, 'ACTIVE_USERS')).toEqual({ used: '2', limit: '2', level: 'REACHED' })
  })

  test('is that of its period: the next one begins at nothing', async () => {
    const one = await subscriber({ API_CALLS: { limit: '5', beyond: 'REFUSE' } })
    await change(one.meter, 'recordUsage', one.reading({ quantity: '5' }), 'usageRecord { id }')
    expect(await userErrors(one.meter, 'recordUsage', one.reading())).toMatchObject([
      { code: 'LIMIT_REACHED' },
    ])
    // The day before the present period: within 35 days, as a month is shorter.
    const [{ periodStart }] = (
      await one.admin.data<{ usageSummary: [{ periodStart: string }] }>('{ usageSummary { periodStart } }')
    ).usageSummary
    const before = new Date(Date.parse(periodStart) - hour).toISOString()
    await change(
      one.meter,
      'recordUsage',
      one.reading({ quantity: '4', occurredAt: before }),
      'usageRecord { id }',
    )
    expect(await used(one, 'API_CALLS', `on: "${before.slice(0, 10)}"`)).toMatchObject({
      used: '4',
      level: 'NEAR',
    })
    expect(await used(one, 'API_CALLS')).toMatchObject({ used: '5', level: 'REACHED' })
  })
})
