import { dayIn, instantIn } from '../../subgraphs/hr/rules/zone-time'
import type { TestClient } from '../support/graph'
import { change, readAll, userErrors } from '../support/lists'
import { at, forward, graph, hr, openStage, pass, staff, year, zone, type Row } from './work-time-stage'

beforeAll(async () => {
  await openStage()
  forward(at('03-01', '12:00'))
})
afterAll(() => graph.close())

const act = (client: TestClient, verb: string, input: object) =>
  change<Row>(client, `${verb}RemoteWorkSession`, { ...input }, 'remoteWorkSession { id version }')
const refused = (client: TestClient, verb: string, input: object) =>
  userErrors(client, `${verb}RemoteWorkSession`, { ...input })
const seen = ({ id, version }: Row, values: object = {}) => ({ id, expectedVersion: version, ...values })
const statuses = async (client: TestClient) =>
  (await readAll(client, 'remoteWorkSessions', 'status')).map(({ status }) => status).sort()

test('a quota holds whatever zone is told and whatever the rule becomes (review 13)', async () => {
  const [today, tomorrow] = [`${year}-03-01`, `${year}-03-02`]
  const quota = { kind: 'TRAVEL', validFrom: today, daysPerYear: 1 }
  const rule = await change<Row>(hr, 'createRemoteWorkRule', quota, 'remoteWorkRule { id version }')
  const setDays = (version: number, daysPerYear: number) =>
    change<Row>(
      hr,
      'updateRemoteWorkRule',
      { id: rule.id, expectedVersion: version, daysPerYear },
      'remoteWorkRule { id version }',
    )
  const { id, login } = await staff()
  const travel = { employeeId: id, kind: 'TRAVEL', countryCode: 'DE' }
  const asked = await act(login, 'request', { ...travel, workDate: today })
  const full = { code: 'REMOTE_QUOTA', message: `TRAVEL is for 1 days of ${year}, and none is left` }
  // It is tomorrow on Kiritimati before today is over here.
  const far = { ...travel, workDate: tomorrow, timeZone: 'Pacific/Kiritimati' }
  expect(await refused(login, 'request', far)).toEqual([{ ...full, field: ['workDate'] }])
  const { version } = await setDays(rule.version, 0)
  expect(await refused(hr, 'approve', seen(asked))).toMatchObject([{ code: 'REMOTE_QUOTA', field: ['id'] }])
  expect(await statuses(login)).toEqual(['REQUESTED'])
  await setDays(version, 1)
  await act(hr, 'approve', seen(asked))
  const begun = await act(login, 'start', travel)
  expect(begun.id).toBe(asked.id)
  pass(600)
  await act(login, 'end', seen(begun))
  forward(instantIn(zone, tomorrow, '12:00').toISOString())
  expect(await refused(login, 'start', travel)).toEqual([{ ...full, field: ['kind'] }])
  expect(await statuses(login)).toEqual(['ENDED'])
})

test('where somebody worked is shown to no manager who had nothing to decide, and to no former one (review 12)', async () => {
  const [boss, later, worker] = [await staff(), await staff(), await staff()]
  const led = async (version: number, managerId: string) => {
    const changed = { id: worker.id, expectedVersion: version, managerId }
    return (await change<Row>(hr, 'setEmployeeManager', changed, 'employee { id version }')).version
  }
  const version = await led(worker.version, boss.id)
  const client = { employeeId: worker.id, kind: 'CLIENT', countryCode: 'DE' }
  const free = await act(worker.login, 'start', client)
  pass(600)
  await act(worker.login, 'end', seen(free))
  const today = Date.parse(dayIn(zone, graph.clock.now()))
  const ask = (number: number) => {
    const workDate = new Date(today + number * 86_400_000).toISOString().slice(0, 10)
    return act(worker.login, 'request', { ...client, workDate })
  }
  await act(boss.login, 'reject', seen(await ask(1), { decisionNote: 'The fair' }))
  await ask(2)
  expect(await statuses(worker.login)).toEqual(['ENDED', 'REJECTED', 'REQUESTED'])
  expect(await statuses(boss.login)).toEqual(['REJECTED', 'REQUESTED'])
  await led(version, later.id)
  expect([await statuses(boss.login), await statuses(later.login)]).toEqual([[], ['REQUESTED']])
})
