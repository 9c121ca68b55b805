import { bucketEdges, mostEdges, type TimeBucket, type TimeBounds } from '../../kernel/reading/time-buckets'
import { isTimeZone } from '../../kernel/schema/time-zone'

const now = new Date('2026-05-20T12:00:00.000Z')
const edges = (per: TimeBucket, zone: string, bounds: TimeBounds) => bucketEdges(per, zone, bounds, now)
const between = (per: TimeBucket, zone: string, from: string, to: string) => edges(per, zone, { from, to })
const instants = (...args: Parameters<typeof between>) => between(...args).map(({ instant }) => instant)

describe('Q8 the edges of spans', () => {
  test.each<[string, TimeBucket, string, string, string, string[]]>([
    [
      'a night of 23 hours in Berlin',
      'DAY',
      'Europe/Berlin',
      '2026-03-28T12:00:00Z',
      '2026-03-30T12:00:00Z',
      ['2026-03-27T23:00', '2026-03-28T23:00', '2026-03-29T22:00', '2026-03-30T22:00'],
    ],
    [
      'a night of 25 hours in New York',
      'DAY',
      'America/New_York',
      '2026-10-31T12:00:00Z',
      '2026-11-02T12:00:00Z',
      ['2026-10-31T04:00', '2026-11-01T04:00', '2026-11-02T05:00', '2026-11-03T05:00'],
    ],
    [
      'clocks that jump over midnight in São Paulo: the day begins at one',
      'DAY',
      'America/Sao_Paulo',
      '2018-11-03T12:00:00Z',
      '2018-11-04T12:00:00Z',
      ['2018-11-03T03:00', '2018-11-04T03:00', '2018-11-05T02:00'],
    ],
    [
      'midnight twice in Havana: the day begins with the first',
      'DAY',
      'America/Havana',
      '2026-10-31T12:00:00Z',
      '2026-11-01T12:00:00Z',
      ['2026-10-31T04:00', '2026-11-01T04:00', '2026-11-02T05:00'],
    ],
    [
      'weeks from Monday on',
      'WEEK',
      'UTC',
      '2026-02-28T12:00:00Z',
      '2026-03-02T00:00:00Z',
      ['2026-02-23T00:00', '2026-03-02T00:00', '2026-03-09T00:00'],
    ],
    [
      'months, across the change of clocks',
      'MONTH',
      'Europe/Berlin',
      '2026-02-28T23:00:00Z',
      '2026-03-31T22:00:00Z',
      ['2026-02-28T23:00', '2026-03-31T22:00', '2026-04-30T22:00'],
    ],
    [
      'quarters',
      'QUARTER',
      'Asia/Tokyo',
      '2025-12-31T14:59:00Z',
      '2025-12-31T15:00:00Z',
      ['2025-09-30T15:00', '2025-12-31T15:00', '2026-03-31T15:00'],
    ],
    [
      'years',
      'YEAR',
      'UTC',
      '2024-02-29',
      '2025-01-01',
      ['2024-01-01T00:00', '2025-01-01T00:00', '2026-01-01T00:00'],
    ],
  ])('%s', (_, per, zone, from, to, expected) => {
    expect(instants(per, zone, from, to)).toEqual(expected.map((instant) => `${instant}:00.000Z`))
  })

  test('a day that Samoa left out has no span', () => {
    const days = between('DAY', 'Pacific/Apia', '2011-12-29T12:00:00Z', '2011-12-31T12:00:00Z')
    expect(days.map(({ day }) => day)).toEqual(['2011-12-29', '2011-12-31', '2012-01-01', '2012-01-02'])
  })

  test('say the first day, and are strictly one after the other in every zone', () => {
    expect(between('MONTH', 'Asia/Kathmandu', '2026-01-15', '2026-01-15')).toEqual([
      { instant: '2025-12-31T18:15:00.000Z', day: '2026-01-01' },
      { instant: '2026-01-31T18:15:00.000Z', day: '2026-02-01' },
    ])
    for (const zone of Intl.supportedValuesOf('timeZone')) {
      const found = instants('DAY', zone, '2025-10-01', '2026-04-15')
      expect({ zone, sorted: [...new Set(found)].sort() }).toEqual({ zone, sorted: found })
    }
  })

  test('without bounds there are as many as there may be, around the present', () => {
    const open = edges('MONTH', 'UTC', {})
    expect([open.length, open[0]!.day, open.at(-1)!.day]).toEqual([mostEdges, '1959-11-01', '2043-02-01'])
    expect(edges('DAY', 'UTC', { from: '2026-01-01' }).slice(0, 1)).toEqual([
      { instant: '2026-01-01T00:00:00.000Z', day: '2026-01-01' },
    ])
    expect(edges('DAY', 'UTC', { to: '2026-01-01' }).at(-1)).toEqual({
      instant: '2026-01-02T00:00:00.000Z',
      day: '2026-01-02',
    })
    expect(edges('YEAR', 'UTC', {}).length).toBe(mostEdges)
  })

  test('more than there may be are refused, as many as there may be are not', () => {
    expect(between('DAY', 'UTC', '2026-01-01', '2028-09-25')).toHaveLength(mostEdges)
    expect(() => between('DAY', 'UTC', '2026-01-01', '2028-09-26')).toThrow(
      'per: from 2026-01-01 to 2028-09-26 there are more than 999 spans of a DAY: ask for longer ones, or for less time',
    )
  })
})

test.each([
  ['Europe/Berlin', true],
  ['UTC', true],
  ['America/Argentina/Buenos_Aires', true],
  ['+02:00', false],
  ['Europe/Nowhere', false],
  ['', false],
  ['x'.repeat(1000), false],
])('%s is a time zone: %s', (name, expected) => {
  expect(isTimeZone(name)).toBe(expected)
})
