import { subgraph } from '../../kernel/subgraph'
import { Allocation } from './entities/Allocation'
import { Country } from './entities/Country'
import { CreditNote } from './entities/CreditNote'
import { CreditNoteLine } from './entities/CreditNoteLine'
import { DunningPolicy } from './entities/DunningPolicy'
import { DunningStep } from './entities/DunningStep'
import { Industry } from './entities/Industry'
import { Invoice } from './entities/Invoice'
import { InvoiceLine } from './entities/InvoiceLine'
import { Job } from './entities/Job'
import { OperatorEntry } from './entities/OperatorEntry'
import { Payment } from './entities/Payment'
import { PendingLine } from './entities/PendingLine'
import { Plan } from './entities/Plan'
import { PlanSubscription } from './entities/PlanSubscription'
import { PlatformTenant } from './entities/PlatformTenant'
import { Refund } from './entities/Refund'
import { TaxProfile } from './entities/TaxProfile'
import { Tenant } from './entities/Tenant'
import { dunning } from './jobs/dunning'
import { dueDeletions } from './jobs/due-deletions'
import { UsageRecord } from './entities/UsageRecord'
import { billing } from './jobs/billing'
import { oldJobs, oldPlatformJobs } from './jobs/old-jobs'
import { country } from './resolvers/Country'
import { creditNote } from './resolvers/CreditNote'
import { industry } from './resolvers/Industry'
import { invoice } from './resolvers/Invoice'
import { invoiceLine } from './resolvers/InvoiceLine'
import { job } from './resolvers/Job'
import { operatorEntry } from './resolvers/OperatorEntry'
import { dunningStep } from './resolvers/DunningStep'
import { platformTenant } from './resolvers/PlatformTenant'
import { payment } from './resolvers/Payment'
import { plan, publicPlan } from './resolvers/Plan'
import { subscription } from './resolvers/PlanSubscription'
import { ownTenant, tenant } from './resolvers/Tenant'
import { usageRecord } from './resolvers/UsageRecord'

export default subgraph('tenancy', {
  entities: [
    Tenant,
    Plan,
    PlanSubscription,
    PendingLine,
    TaxProfile,
    Invoice,
    InvoiceLine,
    DunningPolicy,
    DunningStep,
    CreditNote,
    CreditNoteLine,
    Allocation,
    Payment,
    Refund,
    Country,
    Industry,
    Job,
    UsageRecord,
    PlatformTenant,
    OperatorEntry,
  ],
  resolvers: [
    tenant,
    plan,
    subscription,
    invoice,
    invoiceLine,
    dunningStep,
    creditNote,
    payment,
    country,
    industry,
    job,
    usageRecord,
    platformTenant,
    operatorEntry,
  ],
  subjects: {},
  jobs: [billing, dunning, oldJobs, oldPlatformJobs, dueDeletions],
  policies: { 'tenancy:own-tenant': ownTenant, 'tenancy:public-plan': publicPlan },
})
