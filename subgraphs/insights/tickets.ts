import type { SubgraphContext } from '../../kernel/context'
import { isUuid } from '../../kernel/id'
import type { MutationTransaction, Values } from '../../kernel/mutate'
import { prepared } from '../../kernel/statement'
import { SupportTicket, type SupportTicketPriority } from './entities/SupportTicket'
import type { InsightsUserErrorCode } from './generated'
import type { BusinessTime } from './rules/business-hours'
import { paused, promised, resumed, settled, stopped, type SlaClock } from './rules/sla-clock'
import { needsFollowUp, statusAfter, type TicketMove } from './rules/ticket-status'

type Tx = MutationTransaction<InsightsUserErrorCode>

/** Holds what tickets of a priority are promised. */
export interface SlaPromise {
  slaPolicyId: string | null
  firstResponseMinutes: number | null
  resolutionMinutes: number | null
  calendar: BusinessTime | null
}

const policyColumns = `p.id, p.first_response_minutes, p.resolution_minutes, c.time_zone, c.hours, c.closed_on`
const withCalendar = `FROM insights.sla_policies p
  LEFT JOIN insights.business_calendars c ON c.tenant_id = $1 AND c.id = p.calendar_id WHERE p.tenant_id = $1`
const findPromise = `SELECT ${policyColumns} ${withCalendar} AND p.priority = $2
  ORDER BY p.resolution_minutes, p.first_response_minutes, p.id LIMIT 1`
const findPolicy = `SELECT ${policyColumns} ${withCalendar} AND p.id = $2`

async function readPromise(
  context: SubgraphContext,
  tx: Tx,
  text: string,
  wanted: string | null,
): Promise<SlaPromise> {
  const none = { slaPolicyId: null, firstResponseMinutes: null, resolutionMinutes: null, calendar: null }
  if (wanted === null) return none
  const [row] = await tx.rows(prepared(text, [context.binding.tenantId, wanted]))
  if (!row) return none
  const [slaPolicyId, firstResponseMinutes, resolutionMinutes, timeZone, hours, closedOn] = row as [
    ...[string, number, number],
    ...[string | null, BusinessTime['hours'], BusinessTime['closedOn']],
  ]
  const calendar = timeZone === null ? null : { timeZone, hours, closedOn }
  return { slaPolicyId, firstResponseMinutes, resolutionMinutes, calendar }
}

/** Reads what tickets of a priority are promised from this moment on. */
export const promiseOf = (context: SubgraphContext, tx: Tx, priority: SupportTicketPriority) =>
  readPromise(context, tx, findPromise, priority)

/** The calendar that a ticket's clocks go by. */
export const calendarOf = async (context: SubgraphContext, tx: Tx, ticket: SupportTicket) =>
  (await readPromise(context, tx, findPolicy, ticket.slaPolicyId)).calendar

/** The two clocks of a ticket. */
export interface TicketClocks {
  firstResponse: SlaClock
  resolution: SlaClock
}

/** The clocks as they stand in a ticket's row. */
export const clocksOf = (ticket: SupportTicket): TicketClocks => ({
  firstResponse: {
    minutes: ticket.firstResponseMinutes,
    dueAt: ticket.firstResponseDueAt,
    secondsLeft: ticket.firstResponseSecondsLeft,
    breachedAt: ticket.firstResponseBreachedAt,
  },
  resolution: {
    minutes: ticket.resolutionMinutes,
    dueAt: ticket.resolutionDueAt,
    secondsLeft: ticket.resolutionSecondsLeft,
    breachedAt: ticket.resolutionBreachedAt,
  },
})

/** The columns of the clocks. */
export const clockColumns = ({ firstResponse, resolution }: TicketClocks): Values<SupportTicket> => ({
  firstResponseMinutes: firstResponse.minutes,
  firstResponseDueAt: firstResponse.dueAt,
  firstResponseSecondsLeft: firstResponse.secondsLeft,
  firstResponseBreachedAt: firstResponse.breachedAt,
  resolutionMinutes: resolution.minutes,
  resolutionDueAt: resolution.dueAt,
  resolutionSecondsLeft: resolution.secondsLeft,
  resolutionBreachedAt: resolution.breachedAt,
})

const stands: ReadonlySet<string> = new Set(['WAITING', 'RESOLVED', 'CLOSED'])

/** Tells how a move changes what is kept in time: how a clock is when its ticket goes from one status to another. */
function moved(
  clock: SlaClock,
  from: string,
  to: string,
  calendar: BusinessTime | null,
  now: Date,
): SlaClock {
  if (to === 'CLOSED') return { ...stopped(clock, now), dueAt: null }
  if (stands.has(to)) return paused(clock, calendar, now)
  return stands.has(from) ? resumed(clock, calendar, now) : settled(clock, now)
}

/**
 * The changes that a move makes to a locked ticket: status, times and clocks go together. Ends the mutation where the table
 * of moves has none from the ticket's status, and where 14 days have passed since the ticket was resolved.
 */
export async function move(
  context: SubgraphContext,
  tx: Tx,
  ticket: SupportTicket,
  verb: TicketMove,
  field = 'id',
): Promise<Values<SupportTicket>> {
  const now = context.clock.now()
  const status = statusAfter(verb, ticket.status)
  if (ticket.erasedAt !== null && status !== 'CLOSED')
    tx.fail('INVALID_STATUS', 'The texts of this ticket were erased: open another one', field)
  if (status === null)
    tx.fail(
      ticket.status === 'CLOSED' && (verb === 'reopen' || verb === 'hear')
        ? 'FOLLOW_UP_NEEDED'
        : 'INVALID_STATUS',
      ticket.status === 'CLOSED'
        ? 'This ticket is closed: open its follow-up with continueSupportTicket'
        : `This ticket is ${ticket.status}, which does not admit it`,
      field,
    )
  const isReopened = ticket.status === 'RESOLVED' && status === 'OPEN'
  if (isReopened && needsFollowUp(ticket.resolvedAt, now))
    tx.fail(
      'FOLLOW_UP_NEEDED',
      'This ticket was resolved more than 14 days ago: open its follow-up with continueSupportTicket',
      field,
    )
  const isOver = status === 'RESOLVED' || status === 'CLOSED'
  const calendar = status === ticket.status ? null : await calendarOf(context, tx, ticket)
  const { firstResponse, resolution } = clocksOf(ticket)
  const change = (clock: SlaClock) =>
    status === ticket.status ? settled(clock, now) : moved(clock, ticket.status, status, calendar, now)
  return {
    status,
    resolvedAt: isOver ? (ticket.resolvedAt ?? now.toISOString()) : null,
    closedAt: status === 'CLOSED' ? now.toISOString() : null,
    ...clockColumns({
      firstResponse: ticket.firstRespondedAt === null ? change(firstResponse) : firstResponse,
      resolution: change(resolution),
    }),
  }
}

/** The changes that another priority makes to a locked ticket. */
export async function prioritized(
  context: SubgraphContext,
  tx: Tx,
  ticket: SupportTicket,
  priority: SupportTicketPriority,
  status: string,
): Promise<Values<SupportTicket>> {
  if (priority === ticket.priority) return {}
  const now = context.clock.now()
  const before = await calendarOf(context, tx, ticket)
  const { slaPolicyId, calendar, ...minutes } = await promiseOf(context, tx, priority)
  const isStanding = stands.has(status)
  const change = (clock: SlaClock, promise: number | null) =>
    promised(clock, promise, { before, after: calendar }, now, isStanding)
  const { firstResponse, resolution } = clocksOf(ticket)
  const isAnswered = ticket.firstRespondedAt !== null
  return {
    priority,
    slaPolicyId,
    ...clockColumns({
      firstResponse: isAnswered ? firstResponse : change(firstResponse, minutes.firstResponseMinutes),
      resolution: change(resolution, minutes.resolutionMinutes),
    }),
  }
}

/** The ticket that is meant, locked: one that was merged stands for the ticket that stays. */
export async function findMeant(context: SubgraphContext, tx: Tx, id: string): Promise<SupportTicket> {
  const found = isUuid(id) && (await tx.rows(prepared(findTicket, [context.binding.tenantId, id])))
  if (!found || found.length === 0)
    tx.fail('REFERENCE_NOT_FOUND', 'supportTicketId does not exist', 'supportTicketId')
  const ticket = await tx.find(SupportTicket, id)
  return ticket.mergedIntoId === null ? ticket : tx.find(SupportTicket, ticket.mergedIntoId)
}

const findTicket = 'SELECT FROM insights.support_tickets WHERE tenant_id = $1 AND id = $2'

const mayWork = 'SELECT shared.user_holds($1, $2)'

/** Ends the mutation unless a user is active and works on tickets. */
export async function requireWorker(tx: Tx, userId: string | null | undefined): Promise<void> {
  if (!userId) return
  if (!isUuid(userId)) tx.fail('REFERENCE_NOT_FOUND', 'assigneeId is not an id', 'assigneeId')
  const [row] = await tx.rows(prepared(mayWork, [userId, 'insights:ticket:write']))
  if (row![0] === null) tx.fail('REFERENCE_NOT_FOUND', 'assigneeId does not exist', 'assigneeId')
  if (row![0] !== true)
    tx.fail('INVALID', 'assigneeId must be an active user who may work on tickets', 'assigneeId')
}

const findCustomers = `SELECT id FROM insights.customers
   WHERE tenant_id = $1 AND email = $2 AND is_active ORDER BY id LIMIT 2`

/** The customer with an address: null when nobody has it, and when several do. */
export async function customerByEmail(
  context: SubgraphContext,
  tx: Tx,
  email: string,
): Promise<string | null> {
  const found = await tx.rows(prepared(findCustomers, [context.binding.tenantId, email]))
  return found.length === 1 ? (found[0]![0] as string) : null
}

const takeNumber = `
  INSERT INTO insights.ticket_series AS s (series, last_number) VALUES ('TICKET', 1)
  ON CONFLICT (tenant_id, series) DO UPDATE SET last_number = s.last_number + 1 RETURNING last_number`

/** The next number. Whoever else opens a ticket waits from here to the end of the transaction: to be called late. */
export async function nextNumber(tx: Tx): Promise<string> {
  const [[place]] = (await tx.rows(prepared(takeNumber, []))) as [[number]]
  return `T-${place}`
}
