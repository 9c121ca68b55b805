import { dunning } from '../../subgraphs/tenancy/jobs/dunning'
import { dayAfter } from '../../subgraphs/tenancy/rules/period'
import { change, userErrors } from '../support/lists'
import { mailsOf } from '../support/mails'
import { operatorIn } from '../support/operator'
import { billingOf, startBilling, type Subscriber } from './billed'

/** B10, dunning: what is done about invoices that are not paid in time, by the clock of a sandbox. */
let started: Awaited<ReturnType<typeof startBilling>>

beforeAll(async () => (started = await startBilling()))
afterAll(() => started?.graph.close())

const { subscriber, bill, travel, nowOf } = billingOf(() => started)
const owner = () => started.graph.owner
const inside = (one: Subscriber) => operatorIn(started.graph, one.tenant)
const euros = (amount: string) => ({ amount, currency: 'EUR' })
const levels = [{ days: 3 }, { days: 10, fee: euros('5.00') }, { days: 20, fee: euros('15.00') }]
const address = 'bills@tenant.example'

interface Document {
  id: string
  version: number
  invoiceNumber: string
}
interface Step {
  level: number
  takenOn: string
}

/** A tenant with an invoice of 67 euros that is due in 30 days, levels of its own, and an address for bills. */
async function debtor(policy: object[] | null = levels, to: string | null = address) {
  const one = await subscriber()
  if (to) await moveTo(one, { billingEmail: to })
  if (policy) await change(await inside(one), 'setDunningLevels', { levels: policy }, 'levels { level }')
  await bill(one)
  const [invoice] = await all(one)
  return { one, invoice: invoice!, due: dayAfter(one.startDate, 30) }
}

async function moveTo(one: Subscriber, values: object): Promise<void> {
  const { tenant } = await one.admin.data<{ tenant: { version: number } }>('{ tenant { version } }')
  await change(one.admin, 'updateTenant', { expectedVersion: tenant.version, ...values }, 'tenant { id }')
}

const all = async ({ admin }: Subscriber) =>
  (
    await admin.data<{ invoices: { nodes: Document[] } }>(
      `{ invoices(orderBy: { field: INVOICE_NUMBER, direction: ASC }) { nodes { id version invoiceNumber status dueDate
           subscription { id } feeOf { invoiceNumber } total { amount currency }
           taxBreakdown { rate treatment reason } lines { nodes { description amount { amount } } } } } }`,
    )
  ).invoices.nodes

const stepsOf = async ({ admin }: Subscriber, invoiceId: string) =>
  (
    await admin.data<{ dunningSteps: { nodes: Step[] } }>(
      `query ($id: ID!) { dunningSteps(filter: { invoiceId: { eq: $id } }, orderBy: { field: TAKEN_ON, direction: ASC }) { nodes {
           level takenOn overdueDays balance { amount currency } feeInvoice { invoiceNumber total { amount } } isLast sentTo } } }`,
      { id: invoiceId },
    )
  ).dunningSteps.nodes

/** Goes to a day and takes the steps that are due. */
async function remindOn(one: Subscriber, day: string): Promise<void> {
  await travel(one, day)
  await bill(one, dunning)
}

const since = async ({ admin, id }: Subscriber) =>
  (
    await admin.data<{ subscription: { pastDueSince: string | null } }>(
      `{ subscription(id: "${id}") { pastDueSince } }`,
    )
  ).subscription.pastDueSince

const step = (level: number, due: string, days: number, values: object = {}) => ({
  ...{ level, takenOn: dayAfter(due, days), overdueDays: days, balance: euros('67.00') },
  ...{ feeInvoice: null, isLast: false, sentTo: address, ...values },
})

test('each level is taken on its day, once, with its fee; the last says past due, and what is paid stops it', async () => {
  const { one, invoice, due } = await debtor()
  for (const days of [0, 2]) await remindOn(one, dayAfter(due, days))
  expect(await stepsOf(one, invoice.id)).toEqual([])
  for (const days of [3, 3, 9, 10, 11, 19]) await remindOn(one, dayAfter(due, days))
  const second = { feeInvoice: { invoiceNumber: 'INV-000002', total: { amount: '5.00' } } }
  const taken = [step(1, due, 3), step(2, due, 10, second)]
  expect(await stepsOf(one, invoice.id)).toEqual(taken)
  expect(await since(one)).toBeNull()
  await remindOn(one, dayAfter(due, 20))
  const pastDue = nowOf(one).getTime()
  const third = { feeInvoice: { invoiceNumber: 'INV-000003', total: { amount: '15.00' } }, isLast: true }
  expect(await stepsOf(one, invoice.id)).toEqual([...taken, step(3, due, 20, third)])
  expect(Math.abs(Date.parse((await since(one))!) - pastDue)).toBeLessThan(60_000)
  expect((await all(one)).slice(1)).toMatchObject(
    [
      ['10', 'reminder 2', '5.00'],
      ['20', 'reminder 3', '15.00'],
    ].map(([days, words, amount]) => ({
      ...{ status: 'ISSUED', subscription: null, feeOf: { invoiceNumber: 'INV-000001' } },
      ...{ dueDate: dayAfter(due, Number(days) + 30), total: { amount, currency: 'EUR' } },
      taxBreakdown: [
        {
          ...{ rate: '0', treatment: 'EXEMPT' },
          reason:
            'Compensation for late payment, outside the scope of value added tax (Directive 2006/112/EC, article 2)',
        },
      ],
      lines: { nodes: [{ description: `Late payment of INV-000001, ${words}`, amount: { amount } }] },
    })),
  )
  await travel(one, dayAfter(due, 21))
  await change(
    await inside(one),
    'payInvoice',
    { id: invoice.id, amount: euros('67.00') },
    'invoice { status }',
  )
  expect(await since(one)).toBeNull()
  // Fees are reminded of too, and never cost a fee or say that the subscription is past due.
  for (const days of [43, 50, 60, 90]) await remindOn(one, dayAfter(due, days))
  const [, fee] = await all(one)
  expect(await all(one)).toHaveLength(3)
  expect(await stepsOf(one, fee!.id)).toMatchObject(
    [3, 10, 20].map((overdueDays, place) => ({
      ...{ level: place + 1, overdueDays, feeInvoice: null, isLast: false },
      balance: euros('5.00'),
    })),
  )
  expect(await stepsOf(one, invoice.id)).toHaveLength(3)
  expect(await since(one)).toBeNull()
  const mails = await mailsOf(started.graph, one.tenant.id, address)
  expect(mails.map(({ subject }) => subject)).toEqual([
    ...Array<string>(3).fill(`Payment reminder: invoice INV-000001 (${one.tenant.slug} Ltd)`),
    ...Array<string>(2).fill(`Payment reminder: invoice INV-000002 (${one.tenant.slug} Ltd)`),
    `Payment reminder: invoice INV-000002 and 1 more (${one.tenant.slug} Ltd)`,
    `Payment reminder: invoice INV-000003 (${one.tenant.slug} Ltd)`,
  ])
  expect(mails[2]!.text).toContain(
    `Invoice INV-000001 of Test Cloud GmbH was due on ${due}: 67.00 EUR is still to be paid (reminder 3). ` +
      'For this reminder 15.00 EUR is billed as INV-000003. This is the last reminder.',
  )
})

test('ten workers take one step, bill one fee and write one mail', async () => {
  const { one, invoice, due } = await debtor([{ days: 3, fee: euros('5.00') }])
  await travel(one, dayAfter(due, 3))
  // Nine find it taken; none runs into the unique key, which stands behind the locks.
  const failed = jest.spyOn(started.graph.server.services.log, 'error')
  await Promise.all(Array.from({ length: 10 }, () => bill(one, dunning)))
  expect(failed).not.toHaveBeenCalled()
  failed.mockRestore()
  expect(await stepsOf(one, invoice.id)).toHaveLength(1)
  expect((await all(one)).map(({ invoiceNumber }) => invoiceNumber)).toEqual(['INV-000001', 'INV-000002'])
  expect(await mailsOf(started.graph, one.tenant.id)).toHaveLength(1)
})

test('days on which it is paused count for no step, and late steps hurry nobody', async () => {
  const { one, invoice, due } = await debtor([{ days: 3 }, { days: 10 }])
  const operator = await inside(one)
  const turn = async (verb: string, values: object = {}) => {
    const { version } = (await all(one)).find(({ id }) => id === invoice.id)!
    const input = { id: invoice.id, expectedVersion: version, ...values }
    return { input, selection: 'invoice { dunningPausedAt dunningPauseReason }', verb }
  }
  const done = async (verb: string, values: object = {}) => {
    const { input, selection } = await turn(verb, values)
    return change<{ dunningPausedAt: string | null }>(operator, verb, input, selection)
  }
  const refused = async (verb: string, values: object = {}) =>
    userErrors(operator, verb, (await turn(verb, values)).input)
  // Days before it is due take nothing away.
  await done('pauseInvoice', { reason: 'Disputed' })
  await travel(one, dayAfter(one.startDate, 10))
  expect(await done('resumeInvoice')).toEqual({ dunningPausedAt: null, dunningPauseReason: null })
  expect(await refused('resumeInvoice')).toMatchObject([{ code: 'INVALID_STATUS', field: ['id'] }])
  expect(await refused('pauseInvoice', { reason: ' ' })).toMatchObject([
    { code: 'INVALID', field: ['reason'] },
  ])
  await travel(one, dayAfter(due, 1))
  const paused = await done('pauseInvoice', { reason: 'Disputed: billed twice' })
  expect(paused).toMatchObject({ dunningPauseReason: 'Disputed: billed twice' })
  expect(paused.dunningPausedAt).toMatch(new RegExp(`^${dayAfter(due, 1)}T`))
  expect(await refused('pauseInvoice', { reason: 'Again' })).toMatchObject([
    { code: 'INVALID_STATUS', field: ['id'] },
  ])
  await remindOn(one, dayAfter(due, 9))
  expect(await stepsOf(one, invoice.id)).toEqual([])
  await done('resumeInvoice')
  await remindOn(one, dayAfter(due, 10))
  expect(await stepsOf(one, invoice.id)).toEqual([])
  // Eight days do not count; nobody looked for a while, and then the next step waits for as long as the policy has between them.
  for (const days of [20, 21, 26, 27]) await remindOn(one, dayAfter(due, days))
  expect(await stepsOf(one, invoice.id)).toMatchObject([
    { level: 1, takenOn: dayAfter(due, 20), overdueDays: 12, isLast: false },
    { level: 2, takenOn: dayAfter(due, 27), overdueDays: 19, isLast: true },
  ])
  const drafted = await change<Document>(
    operator,
    'draftInvoice',
    { currency: 'EUR', lines: [{ description: 'Help', unitPrice: '10' }] },
    'invoice { id version }',
  )
  const input = { id: drafted.id, expectedVersion: drafted.version, reason: 'Disputed' }
  expect(await userErrors(operator, 'pauseInvoice', input)).toMatchObject([
    { code: 'INVALID_STATUS', field: ['id'] },
  ])
})

test('a fee is charged in its currency alone, and for a reminder that was sent somewhere', async () => {
  const dollars = await debtor([{ days: 3, fee: { amount: '5.00', currency: 'USD' } }])
  await remindOn(dollars.one, dayAfter(dollars.due, 3))
  expect(await stepsOf(dollars.one, dollars.invoice.id)).toEqual([step(1, dollars.due, 3, { isLast: true })])
  const silent = await debtor([{ days: 3, fee: euros('5.00') }], null)
  await remindOn(silent.one, dayAfter(silent.due, 3))
  expect(await stepsOf(silent.one, silent.invoice.id)).toEqual([
    step(1, silent.due, 3, { isLast: true, sentTo: null }),
  ])
  expect(await mailsOf(started.graph, silent.one.tenant.id)).toEqual([])
  // An address that is taken away is no way out: the invoice knows where it was sent.
  const { one, invoice, due } = await debtor([{ days: 3, fee: euros('5.00') }])
  await moveTo(one, { billingEmail: null })
  await remindOn(one, dayAfter(due, 3))
  expect(await stepsOf(one, invoice.id)).toMatchObject([
    { sentTo: address, feeInvoice: { total: { amount: '5.00' } } },
  ])
})

test('without a decision there are three reminders without a fee, and levels that cannot be followed are refused', async () => {
  const { one } = await debtor(null)
  const shown = '{ tenant { dunningLevels { level days fee { amount currency } isLast } } }'
  const standard = {
    tenant: {
      dunningLevels: [3, 14, 28].map((days, place) => ({
        level: place + 1,
        days,
        fee: null,
        isLast: place === 2,
      })),
    },
  }
  expect(await one.admin.data(shown)).toEqual(standard)
  const operator = await inside(one)
  for (const [input, field] of [
    [[], ['levels']],
    [Array.from({ length: 10 }, (_, place) => ({ days: place + 1 })), ['levels']],
    [[{ days: 0 }], ['levels', '0', 'days']],
    [[{ days: 366 }], ['levels', '0', 'days']],
    [
      [{ days: 5 }, { days: 5 }],
      ['levels', '1', 'days'],
    ],
    [[{ days: 5, fee: euros('-1') }], ['levels', '0', 'fee']],
    [
      [
        { days: 5, fee: euros('1') },
        { days: 6, fee: { amount: '1', currency: 'USD' } },
      ],
      ['levels'],
    ],
    [[{ days: 5, fee: { amount: '1', currency: 'HRK' } }], ['levels']],
  ] as const)
    expect(await userErrors(operator, 'setDunningLevels', { levels: input })).toMatchObject([
      { code: 'INVALID', field },
    ])
  expect(await one.admin.data(shown)).toEqual(standard)
  for (const days of [5, 6])
    await change(operator, 'setDunningLevels', { levels: [{ days, fee: euros('2.50') }] }, 'levels { level }')
  expect(await one.admin.data(shown)).toEqual({
    tenant: { dunningLevels: [{ level: 1, days: 6, fee: euros('2.50'), isLast: true }] },
  })
})

test('the database keeps steps, and no fee is ever charged on a fee', async () => {
  const { one, invoice, due } = await debtor([{ days: 3, fee: euros('5.00') }])
  await remindOn(one, dayAfter(due, 3))
  const [, fee] = await all(one)
  const of = (invoiceId: string, level: number) =>
    owner().query(
      `INSERT INTO tenancy.dunning_steps (tenant_id, id, invoice_id, level, taken_on, overdue_days, currency, balance, is_last)
       VALUES ($1, gen_random_uuid(), $2, $3, current_date, 3, 'EUR', 6700, false)`,
      [one.tenant.id, invoiceId, level],
    )
  await expect(of(invoice.id, 1)).rejects.toMatchObject({ constraint: 'dunning_steps_invoice_id_level_key' })
  for (const text of ['UPDATE tenancy.dunning_steps SET balance = 1', 'DELETE FROM tenancy.dunning_steps'])
    await expect(owner().query(`${text} WHERE tenant_id = $1`, [one.tenant.id])).rejects.toMatchObject({
      code: '23000',
    })
  await expect(
    owner().query(
      `INSERT INTO tenancy.invoices (tenant_id, id, subtotal, total, currency, fee_of_id) VALUES ($1, gen_random_uuid(), 1, 1, 'EUR', $2)`,
      [one.tenant.id, fee!.id],
    ),
  ).rejects.toThrow('no fee is charged on it')
  expect(await all(one)).toHaveLength(2)
  // One statement for the list with its invoices, one for the steps of all of these.
  const statements = await started.graph.statementsDuring(() =>
    one.admin.data(
      '{ dunningSteps { nodes { level invoice { invoiceNumber dunningSteps { nodes { level } } } } } }',
    ),
  )
  expect(statements.map(({ role }) => role)).toEqual(['tenancy', 'tenancy'])
})
