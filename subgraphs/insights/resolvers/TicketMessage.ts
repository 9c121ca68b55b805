import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { mutate, type Values } from '../../../kernel/mutate'
import { one } from '../../../kernel/relation'
import { Customer } from '../entities/Customer'
import { SupportTicket } from '../entities/SupportTicket'
import { TicketMessage } from '../entities/TicketMessage'
import type { Resolvers } from '../generated'
import { stopped } from '../rules/sla-clock'
import { clockColumns, clocksOf, findMeant, move } from '../tickets'

export const oldestFirst = { defaultOrder: { property: 'sentAt', direction: 'ASC' } } as const

/** The columns of a message to a ticket. */
export function newMessage(
  context: SubgraphContext,
  { id, language }: Pick<SupportTicket, 'id' | 'language'>,
  message: Values<TicketMessage>,
): Values<TicketMessage> {
  const sentAt = context.clock.now().toISOString()
  const authorId = context.binding.actorId ?? null
  return { ticketId: id, conversationId: id, authorId, language, sentAt, ...message }
}

export const ticketMessage: Resolvers = {
  Mutation: {
    replyToSupportTicket: (_, { input }, context, info) => {
      const { supportTicketId, body, isFromCustomer, idempotencyKey } = input
      return mutate(
        context,
        async (tx) => {
          const ticket = await findMeant(context, tx, supportTicketId)
          const changes = await move(
            context,
            tx,
            ticket,
            isFromCustomer ? 'hear' : 'answer',
            'supportTicketId',
          )
          const now = context.clock.now()
          const isFirst = !isFromCustomer && ticket.firstRespondedAt === null
          const { firstResponse, resolution } = clocksOf({ ...ticket, ...changes } as SupportTicket)
          const answered = isFirst && {
            firstRespondedAt: now.toISOString(),
            ...clockColumns({ firstResponse: stopped(firstResponse, now), resolution }),
          }
          await tx.update(SupportTicket, ticket.id, null, { ...changes, ...answered })
          const customerId = isFromCustomer ? ticket.customerId : null
          const message = { body, isFromCustomer, customerId, visibility: 'PUBLIC' } as const
          return { ticketMessage: await tx.insert(TicketMessage, newMessage(context, ticket, message)) }
        },
        { idempotencyKey, input, info },
      )
    },
    noteOnSupportTicket: (_, { input: { supportTicketId, body } }, context) =>
      mutate(context, async (tx) => {
        const ticket = await findMeant(context, tx, supportTicketId)
        await move(context, tx, ticket, 'note', 'supportTicketId')
        const note = newMessage(context, ticket, { body, visibility: 'INTERNAL' })
        return { ticketMessage: await tx.insert(TicketMessage, note) }
      }),
  },
  TicketMessage: {
    ticket: one(TicketMessage, 'ticketId', SupportTicket),
    author: needs(TicketMessage, ['authorId'], ({ authorId }) => (authorId ? { id: authorId } : null)),
    customer: one(TicketMessage, 'customerId', Customer),
  },
}
