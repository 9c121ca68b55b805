import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, readAll, userErrors } from '../support/lists'
import { untilWaiting } from '../support/locks'
import { userWith } from '../support/scopes'
import { refusedAs } from './as-finance'

/** Commission rules: drafted by one, approved by another, and never changed then. */
let graph: TestGraph
let acme: TestTenant
let maker: TestClient
let checker: TestClient
let seller: TestClient
let other: TestClient

interface Rule {
  id: string
  version: number
}
const fields = 'commissionRule { id version }'
const dayIn = (days: number) => {
  const at = new Date(graph.clock.now().getTime() + days * 86_400_000)
  return at.toISOString().slice(0, 10)
}
const draft = (values: object = {}, client = maker): Promise<Rule> =>
  change<Rule>(
    client,
    'createCommissionRule',
    { name: 'New business', type: 'PERCENTAGE', rate: '5', currency: 'EUR', startDate: dayIn(0), ...values },
    fields,
  )
const at = ({ id, version }: Rule) => ({ id, expectedVersion: version })
const approve = (rule: Rule, client = checker): Promise<Rule> =>
  change<Rule>(client, 'approveCommissionRule', at(rule), fields)
const stored = async () =>
  (
    await graph.owner.query(
      `SELECT md5(coalesce(string_agg(r::text, '' ORDER BY r.id), '')) AS digest FROM finance.commission_rules r WHERE r.tenant_id = $1`,
      [acme.id],
    )
  ).rows[0]

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  ;[maker, checker] = [await acme.user('ADMIN'), await acme.user('ADMIN')]
  ;[seller, other] = [await acme.user('ADMIN'), await acme.user('USER')]
})
afterAll(() => graph?.close())

test('a rule is drafted with a scale without gaps, and what cannot be reckoned with is refused', async () => {
  const euros = (amount: string) => ({ amount, currency: 'EUR' })
  const scale = { type: 'TIERED', tiers: [{ upTo: euros('1000'), rate: '5' }, { rate: '7.5' }] }
  const selection =
    'commissionRule { tiers { from { amount } upTo { amount currency } rate } isMarginal criteria status rate revision revises { id } createdBy { id } }'
  const made = await change(
    maker,
    'createCommissionRule',
    {
      name: ' Scale ',
      currency: 'EUR',
      startDate: dayIn(0),
      ...scale,
      criteria: 'amount >= 10.0',
      userId: maker.userId,
    },
    selection,
  )
  expect(made).toEqual({
    tiers: [
      { from: { amount: '0.00' }, upTo: { amount: '1000.00', currency: 'EUR' }, rate: '5' },
      { from: { amount: '1000.00' }, upTo: null, rate: '7.5' },
    ],
    isMarginal: true,
    criteria: 'amount >= 10.0',
    status: 'DRAFT',
    rate: '0',
    revision: 1,
    revises: null,
    createdBy: { id: maker.userId },
  })
  const before = await stored()
  const refused = async (values: object, field: string, message: RegExp | string) =>
    expect(
      await userErrors(maker, 'createCommissionRule', {
        ...{ name: 'X', type: 'PERCENTAGE', currency: 'EUR', startDate: dayIn(0) },
        ...values,
      }),
    ).toEqual([{ code: 'INVALID', field: [field], message: expect.stringMatching(message) }])
  await refused({ criteria: 'salary > 1' }, 'criteria', /Unknown variable: salary/)
  await refused({ criteria: 'amount' }, 'criteria', /must be true or false/)
  expect(
    await userErrors(maker, 'createCommissionRule', {
      ...{ name: 'X', type: 'PERCENTAGE', startDate: dayIn(0), endDate: dayIn(0) },
    }),
  ).toMatchObject([{ code: 'INVALID', message: expect.stringMatching(/an end after the beginning/) }])
  await refused({ rate: '100.01' }, 'rate', 'rate must be between 0 and 100')
  await refused({ type: 'FLAT' }, 'flatAmount', /FLAT/)
  await refused(
    { type: 'FLAT', flatAmount: { amount: '1', currency: 'USD' } },
    'flatAmount',
    /in the currency/,
  )
  await refused({ ...scale, tiers: scale.tiers.slice(0, 1) }, 'tiers', /end with one without upTo/)
  await refused({ ...scale, tiers: [{ upTo: euros('0'), rate: '5' }, { rate: '7' }] }, 'tiers', /must rise/)
  expect(await stored()).toEqual(before)
})

test('whoever wrote a rule does not approve it; approved, it only ends', async () => {
  let rule = await draft({ userId: seller.userId, startDate: dayIn(-40) })
  const second = async (client: TestClient) => userErrors(client, 'approveCommissionRule', at(rule))
  expect(await second(maker)).toMatchObject([{ code: 'SECOND_PERSON_NEEDED', field: ['id'] }])
  // Whoever changed any of it wrote it as well, also when another changed it after them (19).
  rule = await change<Rule>(checker, 'updateCommissionRule', { ...at(rule), rate: '6.25' }, fields)
  rule = await change<Rule>(maker, 'updateCommissionRule', { ...at(rule), rate: '6.5' }, fields)
  expect(await second(checker)).toMatchObject([{ code: 'SECOND_PERSON_NEEDED', field: ['id'] }])
  expect(await second(seller)).toMatchObject([{ code: 'OWN_RECORD', field: ['id'] }])
  rule = await approve(rule, await acme.user('ADMIN'))
  const before = await stored()
  expect(await userErrors(maker, 'updateCommissionRule', { ...at(rule), rate: '7' })).toMatchObject([
    { code: 'INVALID_STATUS', message: 'This rule is APPROVED: that is for DRAFT' },
  ])
  expect(await userErrors(maker, 'deleteCommissionRule', at(rule))).toMatchObject([
    { code: 'INVALID_STATUS' },
  ])
  for (const text of [
    `UPDATE finance.commission_rules SET rate = 7 WHERE id = '${rule.id}'`,
    `UPDATE finance.commission_rules SET criteria = 'false' WHERE id = '${rule.id}'`,
    `DELETE FROM finance.commission_rules WHERE id = '${rule.id}'`,
  ])
    expect(await refusedAs(graph, acme.id, [text])).toBe('an approved rule only ends')
  expect(await userErrors(seller, 'endCommissionRule', { ...at(rule), endDate: dayIn(10) })).toMatchObject([
    { code: 'OWN_RECORD', field: ['id'] },
  ])
  expect(await stored()).toEqual(before)
  const end = (endDate: string) => userErrors(maker, 'endCommissionRule', { ...at(rule), endDate })
  expect(await end(dayIn(-1))).toMatchObject([{ code: 'INVALID', field: ['endDate'] }])
  expect(await end(dayIn(10))).toEqual([])
  rule = { ...rule, version: rule.version + 1 }
  expect(await end(dayIn(11))).toMatchObject([{ code: 'INVALID', field: ['endDate'] }])
  expect(
    await refusedAs(graph, acme.id, [
      `UPDATE finance.commission_rules SET end_date = NULL WHERE id = '${rule.id}'`,
    ]),
  ).toBe('an approved rule only ends')
})

test('the next version takes over on its first day, and rules of one scope do not overlap unless they stack', async () => {
  const first = await approve(await draft({ userId: other.userId, startDate: dayIn(-100) }))
  const revise = { ...at(first), startDate: dayIn(30) }
  expect(await userErrors(maker, 'reviseCommissionRule', { ...revise, startDate: dayIn(-1) })).toMatchObject([
    { code: 'INVALID', field: ['startDate'] },
  ])
  const next = await change<Rule>(maker, 'reviseCommissionRule', revise, fields)
  expect(await userErrors(maker, 'reviseCommissionRule', revise)).toMatchObject([{ code: 'DUPLICATE' }])
  await approve(await change<Rule>(maker, 'updateCommissionRule', { ...at(next), rate: '8' }, fields))
  const versions = await readAll(
    maker,
    'commissionRules',
    'revision rate startDate endDate status revises { id }',
    `filter: { userId: { eq: "${other.userId}" } }`,
  )
  const common = { status: 'APPROVED' }
  expect(versions).toEqual([
    { ...common, revision: 2, rate: '8', startDate: dayIn(30), endDate: null, revises: { id: first.id } },
    { ...common, revision: 1, rate: '5', startDate: dayIn(-100), endDate: dayIn(30), revises: null },
  ])
  // The day on which one ends is free.
  const scope = { userId: other.userId }
  const overlapping = await draft({ ...scope, startDate: dayIn(29), endDate: dayIn(30) })
  expect(await userErrors(checker, 'approveCommissionRule', at(overlapping))).toMatchObject([
    { code: 'OVERLAPPING', field: ['startDate'] },
  ])
  await approve(await draft({ ...scope, startDate: dayIn(29), endDate: dayIn(30), isStackable: true }))
  await approve(await draft({ ...scope, startDate: dayIn(-110), endDate: dayIn(-100) }))
  const drafts = []
  for (let one = 0; one < 10; one++) drafts.push(await draft({ name: `Sales ${one}`, currency: 'USD' }))
  const answers = await Promise.all(
    drafts.map((one) => userErrors(checker, 'approveCommissionRule', at(one))),
  )
  expect(answers.filter((errors) => errors.length === 0)).toHaveLength(1)
  expect(answers.flat().map(({ code }) => code)).toEqual(Array(9).fill('OVERLAPPING'))
})

test('who approves in one scope at once waits for the other, and sees what it did', async () => {
  const drafts = [await draft({ currency: 'GBP' }), await draft({ currency: 'GBP' })] as const
  await graph.owner.query('BEGIN')
  await graph.owner.query('SELECT FROM finance.commission_rules WHERE id = $1 FOR UPDATE', [drafts[0].id])
  const answers = Promise.all(drafts.map((one) => userErrors(checker, 'approveCommissionRule', at(one))))
  // The second is not the row that is held: it waits for the scope.
  await untilWaiting(graph.owner, 2)
  await graph.owner.query('COMMIT')
  const codes = (await answers).flat().map(({ code }) => code)
  expect(codes).toEqual(['OVERLAPPING'])
})

test('a rule of one user is for that user, and who writes or approves rules or reads performances (15)', async () => {
  const [whose, stranger] = [await acme.user('USER'), await acme.user('USER')]
  const personal = await draft({ userId: whose.userId, rate: '9' })
  const general = await draft({ currency: 'CHF' })
  const readers = ['finance:performance:read', 'finance:commission:approve']
  const reading = await Promise.all(
    readers.map((scope) => userWith(graph, acme, ['finance:commission:read', scope])),
  )
  const shown = async (client: TestClient) => {
    const { commissionRules, commissionRule } = await client.data<{
      commissionRules: { nodes: Rule[] }
      commissionRule: Rule | null
    }>(`{ commissionRules(first: 50) { nodes { id } } commissionRule(id: "${personal.id}") { id } }`)
    const ids = commissionRules.nodes.map(({ id }) => id)
    return [ids.includes(general.id), ids.includes(personal.id), commissionRule !== null]
  }
  for (const client of [whose, maker, ...reading]) expect(await shown(client)).toEqual([true, true, true])
  expect(await shown(stranger)).toEqual([true, false, false])
})

test('a rule begins after the months that are submitted, whose performances it would reckon anew (5)', async () => {
  const whose = await acme.user('USER')
  const monthAgo = (months: number) => {
    const now = graph.clock.now()
    return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1)).toISOString().slice(0, 10)
  }
  const of = { userId: whose.userId, periodStart: monthAgo(2), currency: 'NOK' }
  const found = await change<Rule>(maker, 'computeSalesPerformance', of, 'salesPerformance { id version }')
  await change(whose, 'submitSalesPerformance', at(found), 'salesPerformance { id }')
  const scope = { currency: 'NOK', isStackable: true }
  const [early, late] = [
    await draft({ ...scope, startDate: dayIn(-95) }),
    await draft({ ...scope, startDate: monthAgo(1) }),
  ]
  const before = await stored()
  expect(await userErrors(checker, 'approveCommissionRule', at(early))).toEqual([
    {
      code: 'INVALID',
      field: ['startDate'],
      message: `startDate must not be before ${monthAgo(1)}: performances of the days before are submitted`,
    },
  ])
  expect(await stored()).toEqual(before)
  await approve(late)
  await approve(await draft({ ...scope, userId: other.userId, startDate: dayIn(-95) }))
})

test('the list costs one statement of finance, however many rules there are', async () => {
  const read = () =>
    maker.data(
      '{ commissionRules(first: 20) { nodes { name rate tiers { rate } revises { name } approvedAt criteria } } }',
    )
  expect((await graph.statementsDuring(read)).map(({ role }) => role)).toEqual(['finance'])
})
