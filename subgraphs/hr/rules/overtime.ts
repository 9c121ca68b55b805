import type { Break } from './attendance-time'
import { minutesBetween, workedMinutes } from './attendance-time'
import { dayNumber, dayOfNumber, hasAfternoon, hasMorning, weekdayOf } from './half-days'
import { hundredthsOf } from './hundredths'
import type { PlannedDay } from './working-days'
import { dayIn, instantIn } from './zone-time'

export type OvertimeKind = 'DAILY' | 'WEEKLY' | 'NIGHT' | 'SUNDAY' | 'HOLIDAY'

/** Thresholds and factors of overtime from a day on. Factors are decimal texts. */
export interface DatedRule {
  validFrom: string
  /** Null: what the employee's calendar plans for the day. */
  dailyMinutes: number | null
  /** Null: weeks have no threshold. */
  weeklyMinutes: number | null
  weeklyCapMinutes: number
  roundingMinutes: number
  nightFrom: string
  nightTo: string
  factors: Readonly<Record<OvertimeKind, string>>
}

/** Work that has ended. */
export interface EndedWork {
  id: string
  workDate: string
  timeZone: string
  clockInAt: string
  clockOutAt: string
  breakMinutes: number
  breaks: readonly Break[]
}

/** Overtime of one kind on one day. */
export interface FoundOvertime {
  workDate: string
  kind: OvertimeKind
  /** The work in which the last of it was done. */
  attendanceId: string
  minutes: number
  exactMinutes: number
  factor: string
  isOverCap: boolean
}

/** Overtime that stands and is not found again. The factor is a decimal text. */
export interface Claim {
  workDate: string
  kind: OvertimeKind
  minutes: number
  factor: string
}

/** A stretch of work without breaks, in whole minutes since 1970. */
interface Stretch {
  work: EndedWork
  from: number
  to: number
}
interface Amount {
  kind: OvertimeKind
  minutes: number
  attendanceId: string
}

/** The kinds in the order in which a minute has one that could be of several with the same factor. */
const precedence: readonly OvertimeKind[] = ['HOLIDAY', 'SUNDAY', 'NIGHT', 'WEEKLY', 'DAILY']
const minuteMs = 60_000
const minuteOf = (instant: string | Date): number => Math.floor(new Date(instant).getTime() / minuteMs)
const lengthOf = (stretches: readonly Stretch[]): number =>
  stretches.reduce((sum, { from, to }) => sum + to - from, 0)

/** The rule that holds on a day; null before the first one. */
export function ruleOn(rules: readonly DatedRule[], day: string): DatedRule | null {
  let found: DatedRule | null = null
  for (const rule of rules)
    // Days written in ISO 8601 have the same order as texts as in time.
    if (rule.validFrom <= day && (found === null || rule.validFrom > found.validFrom)) found = rule
  return found
}

/** Monday of the week of a day (ISO 8601). */
export function mondayOf(day: string): string {
  const number = dayNumber(day)
  return dayOfNumber(number - weekdayOf(number))
}

/** Minutes that a calendar plans for a day, less the halves that holidays leave free. */
export function owedMinutes({ minutes, free }: PlannedDay): number {
  const halves = Number(!free.some(hasMorning)) + Number(!free.some(hasAfternoon))
  return Math.floor((minutes * halves) / 2)
}

/** Minutes that were worked on a day. */
export function workedOn(works: readonly EndedWork[], day: string): number {
  return works.reduce((sum, work) => sum + (work.workDate === day ? workedMinutes(work) : 0), 0)
}

/** The worth of overtime: minutes by their factor, in hundredths of a minute. */
export const worthOf = ({ minutes, factor }: Pick<Claim, 'minutes' | 'factor'>): number =>
  minutes * hundredthsOf(factor)

/** Minutes of a day rounded down, as its rule says. */
export const roundedDown = (minutes: number, { roundingMinutes }: DatedRule): number =>
  minutes - (minutes % roundingMinutes)

/**
 * The overtime of one employee in one week, Monday to Sunday by the days that work counts for: the last minutes of a day beyond
 * its threshold, and before them those with which the week goes beyond its own. Each minute counts once, as the kind with the
 * highest factor that it could have. A day is rounded down as a whole: what falls off is worth least.
 * @param works the ended work of the week
 * @param planned the days of the week and the one after it, by calendar and holidays
 * @param claimed what stands already: it is compared by what it is worth, so that minutes which turn out to be of a kind worth more are
 * found with the difference
 */
export function overtimeOfWeek(
  rules: readonly DatedRule[],
  works: readonly EndedWork[],
  planned: readonly PlannedDay[],
  claimed: readonly Claim[],
): FoundOvertime[] {
  const plans = new Map(planned.map((plan) => [plan.day, plan]))
  const found: FoundOvertime[] = []
  let [regularSoFar, workedSoFar] = [0, 0]
  for (const day of [...new Set(works.map(({ workDate }) => workDate))].sort()) {
    const rule = ruleOn(rules, day)
    const ofDay = works.filter(({ workDate }) => workDate === day)
    const worked = workedOn(ofDay, day)
    workedSoFar += worked
    if (!rule) {
      regularSoFar += worked
      continue
    }
    const owed = rule.dailyMinutes ?? owedMinutes(plans.get(day) ?? { day, minutes: 0, free: [] })
    const daily = Math.max(0, worked - owed)
    const regular = worked - daily
    const weekly =
      rule.weeklyMinutes === null
        ? 0
        : Math.min(regular, Math.max(0, regularSoFar + regular - rule.weeklyMinutes))
    const claims = claimed.filter(({ workDate }) => workDate === day)
    const taken = claims.reduce((sum, { minutes }) => sum + minutes, 0)
    // What stands beyond what the thresholds say is not counted again for the week.
    regularSoFar += regular - weekly - Math.max(0, taken - daily - weekly)
    const stretches = ofDay.flatMap(stretchesOf).sort((one, other) => one.from - other.from)
    const [before, ofDaily] = tail(stretches, daily)
    const [, ofWeekly] = tail(before, weekly)
    const all = [...amounts(ofWeekly, 'WEEKLY', rule, plans), ...amounts(ofDaily, 'DAILY', rule, plans)]
    const exact = unclaimed(together(all), claims, rule)
    const total = exact.reduce((sum, { minutes }) => sum + minutes, 0)
    const rounded = cut(exact, total - roundedDown(total, rule), rule)
    for (const { kind, minutes, attendanceId } of rounded)
      found.push({
        workDate: day,
        kind,
        attendanceId,
        minutes,
        exactMinutes: exact.find((one) => one.kind === kind)!.minutes,
        factor: rule.factors[kind],
        isOverCap: workedSoFar > rule.weeklyCapMinutes,
      })
  }
  return found
}

/**
 * The work without its breaks. Breaks of which nobody wrote when they were count as its first minutes, so never as overtime. Seconds
 * are summed before they are cut off, as the minutes of breaks are.
 */
function stretchesOf(work: EndedWork): Stretch[] {
  const end = minuteOf(work.clockOutAt)
  let from = end - minutesBetween(work.clockInAt, work.clockOutAt)
  let last = Date.parse(work.clockInAt)
  const stretches: Stretch[] = []
  let [knownMs, known] = [0, 0]
  for (const { startedAt, endedAt } of work.breaks) {
    if (endedAt === null) continue
    const [startMs, endMs] = [Date.parse(startedAt), Date.parse(endedAt)]
    const sum = Math.floor((knownMs + endMs - startMs) / minuteMs)
    // After a correction the breaks may lie outside of the work.
    if (startMs < last || endMs > Date.parse(work.clockOutAt) || sum > work.breakMinutes) continue
    const start = Math.min(Math.max(from, minuteOf(startedAt)), end - (sum - known))
    stretches.push({ work, from, to: start })
    from = start + sum - known
    ;[knownMs, known, last] = [knownMs + endMs - startMs, sum, endMs]
  }
  stretches.push({ work, from, to: end })
  return tail(stretches, lengthOf(stretches) - (work.breakMinutes - known))[1]
}

/** The stretches before the last minutes, and these. */
function tail(stretches: readonly Stretch[], minutes: number): [before: Stretch[], last: Stretch[]] {
  const [before, last]: [Stretch[], Stretch[]] = [[], []]
  let left = Math.max(0, minutes)
  for (const one of [...stretches].reverse()) {
    const at = one.to - Math.min(left, one.to - one.from)
    left -= one.to - at
    if (at < one.to) last.unshift({ ...one, from: at })
    if (one.from < at) before.unshift({ ...one, to: at })
  }
  return [before, last]
}

/** The minutes of stretches by the kind that they have. */
function amounts(
  stretches: readonly Stretch[],
  base: OvertimeKind,
  rule: DatedRule,
  plans: ReadonlyMap<string, PlannedDay>,
): Amount[] {
  return stretches.flatMap(({ work, from, to }) => {
    const zone = work.timeZone
    const first = dayNumber(dayIn(zone, new Date(from * minuteMs)))
    const days = [first, first + 1, first + 2].map(dayOfNumber)
    const marks = days.flatMap((day) =>
      ['00:00', rule.nightTo, '12:00', rule.nightFrom].map((time) => minuteOf(instantIn(zone, day, time))),
    )
    const edges = [from, ...new Set(marks.filter((mark) => mark > from && mark < to)), to].sort(
      (one, other) => one - other,
    )
    return edges.slice(1).map((end, place) => {
      const kind = kindAt(new Date(edges[place]! * minuteMs), zone, base, rule, plans)
      return { kind, minutes: end - edges[place]!, attendanceId: work.id }
    })
  })
}

/** The kind with the highest factor that a minute of overtime can have. */
function kindAt(
  instant: Date,
  zone: string,
  base: OvertimeKind,
  rule: DatedRule,
  plans: ReadonlyMap<string, PlannedDay>,
): OvertimeKind {
  const day = dayIn(zone, instant)
  const isAfter = (time: string) => instant >= instantIn(zone, day, time)
  const { nightFrom, nightTo } = rule
  const isNight =
    nightFrom > nightTo
      ? isAfter(nightFrom) || !isAfter(nightTo)
      : nightFrom < nightTo && isAfter(nightFrom) && !isAfter(nightTo)
  const free = plans.get(day)?.free ?? []
  const isHoliday = free.some(isAfter('12:00') ? hasAfternoon : hasMorning)
  const kinds: readonly OvertimeKind[] = [
    ...(isHoliday ? (['HOLIDAY'] as const) : []),
    ...(weekdayOf(dayNumber(day)) === 6 ? (['SUNDAY'] as const) : []),
    ...(isNight ? (['NIGHT'] as const) : []),
    base,
  ]
  return kinds.reduce((best, kind) => (worth(rule, kind) > worth(rule, best) ? kind : best))
}

const worth = ({ factors }: DatedRule, kind: OvertimeKind): number => hundredthsOf(factors[kind])

/** One amount for each kind. */
function together(all: readonly Amount[]): Amount[] {
  return precedence.flatMap((kind) => {
    const same = all.filter((one) => one.kind === kind)
    const minutes = same.reduce((sum, one) => sum + one.minutes, 0)
    return minutes === 0 ? [] : [{ kind, minutes, attendanceId: same.at(-1)!.attendanceId }]
  })
}

/** The amounts less what stands: of its own kind first, then of what is worth least. */
function unclaimed(amounts: readonly Amount[], claims: readonly Claim[], rule: DatedRule): Amount[] {
  const left = new Map(amounts.map((one) => [one.kind, one.minutes * worth(rule, one.kind)]))
  const take = (kind: OvertimeKind, most: number): number => {
    const off = Math.min(most, left.get(kind) ?? 0)
    left.set(kind, (left.get(kind) ?? 0) - off)
    return most - off
  }
  let rest = claims.reduce((sum, claim) => sum + take(claim.kind, worthOf(claim)), 0)
  for (const { kind } of inOrderOfWorth(amounts, rule)) rest = take(kind, rest)
  return amounts
    .map((one) => ({ ...one, minutes: Math.floor(left.get(one.kind)! / worth(rule, one.kind)) }))
    .filter(({ minutes }) => minutes > 0)
}

/** Sorts what is worth least first. */
const inOrderOfWorth = (amounts: readonly Amount[], rule: DatedRule): Amount[] =>
  [...amounts].reverse().sort((one, other) => worth(rule, one.kind) - worth(rule, other.kind))

/** The amounts less some minutes, those that are worth least first. */
function cut(amounts: readonly Amount[], minutes: number, rule: DatedRule): Amount[] {
  let left = minutes
  const kept = inOrderOfWorth(amounts, rule).map((one) => {
    const off = Math.min(left, one.minutes)
    left -= off
    return { ...one, minutes: one.minutes - off }
  })
  return precedence.flatMap((kind) => kept.filter((one) => one.kind === kind && one.minutes > 0))
}

/**
 * Hundredths of days off for overtime: its minutes by their factor, in days as long as one of the calendar is on average, cut off.
 * @param week minutes from Monday to Sunday
 */
export function timeOff(minutes: number, factor: string, week: readonly number[]): number {
  const worked = week.filter((one) => one > 0)
  if (worked.length === 0) return 0
  const sum = worked.reduce((total, one) => total + one, 0)
  return Math.floor((minutes * hundredthsOf(factor) * worked.length) / sum)
}
