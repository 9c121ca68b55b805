import { dayNumber, dayOfNumber } from '../../subgraphs/hr/rules/half-days'
import { mondayOf } from '../../subgraphs/hr/rules/overtime'
import { instantIn } from '../../subgraphs/hr/rules/zone-time'
import type { TestClient } from '../support/graph'
import { change, userErrors } from '../support/lists'
import {
  added,
  graph,
  hr,
  openStage,
  signedIn,
  staff,
  year,
  zone,
  type Row,
  type Staff,
} from './work-time-stage'

export let second: TestClient
/** Whoever records the work of others does not grant its overtime. */
let clerk: TestClient
export const rule = {
  weeklyMinutes: 2400,
  dailyFactor: '1.25',
  weeklyFactor: '1.2',
  nightFactor: '1.5',
  sundayFactor: '1.75',
  holidayFactor: '2.5',
}

/** Opens the stage with a rule, and a second person who decides. */
export async function openOvertime(): Promise<void> {
  await openStage()
  second = await signedIn('HR_MANAGER')
  clerk = await signedIn('HR_MANAGER')
  await ruled({ validFrom: `${year - 1}-01-01` })
}

/** A rule that one person proposed and another one approved. */
export async function ruled(values: object): Promise<Row> {
  const made = await change<Row>(
    hr,
    'createOvertimeRule',
    { ...rule, ...values },
    'overtimeRule { id version }',
  )
  return approveRule(second, made)
}
export const approveRule = (client: TestClient, { id, version }: Row): Promise<Row> =>
  change<Row>(client, 'approveOvertimeRule', { id, expectedVersion: version }, 'overtimeRule { id version }')

/** A day of a week of September, 0 for Monday. */
export const day = (number = 0, week = 0): string =>
  dayOfNumber(dayNumber(mondayOf(`${year - 1}-09-10`)) + 7 * week + number)
export const at = (date: string, time: string): string => instantIn(zone, date, time).toISOString()
/** Work from 8 o'clock on, with half an hour of breaks. */
export const works = (employeeId: string, date: string, until: string, client = clerk) =>
  change<Row>(
    client,
    'createAttendanceRecord',
    added(employeeId, at(date, '08:00'), at(date, until), { breakMinutes: 30 }),
    'attendanceRecord { id version }',
  )
export const shown =
  'id version workDate kind minutes exactMinutes factor isOverCap status compensation approvedBy { id }'
export interface Overtime extends Row {
  kind: string
  minutes: number
  status: string
}
/** What is not refused of the day's week, after a look. */
export async function propose(employeeId: string, date = day()): Promise<Overtime[]> {
  const text = `mutation ($input: ProposeOvertimeInput!) { proposeOvertime(input: $input) { employee {
    overtimeRecords(filter: { not: { status: { eq: REJECTED } } }, orderBy: { field: WORK_DATE }) { nodes { ${shown} } } } } }`
  const { proposeOvertime } = await hr.data<{
    proposeOvertime: { employee: { overtimeRecords: { nodes: Overtime[] } } }
  }>(text, { input: { employeeId, day: date } })
  const nodes = proposeOvertime.employee.overtimeRecords.nodes
  return nodes.sort((one, other) =>
    one.kind < other.kind ? -1 : one.kind > other.kind ? 1 : one.status < other.status ? -1 : 1,
  )
}
export const decide = (client: TestClient, verb: string, { id, version }: Row, values: object = {}) =>
  change<Overtime>(
    client,
    `${verb}OvertimeRecord`,
    { id, expectedVersion: version, ...values },
    `overtimeRecord { ${shown} }`,
  )
export const denied = (client: TestClient, verb: string, { id, version }: Row, values: object = {}) =>
  userErrors(client, `${verb}OvertimeRecord`, { id, expectedVersion: version, ...values })
/** Has the work end at another time, by one person and a second one. */
export async function correct(recordId: string, version: number, date: string, until: string): Promise<void> {
  const times = { clockInAt: at(date, '08:00'), clockOutAt: at(date, until), breakMinutes: 30 }
  const ask = { id: recordId, expectedVersion: version, ...times, correctionReason: 'The list says so' }
  await change(clerk, 'correctAttendanceRecord', ask, 'attendanceRecord { id }')
  await change(
    second,
    'approveAttendanceRecord',
    { id: recordId, expectedVersion: version + 1 },
    'attendanceRecord { id }',
  )
}
/** Somebody whom a manager decides about. */
export async function reportTo({ id: managerId }: Row): Promise<Staff> {
  const made = await staff()
  const change1 = { id: made.id, expectedVersion: made.version, managerId }
  return { ...made, ...(await change<Row>(hr, 'setEmployeeManager', change1, 'employee { id version }')) }
}
export async function stored(employeeId: string): Promise<string[]> {
  const { rows } = await graph.owner.query<{ text: string }>(
    `SELECT concat_ws(' ', kind, minutes, status) AS text FROM hr.overtime_records
      WHERE employee_id = $1 ORDER BY work_date, 1`,
    [employeeId],
  )
  return rows.map(({ text }) => text)
}
