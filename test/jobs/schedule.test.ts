import { occurrences } from '../../kernel/jobs/schedule'

/** Schedules in the time of a place, over the nights on which its clocks are put forward and back. */
const berlin = (cron: string) => occurrences({ cron, timeZone: 'Europe/Berlin' })
const at = (instant: string) => new Date(instant)

/** Each time that comes, as a worker that looks every minute finds it. */
function found(cron: string, from: string, hours: number): string[] {
  const times = berlin(cron)
  const seen = new Set<string>()
  for (let minute = 0; minute <= hours * 60; minute++) {
    const time = times.last(new Date(at(from).getTime() + minute * 60_000))
    if (time && time > at(from)) seen.add(time.toISOString())
  }
  return [...seen]
}

test('a night that has no half past two has the time once, when the clocks have jumped', () => {
  expect(found('30 2 * * *', '2026-03-28T12:00:00Z', 48)).toEqual([
    '2026-03-29T01:00:00.000Z',
    '2026-03-30T00:30:00.000Z',
  ])
})

test('a night that has half past two twice has the time once, the first of them', () => {
  expect(found('30 2 * * *', '2026-10-24T12:00:00Z', 48)).toEqual([
    '2026-10-25T00:30:00.000Z',
    '2026-10-26T01:30:00.000Z',
  ])
})

test('each hour is each hour, in a night of 23 and in one of 25', () => {
  expect(found('0 * * * *', '2026-03-28T23:30:00Z', 3)).toHaveLength(3)
  expect(found('0 * * * *', '2026-10-24T23:30:00Z', 4)).toEqual([
    '2026-10-25T00:00:00.000Z',
    '2026-10-25T01:00:00.000Z',
    '2026-10-25T02:00:00.000Z',
    '2026-10-25T03:00:00.000Z',
  ])
})

test('the last time is the instant itself, and not a moment before it', () => {
  const times = berlin('0 12 * * *')
  expect(times.last(at('2026-07-01T10:00:00.000Z'))).toEqual(at('2026-07-01T10:00:00.000Z'))
  expect(times.last(at('2026-07-01T10:00:00.001Z'))).toEqual(at('2026-07-01T10:00:00.000Z'))
  expect(times.last(at('2026-07-01T09:59:59.999Z'))).toEqual(at('2026-06-30T10:00:00.000Z'))
})

test.each([
  ['a pattern that is none', '61 * * * *', 'UTC', /Invalid value for minute: 61/],
  ['one with seconds', '0 30 2 * * *', 'UTC', /./],
  ['a zone that is none', '0 0 * * *', 'Mars/Olympus', /Invalid timezone 'Mars\/Olympus'/],
  ['a day that never comes', '0 0 30 2 *', 'UTC', /never comes/],
])('%s is refused', (_, cron, timeZone, message) => {
  expect(() => occurrences({ cron, timeZone })).toThrow(message)
})
