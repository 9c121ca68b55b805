import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { ownFile } from '../../gateway/http/pages/page'

interface Span {
  from: string
  until: string
  start: string
  end: string
}
interface Periods {
  of(name: 'days' | 'weeks' | 'months', instant: string, zone: string): { now: Span; before: Span }
}

function periods(): Periods {
  const page: { periods?: Periods; Intl: typeof Intl; Date: DateConstructor } = { Intl, Date }
  runInNewContext(readFileSync(ownFile('dashboard', 'periods.js'), 'utf8'), page)
  return page.periods!
}

const { of } = periods()
const endOf = (day: string, zone: string) => of('days', `${day}T15:00:00Z`, zone).now.end

test.each([
  // The end of a day is the beginning of the next one.
  ['America/Santiago', '2026-09-05', '2026-09-06T04:00:00.000Z', 'midnight that is left out'],
  ['America/Santiago', '2026-09-06', '2026-09-07T03:00:00.000Z', 'the day after'],
  ['America/Santiago', '2026-04-04', '2026-04-05T04:00:00.000Z', 'an hour that comes twice before midnight'],
  ['America/Havana', '2026-03-07', '2026-03-08T05:00:00.000Z', 'midnight that is left out'],
  ['America/Havana', '2026-10-31', '2026-11-01T04:00:00.000Z', 'midnight that comes twice'],
  ['America/Havana', '2026-11-01', '2026-11-02T05:00:00.000Z', 'the day after'],
  ['Europe/Berlin', '2026-03-28', '2026-03-28T23:00:00.000Z', 'before the change at night'],
  ['Europe/Berlin', '2026-03-29', '2026-03-29T22:00:00.000Z', 'after it'],
  ['Europe/Berlin', '2026-10-24', '2026-10-24T22:00:00.000Z', 'before the other change'],
  ['Europe/Berlin', '2026-10-25', '2026-10-25T23:00:00.000Z', 'after that'],
  ['Asia/Kolkata', '2026-05-01', '2026-05-01T18:30:00.000Z', 'half an hour beside the others'],
  ['Pacific/Kiritimati', '2026-05-01', '2026-05-02T10:00:00.000Z', 'a day ahead'],
])('dash 22: in %s the day after %s begins at %s: %s', (zone, day, end) => {
  expect(endOf(day, zone)).toBe(end)
})

const daysOf = (name: 'days' | 'weeks' | 'months', instant: string, zone = 'UTC') => {
  const { now, before } = of(name, instant, zone)
  return [now.from, now.until, before.from, before.until]
}

test('dash 22: days, weeks from Monday, and months, beside as many before', () => {
  expect(of('days', '2026-10-05T15:00:00Z', 'America/Santiago').now).toMatchObject({
    from: '2026-09-06',
    start: '2026-09-06T04:00:00.000Z',
  })
  expect(daysOf('days', '2026-03-01T12:00:00Z')).toEqual([
    '2026-01-31',
    '2026-03-02',
    '2026-01-01',
    '2026-01-31',
  ])
  // A Sunday is the last day of its week, a Monday the first.
  expect(daysOf('weeks', '2026-11-29T12:00:00Z')).toEqual([
    '2026-08-31',
    '2026-11-30',
    '2026-06-01',
    '2026-08-31',
  ])
  expect(daysOf('weeks', '2026-11-30T12:00:00Z').slice(0, 2)).toEqual(['2026-09-07', '2026-12-01'])
  expect(daysOf('months', '2026-01-31T12:00:00Z')).toEqual([
    '2025-02-01',
    '2026-02-01',
    '2024-02-01',
    '2025-02-01',
  ])
  // Until the end of the same day a year before, which of the 29th of February is the 28th.
  expect(daysOf('months', '2028-02-28T12:00:00Z').slice(1)).toEqual([
    '2028-02-29',
    '2026-03-01',
    '2027-03-01',
  ])
  expect(daysOf('months', '2028-02-29T12:00:00Z').slice(1)).toEqual([
    '2028-03-01',
    '2026-03-01',
    '2027-03-01',
  ])
  // Today is the tenant's: it is tomorrow there already.
  expect(daysOf('days', '2026-05-01T23:00:00Z', 'Europe/Berlin')[1]).toBe('2026-05-03')
})
