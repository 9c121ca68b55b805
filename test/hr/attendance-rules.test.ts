import {
  endedBreaks,
  isSamePunch,
  minutesBetween,
  minutesOfBreaks,
  timesFault,
  workedMinutes,
} from '../../subgraphs/hr/rules/attendance-time'
import { dayIn, instantIn } from '../../subgraphs/hr/rules/zone-time'

const night = (first: string, last: string, zone = 'Europe/Berlin') => ({
  clockInAt: instantIn(zone, first, '22:00').toISOString(),
  clockOutAt: instantIn(zone, last, '06:00').toISOString(),
  breakMinutes: 30,
})

test.each([
  ['a usual night', '2026-11-28', '2026-11-29', 'Europe/Berlin', 450],
  ['the night of 23 hours', '2026-03-28', '2026-03-29', 'Europe/Berlin', 390],
  ['the night of 25 hours', '2026-10-24', '2026-10-25', 'Europe/Berlin', 510],
  ['half an hour forwards', '2026-10-03', '2026-10-04', 'Australia/Lord_Howe', 420],
  ['where clocks never change', '2026-10-24', '2026-10-25', 'Asia/Tokyo', 450],
])('%s counts what went by', (_, first, last, zone, minutes) => {
  const times = night(first, last, zone)
  expect(workedMinutes(times)).toBe(minutes)
  // It is of the day on which it began.
  expect(dayIn(zone, new Date(times.clockInAt))).toBe(first)
})

test('minutes are whole: seconds of breaks are summed first', () => {
  const at = (time: string) => `2026-05-04T${time}.000Z`
  expect(minutesBetween(at('08:00:30'), at('08:02:29'))).toBe(1)
  const breaks = [
    { startedAt: at('10:00:00'), endedAt: at('10:00:40') },
    { startedAt: at('11:00:00'), endedAt: at('11:00:40') },
    { startedAt: at('12:00:00'), endedAt: null },
  ]
  expect(minutesOfBreaks(breaks)).toBe(1)
  expect(minutesOfBreaks(endedBreaks(breaks, at('12:30:00')))).toBe(31)
})

test('times make sense, or are told by their field', () => {
  const now = new Date('2026-05-05T12:00:00Z')
  const at = (clockInAt: string, clockOutAt: string, breakMinutes = 0) =>
    timesFault({ clockInAt, clockOutAt, breakMinutes }, now)?.field ?? null
  expect(at('2026-05-04T08:00:00Z', '2026-05-04T16:00:00Z', 480)).toBeNull()
  expect(at('2026-05-04T12:00:00Z', '2026-05-05T12:00:00Z')).toBeNull()
  expect(at('2026-05-04T08:00:00Z', '2026-05-04T08:00:00Z')).toBe('clockOutAt')
  expect(at('2026-05-04T11:59:59Z', '2026-05-05T12:00:00Z')).toBe('clockOutAt')
  expect(at('2026-05-05T12:00:00Z', '2026-05-05T12:00:01Z')).toBe('clockOutAt')
  expect(at('2026-05-04T08:00:00Z', '2026-05-04T16:00:00Z', 481)).toBe('breakMinutes')
  expect(at('2026-05-04T08:00:00Z', '2026-05-04T16:00:00Z', -1)).toBe('breakMinutes')
})

test('a punch is the same for sixty seconds', () => {
  const at = '2026-05-04T08:00:00.000Z'
  expect(isSamePunch(at, new Date('2026-05-04T08:01:00.000Z'))).toBe(true)
  expect(isSamePunch(at, new Date('2026-05-04T08:01:00.001Z'))).toBe(false)
})
