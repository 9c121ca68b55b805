import { dayAfter, periodStart } from '../../subgraphs/tenancy/rules/period'
import { change, userErrors } from '../support/lists'
import { operatorClient, operatorIn } from '../support/operator'
import { billingOf, startBilling, type Subscriber } from './billed'

let started: Awaited<ReturnType<typeof startBilling>>

beforeAll(async () => (started = await startBilling()))
afterAll(() => started?.graph.close())

const { subscriber, bill, travel, invoices, preview, lastLines, act, setTax, record, todayOf } = billingOf(
  () => started,
)
const owner = () => started.graph.owner
const fees = ['STARTER, fee: 49.00', 'STARTER, seats: 18.00']
const totals = async (one: Subscriber) => (await invoices(one)).map(({ total }) => total.amount)

describe('tax', () => {
  test('is what the operator decided: before, nothing is billed, and operators see why; then all of it, once', async () => {
    const one = await subscriber({}, null)
    expect(await preview(one)).toMatchObject({ isTaxDecided: false, total: { amount: '67.00' } })
    const fault = 'No tax is decided for this tenant: set it with setTenantTax'
    for (let run = 0; run < 2; run++) expect(await bill(one)).toBe(fault)
    expect(await invoices(one)).toEqual([])
    const operator = await operatorClient(started.graph, 'faults')
    const faults = `{ platformTenants(filter: { billingFault: { isNull: false } }) { nodes { slug billingFault } } }`
    expect(await operator.data(faults)).toEqual({
      platformTenants: { nodes: [{ slug: one.tenant.slug, billingFault: fault }] },
    })
    await setTax(one, { rate: '19' })
    expect(await bill(one)).toBeNull()
    expect(await totals(one)).toEqual(['79.73'])
    expect(await lastLines(one)).toEqual(fees)
    expect(await operator.data(faults)).toEqual({ platformTenants: { nodes: [] } })
  })

  test('of reverse charge states why and the tax id; each line keeps it', async () => {
    const reason = 'Reverse charge: the recipient owes the tax (Article 196 of Directive 2006/112/EC)'
    const one = await subscriber({}, { treatment: 'REVERSE_CHARGE', taxId: 'ATU12345678', reason })
    await bill(one)
    const { invoices: list } = await one.admin.data<{ invoices: { nodes: object[] } }>(
      `{ invoices { nodes { tax { amount } buyer { vatNumber } taxBreakdown { rate reason net { amount } }
         lines { nodes { taxRate taxTreatment taxReason } } } } }`,
    )
    const line = { taxRate: '0', taxTreatment: 'REVERSE_CHARGE', taxReason: reason }
    expect(list.nodes).toEqual([
      {
        ...{ tax: { amount: '0.00' }, buyer: { vatNumber: 'ATU12345678' } },
        taxBreakdown: [{ rate: '0', reason, net: { amount: '67.00' } }],
        lines: { nodes: [line, line] },
      },
    ])
  })

  test.each([
    [
      'a rate with reverse charge',
      { treatment: 'REVERSE_CHARGE', rate: '19', taxId: 'X', reason: 'R' },
      'rate',
    ],
    ['a rate above 100', { treatment: 'STANDARD', rate: '101' }, 'rate'],
    ['reverse charge without tax id', { treatment: 'REVERSE_CHARGE', reason: 'R' }, 'taxId'],
    ['no tax without reason', { treatment: 'EXEMPT' }, 'reason'],
    ['a day on which one begins already', { rate: '7', treatment: 'STANDARD' }, 'validFrom'],
    ['a day in the past', { rate: '7', treatment: 'STANDARD', validFrom: '2026-01-01' }, 'validFrom'],
  ])('%s is refused, and changes nothing', async (_, input, field) => {
    const one = await subscriber({}, { rate: '19' })
    const inside = await operatorIn(started.graph, one.tenant)
    expect(await userErrors(inside, 'setTenantTax', input)).toMatchObject([
      { code: field === 'validFrom' && !('validFrom' in input) ? 'DUPLICATE' : 'INVALID', field: [field] },
    ])
    const taxes = '{ tenant { taxes { validFrom rate treatment taxId reason } } }'
    expect(await one.admin.data(taxes)).toEqual({
      tenant: {
        taxes: [{ validFrom: todayOf(one), rate: '19', treatment: 'STANDARD', taxId: null, reason: null }],
      },
    })
  })
})

test('a void invoice of the job is billed again, once, by what its lines said', async () => {
  const one = await subscriber({}, { rate: '19' })
  await record(one, '30000')
  await bill(one)
  const inside = await operatorIn(started.graph, one.tenant)
  const revoke = async () => {
    const { id, version } = (await invoices(one)).at(-1)!
    await change(
      inside,
      'voidInvoice',
      { id, expectedVersion: version, reason: 'Wrong address' },
      'invoice { id }',
    )
  }
  await revoke()
  for (let run = 0; run < 2; run++) await bill(one)
  await revoke()
  for (let run = 0; run < 2; run++) await bill(one)
  const all = await invoices(one)
  expect(all.map(({ status, total }) => `${status} ${total.amount}`)).toEqual([
    ...['VOID 79.73', 'VOID 79.73', 'ISSUED 79.73'],
  ])
  expect(all[2]!.lines.nodes).toEqual(all[0]!.lines.nodes)
  await travel(one, periodStart(one.startDate, 'MONTHLY', 1))
  await bill(one)
  expect(await lastLines(one)).toEqual([...fees, 'Use: API_CALLS: 0.00', 'Use: API_CALLS: 4.00'])
})

test('one that cannot be billed keeps none of the others from it, and operators see why until it can', async () => {
  const one = await subscriber()
  await act(one, 'cancelSubscription', { at: 'NOW' })
  const input = { plan: 'STARTER', billingInterval: 'MONTHLY', currency: 'EUR', seats: 1 }
  await change(one.admin, 'startSubscription', input, 'subscription { id }')
  // The first has a line that no invoice takes; the second is due as well.
  await owner().query(
    `INSERT INTO tenancy.pending_lines (tenant_id, id, subscription_id, description, amount, service_start, service_end, due_on)
     VALUES ($1, gen_random_uuid(), $2, '', 1, current_date, current_date + 1, '2026-01-01')`,
    [one.tenant.id, one.id],
  )
  const fault = await bill(one)
  expect(fault).toMatch(new RegExp(`^Subscription ${one.id}: .*invoice_lines_description_check`))
  expect(await totals(one)).toEqual(['67.00', '58.00'])
  const { rows } = await owner().query(
    `SELECT count(*)::int AS drafts FROM tenancy.invoices WHERE tenant_id = $1 AND status = 'DRAFT'`,
    [one.tenant.id],
  )
  expect(rows).toEqual([{ drafts: 0 }])
  await bill(one)
  expect(await totals(one)).toEqual(['67.00', '58.00'])
})

test('no line that waits is lost, however many there are, and nothing of nothing is issued', async () => {
  const one = await subscriber()
  await bill(one)
  const add = (amount: number, count: number) =>
    owner().query(
      `INSERT INTO tenancy.pending_lines (tenant_id, id, subscription_id, description, amount, service_start, service_end)
       SELECT $1, gen_random_uuid(), $2, 'Change ' || n, $3, current_date, current_date + 1 FROM generate_series(1, $4) n`,
      [one.tenant.id, one.id, amount, count],
    )
  await add(7, 250)
  await act(one, 'cancelSubscription', { at: 'NOW' })
  await bill(one)
  const { rows } = await owner().query<{ lines: number; waiting: number }>(
    `SELECT (SELECT count(*)::int FROM tenancy.invoice_lines WHERE tenant_id = $1) AS lines,
            (SELECT count(*)::int FROM tenancy.pending_lines WHERE tenant_id = $1 AND invoice_id IS NULL) AS waiting`,
    [one.tenant.id],
  )
  expect(rows).toEqual([{ lines: 252, waiting: 0 }])
  expect(await totals(one)).toEqual(['67.00', '17.50'])
  // What is given back beyond what is billed waits, line by line, for what it can be taken off.
  const other = await subscriber()
  await bill(other)
  await owner().query(
    `INSERT INTO tenancy.pending_lines (tenant_id, id, subscription_id, description, amount, service_start, service_end)
     VALUES ($1, gen_random_uuid(), $2, 'Given back', -6700, current_date, current_date + 1)`,
    [other.tenant.id, other.id],
  )
  await travel(other, periodStart(other.startDate, 'MONTHLY', 1))
  await bill(other)
  expect(await invoices(other)).toHaveLength(1)
  await travel(other, periodStart(other.startDate, 'MONTHLY', 2))
  await bill(other)
  expect(await lastLines(other)).toEqual([...fees, 'Given back: -67.00', ...fees])
  expect((await totals(other)).at(-1)).toBe('67.00')
})

test('use of any size that can be recorded can be billed', async () => {
  const one = await subscriber()
  await bill(one)
  for (let place = 0; place < 3; place++) await record(one, '999999999999')
  await travel(one, dayAfter(periodStart(one.startDate, 'MONTHLY', 1), 1))
  expect(await bill(one)).toBeNull()
  expect((await lastLines(one)).at(-1)).toBe('Use: API_CALLS: 599999960.00')
})
