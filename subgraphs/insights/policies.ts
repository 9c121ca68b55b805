import { rowPolicy } from '../../kernel/policy'
import { TicketMessage } from './entities/TicketMessage'

/** The row rules that the schema names. */
export const policies = {
  /** Messages that the customer sees too, or all for those who may read notes. What a message is, it stays. */
  'insights:public-or-note-reader': rowPolicy(
    TicketMessage,
    ['visibility'],
    (viewer) => (viewer.scopes.has('insights:ticket:notes') ? null : [{ visibility: 'PUBLIC' as const }]),
    { setOnce: true },
  ),
}
