import { longRemoteWork } from '../../subgraphs/hr/jobs/long-remote-work'
import { lastDayOf } from '../../subgraphs/hr/rules/remote-days'
import { dayIn, instantIn } from '../../subgraphs/hr/rules/zone-time'
import type { TestClient } from '../support/graph'
import { inHandOf } from '../support/hands'
import { runJob } from '../support/jobs'
import { change, readAll, userErrors } from '../support/lists'
import {
  acme,
  at,
  database,
  forward,
  graph,
  hr,
  openStage,
  pass,
  punch,
  signedIn,
  staff,
  year,
  zone,
  type Row,
} from './work-time-stage'

beforeAll(openStage)
afterAll(() => graph.close())

const shown = `id version workDate startedAt endedAt minutes timeZone countryCode place kind status isOverlong attendance { id status }`
interface Session extends Row {
  status: string
  workDate: string
  attendance: { id: string; status: string } | null
}
const act = (client: TestClient, verb: string, input: object) =>
  change<Session>(client, `${verb}RemoteWorkSession`, { ...input }, `remoteWorkSession { ${shown} }`)
const refused = (client: TestClient, verb: string, input: object) =>
  userErrors(client, `${verb}RemoteWorkSession`, { ...input })
const seen = ({ id, version }: Row, values: object = {}) => ({ id, expectedVersion: version, ...values })
const place = (employeeId: string, values: object = {}) => ({
  employeeId,
  kind: 'HOME',
  countryCode: 'DE',
  ...values,
})
const rule = (kind: string, values: object) =>
  change<Row>(hr, 'createRemoteWorkRule', { kind, ...values }, 'remoteWorkRule { id version }')
const table = async (employeeId: string) =>
  (
    await graph.owner.query<{ told: string }>(
      `SELECT concat_ws(' ', kind, status, work_date, last_date - work_date, coalesce(minutes::text, '-')) AS told
         FROM hr.remote_work_sessions WHERE employee_id = $1 ORDER BY work_date, created_at, id`,
      [employeeId],
    )
  ).rows.map(({ told }) => told)
const attendances = async (employeeId: string) =>
  (
    await graph.owner.query<{ told: string }>(
      `SELECT concat_ws(' ', status, coalesce(worked_minutes::text, '-')) AS told FROM hr.attendance_records
        WHERE employee_id = $1 ORDER BY clock_in_at`,
      [employeeId],
    )
  ).rows.map(({ told }) => told)

test('any part of a day is a day of the place, and midnight is of the day that ends', () => {
  const last = (on: string, until: string, time: string, where = zone) =>
    lastDayOf(on, where, instantIn(where, until, time))
  expect(last('2027-03-01', '2027-03-01', '17:00')).toBe('2027-03-01')
  expect(last('2027-03-01', '2027-03-02', '00:00')).toBe('2027-03-01')
  expect(last('2027-03-01', '2027-03-02', '00:01')).toBe('2027-03-02')
  expect(last('2027-03-01', '2027-03-01', '00:00')).toBe('2027-03-01')
  // The nights of 23 and 25 hours, and the other side of the date line.
  expect(last('2027-03-27', '2027-03-28', '03:30')).toBe('2027-03-28')
  expect(last('2027-10-30', '2027-10-31', '02:30')).toBe('2027-10-31')
  expect(last('2027-03-01', '2027-03-02', '00:01', 'Pacific/Auckland')).toBe('2027-03-02')
})

test('it clocks in and out where nobody is at work, and stands within attendance otherwise: no minute is added', async () => {
  const { id, login } = await staff()
  const begun = await act(login, 'start', place(id, { place: 'Potsdam', note: 'The plumber comes' }))
  const startedAt = graph.clock.now().toISOString()
  expect(begun).toMatchObject({
    workDate: `${year}-01-10`,
    startedAt,
    endedAt: null,
    timeZone: zone,
    place: 'Potsdam',
    status: 'OPEN',
    attendance: { status: 'OPEN' },
  })
  pass(30)
  expect(await act(login, 'start', place(id))).toMatchObject({ id: begun.id, version: 1 })
  pass(90 * 60)
  expect(await refused(login, 'start', place(id))).toEqual([
    {
      code: 'WRONG_STATUS',
      field: ['employeeId'],
      message: `The session that began at ${startedAt} goes on: end it first`,
    },
  ])
  expect(await act(login, 'end', seen(begun))).toMatchObject({
    minutes: 90,
    status: 'ENDED',
    isOverlong: false,
    attendance: { id: begun.attendance!.id, status: 'COMPLETE' },
  })
  expect(await refused(login, 'end', { id: begun.id, expectedVersion: 2 })).toMatchObject([
    { code: 'WRONG_STATUS', message: 'The session is ENDED: that is for OPEN' },
  ])
  pass(600)
  // Within attendance that goes on: ended before it, and then with it.
  const record = await punch(login, 'clockIn', id)
  pass(3600)
  const within = await act(login, 'start', place(id, { kind: 'CLIENT' }))
  expect(within.attendance).toEqual({ id: record.id, status: 'OPEN' })
  pass(1800)
  await act(login, 'end', seen(within))
  pass(1800)
  await act(login, 'start', place(id, { kind: 'CLIENT' }))
  pass(900)
  await punch(login, 'clockOut', id)
  const on = `${year}-01-10`
  expect(await table(id)).toEqual([
    `HOME ENDED ${on} 0 90`,
    `CLIENT ENDED ${on} 0 30`,
    `CLIENT ENDED ${on} 0 15`,
  ])
  expect(await attendances(id)).toEqual(['COMPLETE 90', 'COMPLETE 135'])
  // Twenty at once are one, and one attendance.
  const other = await staff()
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => userErrors(other.login, 'startRemoteWorkSession', place(other.id))),
  )
  expect(answers).toEqual(Array.from({ length: 20 }, () => []))
  expect(await table(other.id)).toEqual([`HOME OPEN ${on} 0 -`])
  expect(await attendances(other.id)).toEqual(['OPEN -'])
  const stranger = (await staff()).login
  expect(await refused(stranger, 'start', place(other.id))).toEqual([
    { code: 'PERMISSION_NOT_HELD', field: ['employeeId'], message: 'You lack hr:remote:write' },
  ])
  const [open] = await readAll(
    hr,
    'remoteWorkSessions',
    'id version',
    `, filter: { employeeId: { eq: "${other.id}" } }`,
  )
  expect(await refused(stranger, 'end', seen(open as unknown as Row))).toMatchObject([{ code: 'NOT_FOUND' }])
  expect(await readAll(stranger, 'remoteWorkSessions', 'id')).toEqual([])
  const third = await staff()
  for (const [values, field] of [
    [{ countryCode: 'de' }, 'countryCode'],
    [{ place: ' ' }, 'place'],
  ] as const)
    expect(await refused(third.login, 'start', place(third.id, values))).toMatchObject([
      { code: 'INVALID', field: [field] },
    ])
  expect(await attendances(third.id)).toEqual([])
})

test('days of each country are summed by the calendar of the place, each once', async () => {
  const { id, login } = await staff()
  const work = async (from: string, minutes: number, values: object) => {
    forward(from)
    const made = await act(login, 'start', place(id, values))
    pass(minutes * 60)
    return act(login, 'end', seen(made))
  }
  await work(at('02-01', '08:00'), 60, {})
  await work(at('02-01', '14:00'), 60, {})
  const lisbon = { kind: 'ABROAD', countryCode: 'PT', timeZone: 'Europe/Lisbon' }
  // 23:30 in Lisbon, until half past midnight; in Berlin it is the next day already.
  const late = instantIn('Europe/Lisbon', `${year}-02-01`, '23:30').toISOString()
  expect(await work(late, 60, lisbon)).toMatchObject({ workDate: `${year}-02-01`, minutes: 60 })
  await work(instantIn('Europe/Lisbon', `${year}-02-02`, '09:00').toISOString(), 60, lisbon)
  const days = (from: string, to: string, client = login) =>
    client.data<{ employee: { remoteDays: unknown } }>(
      'query ($id: ID!, $from: Date!, $to: Date!) { employee(id: $id) { remoteDays(from: $from, to: $to) { countryCode days } } }',
      { id, from: `${year}-${from}`, to: `${year}-${to}` },
    )
  const told = (DE: number, PT: number) => ({
    employee: {
      remoteDays: [
        ...(DE > 0 ? [{ countryCode: 'DE', days: DE }] : []),
        ...(PT > 0 ? [{ countryCode: 'PT', days: PT }] : []),
      ],
    },
  })
  expect(await days('01-01', '12-31', hr)).toEqual(told(1, 2))
  expect(await days('02-02', '12-31', hr)).toEqual(told(0, 1))
  expect(await days('02-01', '02-01', hr)).toEqual(told(1, 1))
  expect(await days('03-01', '12-31', hr)).toEqual(told(0, 0))
  const several = `{ employees(first: 5) { nodes { remoteDays(from: "${year}-01-01", to: "${year}-12-31") { days }
    remoteWorkSessions(first: 5) { nodes { id employee { id } attendance { id } } } } } }`
  const sent = await graph.statementsDuring(() => hr.data(several))
  expect(sent.filter(({ role }) => role === 'hr')).toHaveLength(3)
  const list = '{ remoteWorkSessions { nodes { id kind employee { id } attendance { id } } } }'
  expect((await graph.statementsDuring(() => hr.data(list))).map(({ role }) => role)).toEqual(['hr'])
  const summary = `{ remoteWorkSessionSummary(filter: { employeeId: { eq: "${id}" } }, groupBy: [COUNTRY_CODE]) {
    groups { key { countryCode } count minutes { sum } } } }`
  expect(await hr.data(summary)).toEqual({
    remoteWorkSessionSummary: {
      groups: [
        { key: { countryCode: 'DE' }, count: 2, minutes: { sum: '120' } },
        { key: { countryCode: 'PT' }, count: 2, minutes: { sum: '120' } },
      ],
    },
  })
})

test('a day that takes approval is granted by somebody else, counted once and then worked', async () => {
  await rule('ABROAD', { validFrom: `${year - 1}-01-01`, daysPerYear: 30 })
  await rule('ABROAD', { validFrom: `${year}-01-01`, daysPerYear: 3, needsApproval: true })
  forward(at('03-01', '08:00'))
  const { id, login } = await staff()
  const today = dayIn(zone, graph.clock.now())
  const abroad = (values: object = {}) => place(id, { kind: 'ABROAD', countryCode: 'PT', ...values })
  expect(await refused(login, 'start', abroad())).toEqual([
    {
      code: 'WRONG_STATUS',
      field: ['kind'],
      message: `ABROAD takes approval: ask for ${today} in PT, and have it granted`,
    },
  ])
  expect(await refused(login, 'request', abroad({ workDate: `${year}-02-28` }))).toEqual([
    { code: 'INVALID', field: ['workDate'], message: `workDate must not have passed: it is ${today} there` },
  ])
  const asked = await act(login, 'request', abroad({ workDate: today }))
  expect(asked).toMatchObject({ status: 'REQUESTED', startedAt: null, attendance: null })
  expect(await refused(login, 'approve', seen(asked))).toMatchObject([{ code: 'OWN_RECORD' }])
  expect(await refused(login, 'start', abroad())).toMatchObject([{ code: 'WRONG_STATUS' }])
  const granted = await act(hr, 'approve', seen(asked))
  expect(granted).toMatchObject({ status: 'APPROVED', version: 2 })
  expect(await refused(login, 'start', abroad({ countryCode: 'ES' }))).toMatchObject([
    { code: 'WRONG_STATUS' },
  ])
  const begun = await act(login, 'start', abroad())
  expect(begun).toMatchObject({ id: asked.id, status: 'OPEN', attendance: { status: 'OPEN' } })
  pass(3600)
  await act(login, 'end', seen(begun))
  // One of three is used: of twenty requests two are taken.
  const days = Array.from({ length: 20 }, (_, number) => `${year}-04-${String(number + 1).padStart(2, '0')}`)
  const answers = await Promise.all(
    days.map((workDate) => userErrors(login, 'requestRemoteWorkSession', abroad({ workDate }))),
  )
  expect(answers.filter((errors) => errors.length === 0)).toHaveLength(2)
  expect(answers.find((errors) => errors.length > 0)).toEqual([
    {
      code: 'REMOTE_QUOTA',
      field: ['workDate'],
      message: `ABROAD is for 3 days of ${year}, and none is left`,
    },
  ])
  const [first, second] = (await readAll(
    login,
    'remoteWorkSessions',
    'id version workDate',
    ', filter: { status: { eq: REQUESTED } }',
  )) as unknown as (Row & { workDate: string })[]
  const again = abroad({ workDate: first!.workDate, kind: 'HOME' })
  expect(await refused(login, 'request', again)).toMatchObject([{ code: 'DUPLICATE' }])
  const free = abroad({ workDate: `${year}-05-01` })
  expect(await refused(login, 'request', free)).toMatchObject([{ code: 'REMOTE_QUOTA' }])
  expect(await refused((await staff()).login, 'cancel', seen(first!))).toMatchObject([{ code: 'NOT_FOUND' }])
  expect((await act(login, 'cancel', seen(first!))).status).toBe('CANCELLED')
  expect(await refused(login, 'request', free)).toEqual([])
  expect(await refused(hr, 'reject', seen(second!, { decisionNote: ' ' }))).toMatchObject([
    { code: 'INVALID' },
  ])
  expect((await act(hr, 'reject', seen(second!, { decisionNote: 'The fair' }))).status).toBe('REJECTED')
  // The next year has days of its own.
  expect(await refused(login, 'request', abroad({ workDate: `${year + 1}-01-01` }))).toEqual([])
  const stands = (await table(id)).map((told) => told.split(' ')[1])
  expect([...stands].sort()).toEqual(['CANCELLED', 'ENDED', 'REJECTED', 'REQUESTED', 'REQUESTED'])
})

test('nobody grants the own day, nor one that they asked for, nor an account in that hand', async () => {
  const boss = await staff()
  const { id, version, login } = await staff()
  await change(
    hr,
    'setEmployeeManager',
    { id, expectedVersion: version, managerId: boss.id },
    'employee { id }',
  )
  const workDate = dayIn(zone, graph.clock.now())
  const asked = await act(hr, 'request', place(id, { workDate }))
  expect(await refused(hr, 'approve', seen(asked))).toEqual([
    { code: 'OWN_RECORD', field: ['id'], message: 'Somebody else must do this: you asked for it' },
  ])
  const puppet = await signedIn('HR_MANAGER')
  await inHandOf(graph, puppet.userId, hr.userId)
  expect(await refused(puppet, 'approve', seen(asked))).toMatchObject([{ code: 'OWN_RECORD' }])
  const [own] = await readAll(boss.login, 'remoteWorkSessions', 'id requestedBy { id } approver { id }')
  expect(own).toEqual({
    id: asked.id,
    requestedBy: { id: hr.userId },
    approver: { id: boss.login.userId },
  })
  // What waits follows whoever decides.
  const next = await staff()
  await change(
    hr,
    'setEmployeeManager',
    { id, expectedVersion: version + 1, managerId: next.id },
    'employee { id }',
  )
  expect(await refused(boss.login, 'approve', seen(asked))).toMatchObject([{ code: 'NOT_FOUND' }])
  expect((await act(next.login, 'approve', seen(asked))).status).toBe('APPROVED')
  const later = await act(login, 'request', place(id, { workDate: `${year}-12-01` }))
  await change(
    hr,
    'terminateEmployee',
    { id, expectedVersion: version + 2, terminationDate: workDate },
    'employee { id }',
  )
  expect(await table(id)).toEqual([`HOME APPROVED ${workDate} 0 -`, `HOME CANCELLED ${later.workDate} 0 -`])
})

test('more than 12 hours are flagged, and after 16 nobody guesses the end', async () => {
  const run = () => runJob(longRemoteWork, database, graph.server.services, { tenantId: acme.id })
  const { id, login } = await staff()
  const begun = await act(login, 'start', place(id))
  const state = async () =>
    (await readAll(login, 'remoteWorkSessions', 'version status isOverlong endedAt minutes'))[0]
  pass(12 * 3600)
  await run()
  expect(await state()).toEqual({
    version: 1,
    status: 'OPEN',
    isOverlong: false,
    endedAt: null,
    minutes: null,
  })
  pass(1)
  await run()
  await run()
  expect(await state()).toEqual({
    version: 2,
    status: 'OPEN',
    isOverlong: true,
    endedAt: null,
    minutes: null,
  })
  pass(4 * 3600)
  await run()
  await run()
  expect(await state()).toEqual({
    version: 3,
    status: 'ENDED',
    isOverlong: true,
    endedAt: null,
    minutes: null,
  })
  expect(await refused(login, 'end', { id: begun.id, expectedVersion: 3 })).toMatchObject([
    { code: 'WRONG_STATUS' },
  ])
  // The next one does not wait for the job.
  await act(login, 'start', place(id))
  pass(17 * 3600)
  await act(login, 'start', place(id))
  expect((await table(id)).map((told) => told.split(' ')[1])).toEqual(['ENDED', 'ENDED', 'OPEN'])
})
