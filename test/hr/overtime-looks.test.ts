import { overtimeProposals } from '../../subgraphs/hr/jobs/overtime-proposals'
import { dayNumber, dayOfNumber } from '../../subgraphs/hr/rules/half-days'
import { runJob } from '../support/jobs'
import { change, readAll, userErrors } from '../support/lists'
import { approveRule, day, decide, openOvertime, propose, rule, ruled, second, works } from './overtime-stage'
import { acme, database, graph, hr, staff, year, type Row } from './work-time-stage'

beforeAll(openOvertime)
afterAll(() => graph.close())

const run = () => runJob(overtimeProposals, database, graph.server.services, { tenantId: acme.id })

test('a job looks into what nobody looked into, once, and marks weeks of more than 48 hours', async () => {
  const { id } = await staff()
  for (const number of [0, 1, 2, 3, 4, 5]) await works(id, day(number, 1), '17:00')
  const before = await works(id, `${year - 2}-12-30`, '20:00')
  await run()
  const list = async () =>
    readAll(
      hr,
      'overtimeRecords',
      'workDate kind minutes factor isOverCap version',
      `, filter: { employeeId: { eq: "${id}" } }, orderBy: { field: WORK_DATE }`,
    )
  const record = (number: number, isOverCap: boolean, minutes = 30) => ({
    workDate: day(number, 1),
    kind: 'DAILY',
    minutes,
    factor: '1.25',
    isOverCap,
    version: 1,
  })
  // 6 × 510 are 51 hours; nothing is owed on Saturday.
  const expected = [0, 1, 2, 3, 4].map((number) => record(number, false)).concat(record(5, true, 510))
  expect(await list()).toEqual(expected)
  const { rows } = await graph.owner.query(
    'SELECT is_overtime_checked AS checked FROM hr.attendance_records WHERE id = $1',
    [before.id],
  )
  expect(rows).toEqual([{ checked: false }])
  await run()
  expect(await list()).toEqual(expected)
  // A rule of its own from a day on; what was found keeps its factor.
  const later = { ...rule, dailyFactor: '3', validFrom: day(0, 2) }
  await ruled(later)
  await works(id, day(0, 2), '17:00')
  await run()
  expect((await list()).slice(-1)).toMatchObject([{ workDate: day(0, 2), factor: '3' }])
  expect((await list()).slice(0, 6)).toEqual(expected)
  expect(
    await userErrors(hr, 'createOvertimeRule', { ...later, validFrom: day(1, 2), nightFrom: '24:00' }),
  ).toMatchObject([{ code: 'INVALID', field: ['nightFrom'] }])
  const unruled = { employeeId: id, day: `${year - 2}-12-30` }
  expect(await userErrors(hr, 'proposeOvertime', unruled)).toMatchObject([
    { code: 'INVALID', field: ['day'] },
  ])
})

test('a rule counts once somebody else approved it, and stays then (9)', async () => {
  const { id: employeeId } = await staff()
  const monday = day(0, 7)
  const refused = (client: typeof hr, verb: string, { id, version }: Row) =>
    userErrors(client, `${verb}OvertimeRule`, { id, expectedVersion: version })
  const wrong = (message: string, field = 'id') => [{ code: 'WRONG_STATUS', field: [field], message }]
  const make = (values: object) =>
    change<Row>(hr, 'createOvertimeRule', { ...rule, ...values }, 'overtimeRule { id version }')
  await ruled({ validFrom: day(6, 6) })
  await works(employeeId, monday, '18:30')
  const generous = await make({ validFrom: monday, dailyFactor: '5' })
  expect(await refused(hr, 'approve', generous)).toEqual([
    { code: 'OWN_RECORD', field: ['id'], message: 'Somebody else must approve it: you proposed it' },
  ])
  expect(await refused(second, 'approve', { ...generous, version: 2 })).toMatchObject([
    { code: 'STALE_VERSION' },
  ])
  // Nothing is counted by a proposal.
  expect(await propose(employeeId, monday)).toMatchObject([{ factor: '1.25', minutes: 120 }])
  const other = await make({ validFrom: monday, dailyFactor: '4' })
  expect(await refused(second, 'approve', other)).toEqual([])
  expect(await propose(employeeId, monday)).toMatchObject([{ factor: '4', minutes: 120 }])
  const holds = `A rule holds since ${monday}: propose one that holds from another day on`
  expect(await refused(second, 'approve', generous)).toEqual(wrong(holds))
  expect(await userErrors(hr, 'createOvertimeRule', { ...rule, validFrom: monday })).toEqual(
    wrong(holds, 'validFrom'),
  )
  expect(await refused(hr, 'delete', generous)).toEqual([])
  expect(await refused(second, 'delete', { ...other, version: 2 })).toEqual(
    wrong('The rule is approved: propose one that follows it'),
  )
  // Of one to come another takes the place.
  const today = dayNumber(graph.clock.now().toISOString().slice(0, 10))
  const [tomorrow, next] = [1, 2].map((days) => dayOfNumber(today + days))
  for (const nightFactor of ['2', '2.5'])
    await approveRule(second, await make({ validFrom: next, nightFactor }))
  const both = await Promise.all(['3', '4'].map((nightFactor) => make({ validFrom: tomorrow, nightFactor })))
  const answers = await Promise.all(both.map((one) => refused(second, 'approve', one)))
  expect(answers.filter((errors) => errors.length === 0).length).toBeGreaterThan(0)
  const { rows } = await graph.owner.query<{ on: string; factor: string; status: string }>(
    `SELECT valid_from::text AS on, night_factor AS factor, status FROM hr.overtime_rules
      WHERE valid_from >= $1 AND status = 'APPROVED' ORDER BY 1`,
    [monday],
  )
  expect(rows.map(({ on }) => on)).toEqual([monday, tomorrow, next].sort())
  expect(rows.find(({ on }) => on === next)).toMatchObject({ factor: '2.5' })
})

test('what holds afterwards has open days be looked into again (9)', async () => {
  const { id } = await staff()
  await ruled({ validFrom: day(0, 3) })
  const [monday, tuesday, wednesday] = [day(0, 4), day(1, 4), day(2, 4)]
  await works(id, monday, '18:30')
  await works(id, tuesday, '18:30')
  await works(id, wednesday, '18:30')
  const [first, next] = await propose(id, monday)
  await decide(second, 'compensate', await decide(hr, 'approve', first!), { compensation: 'PAY' })
  await decide(hr, 'approve', next!)
  const unchecked = async () =>
    (
      await graph.owner.query<{ on: string }>(
        `SELECT work_date::text AS on FROM hr.attendance_records
          WHERE employee_id = $1 AND NOT is_overtime_checked ORDER BY 1`,
        [id],
      )
    ).rows.map(({ on }) => on)
  expect(await unchecked()).toEqual([])
  // A raise from Monday on: 120 × 0.75 are 45 minutes by 2 of what was paid; what is not is worth more.
  const raise = { ...rule, dailyFactor: '2', validFrom: monday }
  const raised = await change<Row>(hr, 'createOvertimeRule', raise, 'overtimeRule { id version }')
  expect(await unchecked()).toEqual([])
  await approveRule(second, raised)
  expect(await unchecked()).toEqual([monday, tuesday, wednesday])
  await run()
  const told = async () =>
    (
      await graph.owner.query<{ told: string }>(
        `SELECT concat_ws(' ', kind, minutes, factor, status) AS told FROM hr.overtime_records
          WHERE employee_id = $1 ORDER BY work_date, 1`,
        [id],
      )
    ).rows.map((row) => row.told)
  expect(await told()).toEqual([
    'DAILY 120 1.25 COMPENSATED',
    'DAILY 45 2 PROPOSED',
    'DAILY 120 2 PROPOSED',
    'DAILY 120 2 PROPOSED',
  ])
  const holiday = await change<Row>(
    hr,
    'createHoliday',
    { day: wednesday, name: 'Feast' },
    'holiday { id version }',
  )
  // The night before may end in it.
  expect(await unchecked()).toEqual([tuesday, wednesday])
  await run()
  expect((await told()).slice(3)).toEqual(['DAILY 120 2 REJECTED', 'HOLIDAY 600 2.5 PROPOSED'])
  const again = async (mutation: string, input: Record<string, unknown>, result: string, days: string[]) => {
    await change(hr, mutation, input, result)
    expect([mutation, await unchecked()]).toEqual([mutation, days])
    await run()
  }
  const moved = { id: holiday.id, expectedVersion: 1, day: monday }
  const week = [monday, tuesday, wednesday]
  await again('updateHoliday', moved, 'holiday { id }', week)
  await again('deleteHoliday', { id: holiday.id, expectedVersion: 2 }, 'holiday { id }', [monday])
  const calendar = { name: 'Long days', timeZone: 'Europe/Berlin', tuesdayMinutes: 600 }
  const made = await change<Row>(hr, 'createWorkCalendar', calendar, 'workCalendar { id version }')
  const assigned = { employeeId: id, calendarId: made.id, validFrom: tuesday }
  await again('createCalendarAssignment', assigned, 'calendarAssignment { id }', [tuesday, wednesday])
  expect((await told()).filter((one) => one.includes('PROPOSED'))).toEqual([
    'DAILY 45 2 PROPOSED',
    'DAILY 120 2 PROPOSED',
  ])
  const longer = { id: made.id, expectedVersion: 1, wednesdayMinutes: 600 }
  await again('updateWorkCalendar', longer, 'workCalendar { id }', week)
  expect((await told()).filter((one) => one.includes('PROPOSED'))).toEqual(['DAILY 45 2 PROPOSED'])
  await again('chooseWorkCalendar', { id: made.id, expectedVersion: 2 }, 'workCalendar { id }', week)
  // Closed days stay.
  const close = (closedThrough: string) =>
    change(
      hr,
      'createAttendanceClosing',
      { closedThrough, reason: 'The month is paid' },
      'attendanceClosing { id }',
    )
  await close(monday)
  const calendars = (await readAll(hr, 'workCalendars', 'id version name')) as unknown as (Row & {
    name: string
  })[]
  const { id: former, version } = calendars.find(({ name }) => name === 'Berlin')!
  const chosen = { id: former, expectedVersion: version }
  await again('chooseWorkCalendar', chosen, 'workCalendar { id }', [tuesday, wednesday])
  await close('2020-01-01')
})

test('one run looks at 50 employees and asks for another one (26)', async () => {
  await graph.owner.query(
    `WITH e AS (
       INSERT INTO hr.employees (tenant_id, id, employee_number, hire_date)
       SELECT $1, gen_random_uuid(), 'B' || n, '2020-01-01' FROM generate_series(1, 51) AS n RETURNING id)
     INSERT INTO hr.attendance_records (tenant_id, id, employee_id, work_date, clock_in_at, clock_out_at, time_zone, worked_minutes, status, source)
     SELECT $1, gen_random_uuid(), id, $2::date, $2::date + interval '8 hours', $2::date + interval '18 hours', 'UTC', 600, 'COMPLETE', 'WEB' FROM e`,
    [acme.id, day(3, 6)],
  )
  const count = async () =>
    (
      await graph.owner.query<{ count: number }>(
        'SELECT count(*)::int FROM hr.overtime_records WHERE work_date = $1',
        [day(3, 6)],
      )
    ).rows[0]!.count
  const waiting = async () =>
    (
      await graph.owner.query<{ count: number }>(
        `SELECT count(*)::int FROM shared.jobs WHERE name = 'overtime-proposals' AND unique_key LIKE 'after %'`,
      )
    ).rows[0]!.count
  await run()
  expect([await count(), await waiting()]).toEqual([50, 1])
  await run()
  expect([await count(), await waiting()]).toEqual([51, 1])
})
