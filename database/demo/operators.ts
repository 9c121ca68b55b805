import type { DemoSlug } from './ids'
import { seededId } from './random'
import type { DemoRow } from './rows'
import { day, instant, type DemoSource, type DemoTable } from './table'

const minute = 60_000

/** Somebody of the platform who entered, and no user of the tenant. Nobody signs in as this operator. */
const operator = { id: '019b76da-a800-7000-8000-000000000070', name: 'Ines Okafor' }

/** One time that the operator was in the tenant. */
interface Entry {
  id: string
  began: number
  minutes: number
  reason: string
  readsSensitive: boolean
  /** After how many minutes somebody ended it; null when its time ran out. */
  endedAfter: number | null
  /** Fields that were asked for, as the trail tells it. */
  asked: readonly string[]
}

/** A fixed id, so that the trail names the entry. */
const entryId = (slug: DemoSlug, place: number): string =>
  `019b76da-a800-7000-8000-00000000008${slug === 'acme' ? place : place + 2}`

/** A bill that somebody asked about, looked at and left again; then pay, which needs an entry that says so. */
const entriesOf = (slug: DemoSlug, today: number): readonly Entry[] => [
  {
    id: entryId(slug, 1),
    began: today - 6 * day + 9 * 60 * minute,
    minutes: 30,
    reason: 'Ticket 4711: the administrator finds a bill twice in the list of what is open',
    readsSensitive: false,
    endedAfter: 11,
    asked: ['invoices', 'invoiceSummary'],
  },
  {
    id: entryId(slug, 2),
    began: today - 2 * day + 14 * 60 * minute,
    minutes: 60,
    reason: 'Ticket 4802, with the administrator on the telephone: salaries of one department are not shown',
    readsSensitive: true,
    endedAfter: null,
    asked: ['employees'],
  },
]

const endOf = ({ began, endedAfter }: Entry): string | null =>
  endedAfter === null ? null : instant(began + endedAfter * minute)
const expiryOf = ({ began, minutes }: Entry): string => instant(began + minutes * minute)

export const operatorEntries: DemoTable = {
  name: 'tenancy.operator_entries',
  noun: 'entries of operators',
  rows: ({ slug, random, today }) =>
    entriesOf(slug, today).map((entry) => ({
      id: entry.id,
      operator_id: operator.id,
      operator_name: operator.name,
      session_id: seededId(random, entry.began),
      reason: entry.reason,
      reads_sensitive: entry.readsSensitive,
      expires_at: expiryOf(entry),
      ended_at: endOf(entry),
      created_at: instant(entry.began),
    })),
}

/** The entries as the trail of the tenant tells of them: each beginning, what was asked for, and the end. */
export function entryTrail({ slug, random, today }: DemoSource): DemoRow[] {
  return entriesOf(slug, today).flatMap((entry) => {
    const { id, began, reason, readsSensitive, asked } = entry
    const row = (after: number, action: string, changes: object): DemoRow => ({
      occurred_at: instant(began + after),
      id: seededId(random, began + after),
      actor_id: operator.id,
      action,
      resource_type: 'OperatorEntry',
      resource_id: id,
      changes,
      ip_address: '203.0.113.9',
      user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
    })
    const after = { operatorId: operator.id, operatorName: operator.name, reason, readsSensitive }
    const endedAt = endOf(entry)
    return [
      row(0, 'CREATE', { after: { ...after, expiresAt: expiryOf(entry) } }),
      ...asked.map((field, place) =>
        row((place + 1) * minute, 'VIEW', { read: { fields: [field], ids: [id] } }),
      ),
      ...(endedAt === null
        ? []
        : [row(Date.parse(endedAt) - began, 'UPDATE', { before: { endedAt: null }, after: { endedAt } })]),
    ]
  })
}
