import { subgraph } from '../../kernel/subgraph'
import { AuditLog } from './entities/AuditLog'
import { ComplianceRecord } from './entities/ComplianceRecord'
import { auditMonths } from './jobs/audit-months'
import { idempotencyKeys } from './jobs/idempotency-keys'
import { oldEvents } from './jobs/old-events'
import { oldUsage } from './jobs/old-usage'
import { auditLog } from './resolvers/AuditLog'
import { complianceRecord } from './resolvers/ComplianceRecord'

export default subgraph('compliance', {
  entities: [ComplianceRecord, AuditLog],
  resolvers: [complianceRecord, auditLog],
  jobs: [auditMonths, idempotencyKeys, oldEvents, oldUsage],
})
