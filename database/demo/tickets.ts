import { customers } from './customers'
import { demoUserIds, type DemoSlug } from './ids'
import { seededId, seededRandom, type Random } from './random'
import type { DemoRow } from './rows'
import { day, instant, times, type DemoSource, type DemoTable } from './table'

/** Fixed ids, so that policies can name their calendar, and tickets their policy. */
const deskId = (slug: DemoSlug, place: string) =>
  `019b76da-a800-7000-8001-0000000000${slug === 'acme' ? 'e' : 'f'}${place}`
const timeZones: Readonly<Record<DemoSlug, string>> = { acme: 'Europe/Berlin', globex: 'America/New_York' }
const weekdays = ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY']

export const businessCalendars: DemoTable = {
  name: 'insights.business_calendars',
  noun: 'calendars of support',
  rows: ({ slug, today }) => [
    {
      id: deskId(slug, '0'),
      name: 'Service desk',
      time_zone: timeZones[slug],
      hours: weekdays.map((weekday) => ({ weekday, opensAt: '08:00', closesAt: '18:00' })),
      closed_on: [`${new Date(today).getUTCFullYear()}-12-25`],
      created_at: instant(today - 400 * day),
    },
    {
      id: deskId(slug, '4'),
      name: 'Hotline',
      time_zone: timeZones[slug],
      hours: [...weekdays, 'SATURDAY'].map((weekday) => ({ weekday, opensAt: '07:00', closesAt: '22:00' })),
      closed_on: [],
      created_at: instant(today - 380 * day),
    },
  ],
}

const policies = [
  ['1', 'Urgent', 'URGENT', 60, 480],
  ['2', 'High', 'HIGH', 240, 1_200],
  ['3', 'Normal', 'NORMAL', 600, 3_000],
] as const

export const slaPolicies: DemoTable = {
  name: 'insights.sla_policies',
  noun: 'policies of support',
  rows: ({ slug, today }) =>
    policies.map(([place, name, priority, first_response_minutes, resolution_minutes]) => ({
      id: deskId(slug, place),
      name,
      priority,
      first_response_minutes,
      resolution_minutes,
      // What is urgent is so at night as well.
      calendar_id: priority === 'URGENT' ? null : deskId(slug, '0'),
      created_at: instant(today - 399 * day),
    })),
}

/** Holds what customers write, what was the matter, how they sound, and what support answers. */
const matters = [
  ['Invoice charged twice', 'billing', -60, 'The second charge is being returned; it takes three days.'],
  ['Spare part is missing', 'delivery', -20, 'The part leaves our warehouse today.'],
  [
    'No text message before the visit',
    'question',
    10,
    'Messages are sent an hour before; your number was missing.',
  ],
  ['The app closes by itself', 'defect', -45, 'Please install version 4.2, in which this is mended.'],
  ['Thanks for the quick repair', 'praise', 85, 'We are glad to hear that.'],
  [
    'Delivery is three weeks late',
    'delivery',
    -80,
    'The carrier lost it. A new one is on its way by express.',
  ],
] as const
const statuses = ['NEW', 'OPEN', 'OPEN', 'WAITING', 'RESOLVED', 'CLOSED', 'CLOSED'] as const
const hour = 3_600_000

function ticketsOf(source: DemoSource) {
  const { slug, today } = source
  const random = seededRandom(`${slug} insights.support_tickets`)
  const known = customers.rows({ ...source, random: seededRandom(`${slug} insights.customers`) })
  const tickets = times(200, (place) => {
    const customer = random.pick(known)
    const [subject, category, sounds, answer] = random.pick(matters)
    // The first is the story of a late delivery: urgent, answered after three hours instead of one, and not solved.
    const isStory = place === 0
    const status = isStory ? 'OPEN' : random.pick(statuses)
    const opened = isStory ? today - 2 * day : today - random.int(2, 300) * day - random.int(0, day)
    const policy = isStory ? policies[0] : random.chance(0.15) ? null : random.pick(policies)
    const [, , priority, firstMinutes, minutes] = policy ?? [null, null, 'LOW' as const, null, null]
    const answered = status === 'NEW' ? null : opened + (isStory ? 3 : random.int(1, 9)) * hour
    const isOver = status === 'RESOLVED' || status === 'CLOSED'
    const resolved = isOver ? (answered ?? opened) + random.int(1, 20) * hour : null
    const isLate = answered !== null && priority === 'URGENT' && answered > opened + hour
    const stands = status === 'WAITING' || isOver
    const [late, , , lateAnswer] = [...matters[5]]
    const row = {
      id: seededId(random, opened),
      ticket_number: `T-${place + 1}`,
      customer_email: (customer['email'] as string | null) ?? `nobody${place}@${slug}-customers.example`,
      customer_id: customer['email'] ? customer['id'] : null,
      subject: isStory ? late : subject,
      description: isStory
        ? 'I was promised the pump for the first of the month. Our line stands still!'
        : null,
      category: isStory ? 'delivery' : category,
      priority,
      channel: random.pick(['EMAIL', 'CHAT', 'WEB', 'PHONE']),
      status,
      sentiment_score: isStory ? -0.9 : sounds / 100,
      assignee_id:
        status === 'NEW' ? null : random.pick([demoUserIds[slug].admin, demoUserIds[slug].analyst]),
      escalated_at: isStory ? instant(opened + 4 * hour) : null,
      resolved_at: resolved === null ? null : instant(resolved),
      closed_at: status === 'CLOSED' ? instant(resolved! + day) : null,
      sla_policy_id: policy ? deskId(slug, policy[0]) : null,
      first_responded_at: answered === null ? null : instant(answered),
      first_response_minutes: firstMinutes,
      first_response_due_at: policy ? instant(opened + firstMinutes! * 60_000) : null,
      first_response_breached_at: isLate ? instant(opened + hour) : null,
      resolution_minutes: minutes,
      resolution_due_at: policy && !stands ? instant(opened + minutes! * 60_000) : null,
      resolution_seconds_left: policy && stands ? 3_600 : null,
      resolution_breached_at: isStory ? instant(opened + minutes! * 60_000) : null,
      created_at: instant(opened),
    }
    const messages = [
      ...(answered === null ? [] : [[answered, false, 'PUBLIC', isStory ? lateAnswer : answer] as const]),
      ...(isStory
        ? [
            [
              opened + 4 * hour,
              false,
              'INTERNAL',
              'Third complaint this quarter; the account manager knows.',
            ] as const,
            [opened + 20 * hour, true, 'PUBLIC', 'Still nothing has arrived.'] as const,
          ]
        : []),
    ].map(([sent, isCustomer, visibility, body]) => ({
      id: seededId(random, sent),
      ticket_id: row.id,
      conversation_id: row.id,
      author_id: demoUserIds[slug].analyst,
      customer_id: isCustomer ? row.customer_id : null,
      is_from_customer: isCustomer,
      visibility,
      body,
      sent_at: instant(sent),
    }))
    return { row, messages }
  })
  return withRelatives(tickets, random)
}

interface Ticket {
  row: DemoRow & { id: string }
  messages: DemoRow[]
}

/** The late delivery was reported twice, and is what an earlier ticket was about: the second is merged into the first. */
function withRelatives(tickets: readonly Ticket[], random: Random): Ticket[] {
  const [story, second, earlier, ...others] = tickets as [Ticket, Ticket, Ticket, ...Ticket[]]
  const { id, customer_id, customer_email, category, created_at, assignee_id } = story.row
  const opened = Date.parse(String(created_at))
  const same = { customer_id, customer_email, category, assignee_id }
  const closed = { status: 'CLOSED', resolution_due_at: null, resolution_seconds_left: 3_600 }
  const merged = {
    ...second.row,
    ...same,
    ...closed,
    id: seededId(random, opened + 2 * hour),
    subject: 'Where is my pump?',
    merged_into_id: id,
    resolved_at: instant(opened + 3 * hour),
    closed_at: instant(opened + 3 * hour),
    created_at: instant(opened + 2 * hour),
  }
  const before = {
    ...earlier.row,
    ...same,
    ...closed,
    id: seededId(random, opened - 40 * day),
    subject: 'The pump was announced for last week',
    resolved_at: instant(opened - 38 * day),
    closed_at: instant(opened - 37 * day),
    created_at: instant(opened - 40 * day),
  }
  // Each after those that it names.
  return [
    { row: before, messages: [] },
    { ...story, row: { ...story.row, follow_up_of_id: before.id } },
    { row: merged, messages: [] },
    ...others,
  ]
}

export const supportTickets: DemoTable = {
  name: 'insights.support_tickets',
  noun: 'tickets',
  rows: (source) => ticketsOf(source).map(({ row }) => row),
}

export const ticketMessages: DemoTable = {
  name: 'insights.ticket_messages',
  noun: 'messages of tickets',
  rows: (source) => ticketsOf(source).flatMap(({ messages }) => messages),
}

export const ticketSeries: DemoTable = {
  name: 'insights.ticket_series',
  noun: 'series of tickets',
  rows: () => [{ series: 'TICKET', last_number: 200 }],
}
