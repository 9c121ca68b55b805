import { retentionJob } from '../../kernel/retention'
import { subgraph } from '../../kernel/subgraph'
import { AnalyticsEvent } from './entities/AnalyticsEvent'
import { BehaviorPattern } from './entities/BehaviorPattern'
import { BusinessCalendar } from './entities/BusinessCalendar'
import { Customer } from './entities/Customer'
import { CustomerInteraction } from './entities/CustomerInteraction'
import { SlaPolicy } from './entities/SlaPolicy'
import { SupportTicket } from './entities/SupportTicket'
import { TicketMessage } from './entities/TicketMessage'
import { lateTickets } from './jobs/late-tickets'
import { oldAnalyticsEvents, oldEventKeys } from './jobs/old-analytics-events'
import { personal } from './personal'
import { policies } from './policies'
import { analyticsEvent } from './resolvers/AnalyticsEvent'
import { behaviorPattern } from './resolvers/BehaviorPattern'
import { customer } from './resolvers/Customer'
import { customerInteraction } from './resolvers/CustomerInteraction'
import { slaPolicy } from './resolvers/SlaPolicy'
import { supportTicket } from './resolvers/SupportTicket'
import { ticketMessage } from './resolvers/TicketMessage'
import { retained } from './retained'

export default subgraph('insights', {
  entities: [
    Customer,
    CustomerInteraction,
    BusinessCalendar,
    SlaPolicy,
    SupportTicket,
    TicketMessage,
    AnalyticsEvent,
    BehaviorPattern,
  ],
  resolvers: [
    customer,
    customerInteraction,
    slaPolicy,
    supportTicket,
    ticketMessage,
    analyticsEvent,
    behaviorPattern,
  ],
  policies,
  subjects: personal,
  retained,
  jobs: [lateTickets, oldAnalyticsEvents, oldEventKeys, retentionJob(retained)],
})
