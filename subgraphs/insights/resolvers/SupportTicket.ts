import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { isUuid } from '../../../kernel/id'
import { load } from '../../../kernel/load'
import { mutate, type MutationTransaction, type Values } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { prepared } from '../../../kernel/statement'
import { summary } from '../../../kernel/summary'
import { Customer } from '../entities/Customer'
import { SlaPolicy } from '../entities/SlaPolicy'
import { SupportTicket, type SupportTicketPriority } from '../entities/SupportTicket'
import { TicketMessage } from '../entities/TicketMessage'
import type { InsightsUserErrorCode, Resolvers } from '../generated'
import { normalEmail } from '../rules/email'
import { noClock, started } from '../rules/sla-clock'
import { raised } from '../rules/ticket-status'
import { searchTickets } from '../search'
import {
  clockColumns,
  customerByEmail,
  move,
  nextNumber,
  prioritized,
  promiseOf,
  requireWorker,
} from '../tickets'
import { newMessage, oldestFirst } from './TicketMessage'

type Tx = MutationTransaction<InsightsUserErrorCode>

/** Adds a ticket whose clocks start now. */
async function open(context: SubgraphContext, tx: Tx, values: Values<SupportTicket>): Promise<SupportTicket> {
  const now = context.clock.now()
  const { slaPolicyId, calendar, firstResponseMinutes, resolutionMinutes } = await promiseOf(
    context,
    tx,
    values.priority ?? 'NORMAL',
  )
  const clock = (minutes: number | null) => (minutes === null ? noClock : started(minutes, calendar, now))
  const clocks = { firstResponse: clock(firstResponseMinutes), resolution: clock(resolutionMinutes) }
  const ticketNumber = await nextNumber(tx)
  const times = { createdAt: now.toISOString(), updatedAt: now.toISOString() }
  return tx.insert(SupportTicket, { ...values, ...times, ticketNumber, slaPolicyId, ...clockColumns(clocks) })
}

const moveMessages =
  'UPDATE insights.ticket_messages SET conversation_id = $3 WHERE tenant_id = $1 AND conversation_id = $2'
const redirect =
  'UPDATE insights.support_tickets SET merged_into_id = $3, updated_at = now() WHERE tenant_id = $1 AND merged_into_id = $2'

export const supportTicket: Resolvers = {
  Query: {
    supportTicket: (_, { id }, context, info) => load(context, SupportTicket, id, info),
    supportTickets: (_, args, context, info) => page(context, SupportTicket, args, info),
    supportTicketSummary: (_, args, context, info) => summary(context, SupportTicket, args, info),
    searchSupportTickets: (_, args, context, info) => searchTickets(context, args, info),
  },
  Mutation: {
    openSupportTicket: (_, { input }, context, info) => {
      const { idempotencyKey, ...values } = input
      const customerEmail = normalEmail(values.customerEmail)
      return mutate(
        context,
        async (tx) => {
          const customerId = values.customerId ?? (await customerByEmail(context, tx, customerEmail))
          return { supportTicket: await open(context, tx, { ...values, customerEmail, customerId }) }
        },
        { idempotencyKey, input, info },
      )
    },
    assignSupportTicket: (_, { input: { id, expectedVersion, assigneeId } }, context) =>
      mutate(context, async (tx) => {
        const ticket = await tx.find(SupportTicket, id)
        await requireWorker(tx, assigneeId)
        const changes = { ...(await move(context, tx, ticket, 'assign')), assigneeId }
        return { supportTicket: await tx.update(SupportTicket, id, expectedVersion, changes) }
      }),
    prioritizeSupportTicket: (_, { input: { id, expectedVersion, priority } }, context) =>
      mutate(context, async (tx) => {
        const ticket = await tx.find(SupportTicket, id)
        const moved = await move(context, tx, ticket, 'prioritize')
        const changes = { ...moved, ...(await prioritized(context, tx, ticket, priority, ticket.status)) }
        return { supportTicket: await tx.update(SupportTicket, id, expectedVersion, changes) }
      }),
    escalateSupportTicket: (_, { input: { id, expectedVersion, reason } }, context) =>
      mutate(context, async (tx) => {
        const ticket = await tx.find(SupportTicket, id)
        const priority = nextPriority(tx, ticket)
        if (reason === '' || [...reason].length > 2_000)
          tx.fail('INVALID', 'reason must have 1 to 2,000 characters', 'reason')
        const moved = await move(context, tx, ticket, 'escalate')
        const open = { ...ticket, ...moved } as SupportTicket
        const raise = await prioritized(context, tx, open, priority, open.status)
        const escalatedAt = context.clock.now().toISOString()
        const changes = { ...moved, ...raise, escalatedAt }
        const escalated = await tx.update(SupportTicket, id, expectedVersion, changes)
        await tx.insert(TicketMessage, newMessage(context, ticket, { body: reason, visibility: 'INTERNAL' }))
        return { supportTicket: escalated }
      }),
    pauseSupportTicket: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        const changes = await move(context, tx, await tx.find(SupportTicket, id), 'pause')
        return { supportTicket: await tx.update(SupportTicket, id, expectedVersion, changes) }
      }),
    resolveSupportTicket: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        const changes = await move(context, tx, await tx.find(SupportTicket, id), 'resolve')
        return { supportTicket: await tx.update(SupportTicket, id, expectedVersion, changes) }
      }),
    reopenSupportTicket: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        const changes = await move(context, tx, await tx.find(SupportTicket, id), 'reopen')
        return { supportTicket: await tx.update(SupportTicket, id, expectedVersion, changes) }
      }),
    closeSupportTicket: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        const changes = await move(context, tx, await tx.find(SupportTicket, id), 'close')
        return { supportTicket: await tx.update(SupportTicket, id, expectedVersion, changes) }
      }),
    continueSupportTicket: (_, { input: { id, description } }, context) =>
      mutate(context, async (tx) => {
        const ticket = await tx.find(SupportTicket, id)
        if (ticket.status !== 'RESOLVED' && ticket.status !== 'CLOSED')
          tx.fail('INVALID_STATUS', 'This ticket is not over: reply to it', 'id')
        if (ticket.erasedAt !== null)
          tx.fail('INVALID_STATUS', 'The texts of this ticket were erased: open another one', 'id')
        const { customerEmail, customerId, subject, category, priority, channel, language } = ticket
        const same = { customerEmail, customerId, subject, category, priority, channel, language }
        return { supportTicket: await open(context, tx, { ...same, description, followUpOfId: ticket.id }) }
      }),
    mergeSupportTicket: (_, { input: { id, expectedVersion, mergedIntoId } }, context) =>
      mutate(context, async (tx) => {
        if (id.toLowerCase() === mergedIntoId.toLowerCase())
          tx.fail('INVALID', 'mergedIntoId must be another ticket', 'mergedIntoId')
        const ticket = await tx.find(SupportTicket, id)
        await requireStaying(context, tx, mergedIntoId)
        const changes = { ...(await move(context, tx, ticket, 'merge')), mergedIntoId }
        const merged = await tx.update(SupportTicket, id, expectedVersion, changes)
        const both = [context.binding.tenantId, ticket.id, mergedIntoId]
        await tx.run(prepared(moveMessages, both))
        await tx.run(prepared(redirect, both))
        return { supportTicket: merged }
      }),
  },
  SupportTicket: {
    customer: one(SupportTicket, 'customerId', Customer),
    assignee: needs(SupportTicket, ['assigneeId'], ({ assigneeId }) =>
      assigneeId ? { id: assigneeId } : null,
    ),
    followUpOf: one(SupportTicket, 'followUpOfId', SupportTicket),
    mergedInto: one(SupportTicket, 'mergedIntoId', SupportTicket),
    slaPolicy: one(SupportTicket, 'slaPolicyId', SlaPolicy),
    conversation: ({ id }, args, context, info) =>
      nested(context, TicketMessage, 'conversationId', id, args, info, oldestFirst),
    messages: ({ id }, args, context, info) =>
      nested(context, TicketMessage, 'ticketId', id, args, info, oldestFirst),
  },
  Customer: {
    tickets: ({ id }, args, context, info) => nested(context, SupportTicket, 'customerId', id, args, info),
  },
  User: {
    assignedTickets: ({ id }, args, context, info) =>
      nested(context, SupportTicket, 'assigneeId', id, args, info),
  },
}

const findStaying = 'SELECT status FROM insights.support_tickets WHERE tenant_id = $1 AND id = $2 FOR UPDATE'

/** Ends the mutation unless the ticket that is to stay is there, and not closed; it stays so until the transaction ends. */
async function requireStaying(context: SubgraphContext, tx: Tx, id: string): Promise<void> {
  if (!isUuid(id)) tx.fail('REFERENCE_NOT_FOUND', 'mergedIntoId is not an id', 'mergedIntoId')
  const [found] = await tx.rows(prepared(findStaying, [context.binding.tenantId, id]))
  if (!found) tx.fail('REFERENCE_NOT_FOUND', 'mergedIntoId does not exist', 'mergedIntoId')
  if (found[0] === 'CLOSED') tx.fail('INVALID_STATUS', 'The ticket that is to stay is closed', 'mergedIntoId')
}

function nextPriority(tx: Tx, { priority }: SupportTicket): SupportTicketPriority {
  const next = raised(priority)
  if (next === null) tx.fail('INVALID_STATUS', 'This ticket is as urgent as can be', 'id')
  return next
}
