import { assert, integer, property } from 'fast-check'
import {
  addBusinessSeconds,
  businessSeconds,
  hoursFault,
  instantOfWallTime,
  weekdays,
  type BusinessTime,
} from '../../subgraphs/insights/rules/business-hours'
import {
  paused,
  promised,
  resumed,
  settled,
  started,
  stopped,
} from '../../subgraphs/insights/rules/sla-clock'

const office: BusinessTime = {
  timeZone: 'Europe/Berlin',
  hours: weekdays.slice(0, 5).flatMap((weekday) => [
    { weekday, opensAt: '09:00', closesAt: '12:00' },
    { weekday, opensAt: '13:00', closesAt: '17:00' },
  ]),
  closedOn: ['2026-12-25', '2027-01-01'],
}
const always = (timeZone: string): BusinessTime => ({
  timeZone,
  hours: weekdays.map((weekday) => ({ weekday, opensAt: '00:00', closesAt: '24:00' })),
  closedOn: [],
})
const hour = 3_600

describe('business hours', () => {
  test.each<[string, BusinessTime | null, string, string, number]>([
    ['within one span', office, '2026-11-26T09:00:00Z', '2026-11-26T10:30:00Z', 1.5 * hour],
    ['over the lunch break', office, '2026-11-26T10:00:00Z', '2026-11-26T13:00:00Z', 2 * hour],
    ['over the weekend', office, '2026-11-27T15:00:00Z', '2026-11-30T09:00:00Z', 2 * hour],
    ['over a holiday', office, '2026-12-24T15:00:00Z', '2026-12-28T09:00:00Z', 2 * hour],
    [
      'the weekend in which an hour is left out',
      office,
      '2027-03-26T15:00:00Z',
      '2027-03-29T08:00:00Z',
      2 * hour,
    ],
    [
      'the weekend in which an hour comes twice',
      office,
      '2026-10-23T14:00:00Z',
      '2026-10-26T09:00:00Z',
      2 * hour,
    ],
    ['a day of 23 hours', always('Europe/Berlin'), '2027-03-27T23:00:00Z', '2027-03-28T22:00:00Z', 23 * hour],
    ['a day of 25 hours', always('Europe/Berlin'), '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z', 25 * hour],
    [
      'a day that a zone left out',
      always('Pacific/Apia'),
      '2011-12-30T00:00:00Z',
      '2011-12-31T00:00:00Z',
      24 * hour,
    ],
    ['no calendar', null, '2026-11-28T00:00:00Z', '2026-11-28T00:00:01.999Z', 1],
    ['nothing backwards', office, '2026-11-27T15:00:00Z', '2026-11-26T15:00:00Z', 0],
  ])('%s', (_, calendar, from, to, seconds) => {
    expect(businessSeconds(calendar, new Date(from), new Date(to))).toBe(seconds)
  })

  test.each<[string, string, number, string]>([
    ['ends with the day', '2026-11-26T15:00:00Z', hour, '2026-11-26T16:00:00.000Z'],
    ['goes on the next morning', '2026-11-26T15:00:00Z', hour + 1, '2026-11-27T08:00:01.000Z'],
    ['begins when work does', '2026-11-28T12:00:00Z', hour, '2026-11-30T09:00:00.000Z'],
    [
      'in summer time after the weekend of the change',
      '2027-03-26T15:30:00Z',
      hour,
      '2027-03-29T07:30:00.000Z',
    ],
  ])('so much later: %s', (_, from, seconds, at) => {
    expect(addBusinessSeconds(office, new Date(from), seconds).toISOString()).toBe(at)
  })

  test('a time that clocks leave out comes as long after the change, one that comes twice is the first', () => {
    const at = (wall: string) => new Date(instantOfWallTime('Europe/Berlin', Date.parse(wall))).toISOString()
    expect(at('2027-03-28T02:30:00Z')).toBe('2027-03-28T01:30:00.000Z')
    expect(at('2026-10-25T02:30:00Z')).toBe('2026-10-25T00:30:00.000Z')
  })

  test('what is added is what lies between, over both changes of the clock', () => {
    const from = Date.parse('2026-10-20T00:00:00Z')
    assert(
      property(
        integer({ min: 0, max: 200 * 86_400 }),
        integer({ min: 1, max: 400 * hour }),
        (later, seconds) => {
          const start = new Date(from + later * 1000)
          expect(businessSeconds(office, start, addBusinessSeconds(office, start, seconds))).toBe(seconds)
        },
      ),
      { numRuns: 200 },
    )
  })

  const monday = (opensAt: string, closesAt: string) => ({ weekday: 'MONDAY' as const, opensAt, closesAt })
  test.each([
    [[], 'hours must have 1 to 50 entries'],
    [[monday('9:00', '17:00')], 'hours must have times such as 09:00; 24:00 is the end of a day'],
    [[monday('09:00', '24:30')], 'hours must have times such as 09:00; 24:00 is the end of a day'],
    [[monday('17:00', '09:00')], 'hours must end later than they begin'],
    [[monday('09:00', '09:59')], 'hours must add up to one hour a week at least'],
    [[monday('09:00', '12:00'), monday('11:59', '13:00')], 'hours of one day must not overlap'],
    [[monday('09:00', '12:00'), monday('12:00', '24:00')], null],
  ])('faults of hours: %j', (hours, fault) => {
    expect(hoursFault(hours)).toBe(fault)
  })
})

describe('a clock', () => {
  const at = (time: string) => new Date(`2026-11-26T${time}:00Z`)
  const clock = started(120, office, at('08:00'))

  test('stands and goes on with what is left', () => {
    expect(clock.dueAt).toBe('2026-11-26T10:00:00.000Z')
    const standing = paused(clock, office, at('09:30'))
    expect(standing).toMatchObject({ dueAt: null, secondsLeft: 30 * 60, breachedAt: null })
    expect(paused(standing, office, at('15:00'))).toEqual(standing)
    expect(resumed(standing, office, at('14:00'))).toMatchObject({
      dueAt: '2026-11-26T14:30:00.000Z',
      secondsLeft: null,
    })
  })

  test('is late from when it was due, once, and stays so', () => {
    expect(settled(clock, at('09:59')).breachedAt).toBeNull()
    const late = settled(clock, at('10:00'))
    expect(late.breachedAt).toBe('2026-11-26T10:00:00.000Z')
    const later = resumed(paused(late, office, at('11:00')), office, at('15:00'))
    expect(later).toMatchObject({ breachedAt: late.breachedAt, dueAt: late.breachedAt })
    expect(stopped(later, at('16:00'))).toMatchObject({ breachedAt: late.breachedAt, secondsLeft: null })
    expect(promised(late, 10_000, { before: office, after: office }, at('11:00'), false)).toEqual(late)
  })

  test('keeps what it has run under another promise', () => {
    const both = { before: office, after: office }
    const shorter = promised(clock, 60, both, at('08:30'), false)
    expect(shorter).toMatchObject({ dueAt: '2026-11-26T09:00:00.000Z', minutes: 60 })
    const over = promised(clock, 60, both, at('09:30'), false)
    expect(over).toMatchObject({ dueAt: '2026-11-26T09:30:00.000Z', breachedAt: '2026-11-26T09:30:00.000Z' })
    const standing = promised(paused(clock, office, at('08:30')), 240, both, at('15:00'), true)
    expect(standing).toMatchObject({ dueAt: null, secondsLeft: 210 * 60 })
    expect(promised(clock, null, both, at('08:30'), false)).toEqual({
      minutes: null,
      dueAt: null,
      secondsLeft: null,
      breachedAt: null,
    })
  })
})
