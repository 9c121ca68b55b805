import type { Database } from '../../kernel/connection/database'
import { instantIn } from '../../subgraphs/hr/rules/zone-time'
import { startGraph, testClient, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'

export let graph: TestGraph
export let acme: TestTenant
export let hr: TestClient
export let database: Database
let count = 0
export let year: number
export const zone = 'Europe/Berlin'

/** Opens the graph with a tenant that works in Berlin, and stops its clock on 10 January of a year to come. */
export async function openStage(): Promise<void> {
  graph = await startGraph({
    around: (name, opened) => {
      if (name === 'hr') database = opened
      return opened
    },
  })
  acme = await graph.tenant('acme')
  // Whoever signs in then leaves a trail.
  await graph.owner.query('SELECT shared.ensure_partitions(40)')
  // Nothing depends on the day on which the test runs.
  year = graph.clock.now().getUTCFullYear() + 2
  hr = await signedIn('HR_MANAGER')
  const calendar = { name: 'Berlin', timeZone: zone }
  const made = await change<Row>(hr, 'createWorkCalendar', calendar, 'workCalendar { id version }')
  await change(hr, 'chooseWorkCalendar', { id: made.id, expectedVersion: 1 }, 'workCalendar { id }')
  graph.clock.stop()
  forward(at('01-10', '08:00'))
}

export interface Row {
  id: string
  version: number
}
export interface Staff extends Row {
  login: TestClient
}

/** An instant of the year by the clocks of Berlin. */
export const at = (date: string, time: string): string =>
  instantIn(zone, `${year}-${date}`, time).toISOString()

/** Moves the clock to an instant. */
export const forward = (to: string): void =>
  pass(Math.ceil((Date.parse(to) - graph.clock.now().getTime()) / 1000))
export const pass = (seconds: number): void => graph.clock.advance({ seconds })

/** Somebody who signs in again whenever the token has ended with the time. */
export async function signedIn(role: 'USER' | 'HR_MANAGER'): Promise<TestClient> {
  const { userId, email, password } = await acme.user(role)
  let client: Promise<TestClient> | undefined
  let since = 0
  const signIn = async () => {
    const text = 'mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }'
    const input = { tenant: 'acme', email, password }
    const { signIn: payload } = await graph.anonymous.data<{ signIn: { accessToken: string } }>(text, {
      input,
    })
    return testClient(graph.server.url, userId, { authorization: `Bearer ${payload.accessToken}` })
  }
  const awake = () => {
    const now = graph.clock.now().getTime()
    if (!client || now - since > 300_000) [client, since] = [signIn(), now]
    return client
  }
  return {
    userId,
    headers: {},
    query: async (text, variables) => (await awake()).query(text, variables),
    data: async (text, variables) => (await awake()).data(text, variables),
  }
}

export async function staff(values: Record<string, unknown> = {}): Promise<Staff> {
  const login = await signedIn('USER')
  const input = { employeeNumber: `N${++count}`, userId: login.userId, hireDate: '2020-01-01', ...values }
  return { ...(await change<Row>(hr, 'hireEmployee', input, 'employee { id version }')), login }
}

export const all = `attendanceRecord { id version workDate clockInAt clockOutAt timeZone breakMinutes breaks { startedAt endedAt }
  workedMinutes source status isDespiteLeave }`
export interface Attendance extends Row {
  status: string
  clockInAt: string
  workedMinutes: number | null
}
export const punch = (client: TestClient, verb: string, employeeId: string, values: object = {}) =>
  change<Attendance>(client, verb, { employeeId, ...values }, all)
export const refused = (client: TestClient, verb: string, employeeId: string, values: object = {}) =>
  userErrors(client, verb, { employeeId, ...values })
export const added = (employeeId: string, clockInAt: string, clockOutAt: string, values: object = {}) => ({
  employeeId,
  clockInAt,
  clockOutAt,
  correctionReason: 'No clock there',
  ...values,
})

export async function stored(employeeId: string): Promise<Record<string, unknown>[]> {
  const { rows } = await graph.owner.query<Record<string, unknown>>(
    'SELECT status, worked_minutes, clock_out_at FROM hr.attendance_records WHERE employee_id = $1 ORDER BY clock_in_at',
    [employeeId],
  )
  return rows
}
