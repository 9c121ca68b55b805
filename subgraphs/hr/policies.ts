import { fieldPolicy, rowPolicy } from '../../kernel/policy'
import { AttendanceRecord } from './entities/AttendanceRecord'
import { Employee } from './entities/Employee'
import { LeaveLedgerEntry } from './entities/LeaveLedgerEntry'
import { LeaveRequest } from './entities/LeaveRequest'
import { OvertimeRecord } from './entities/OvertimeRecord'
import { RemoteWorkSession } from './entities/RemoteWorkSession'

/** The row rules that the schema names. */
export const policies = {
  /** One's own salary, or anybody's for those who look after salaries. */
  'hr:self-or-salary-reader': fieldPolicy(
    Employee,
    ['userId'],
    (viewer, employee) => employee.userId === viewer.userId || viewer.scopes.has('hr:salary:read'),
    { writers: ['hr:employee:link'] },
  ),
  /** Balances of one's own leave, or of anybody's for those who read leave. */
  'hr:self-or-leave-reader': fieldPolicy(
    Employee,
    ['userId'],
    (viewer, employee) => employee.userId === viewer.userId || viewer.scopes.has('hr:leave:read'),
    { writers: ['hr:employee:link'] },
  ),
  /** Days of one's own remote work, or of anybody's for those who read remote work. */
  'hr:self-or-remote-reader': fieldPolicy(
    Employee,
    ['userId'],
    (viewer, employee) => employee.userId === viewer.userId || viewer.scopes.has('hr:remote:read'),
    { writers: ['hr:employee:link'] },
  ),
  /** One's own leave, leave that one decides about, or all for those who read leave. No mutation writes what it looks at. */
  'hr:own-or-decided-leave': rowPolicy(LeaveRequest, ['userId', 'approverId'], (viewer) =>
    viewer.scopes.has('hr:leave:read') ? null : [{ userId: viewer.userId }, { approverId: viewer.userId }],
  ),
  /** One's own reason; a medical one for those alone who may read why somebody is ill, others for who decides or reads leave. */
  'hr:own-or-told-reason': fieldPolicy(
    LeaveRequest,
    ['userId', 'approverId', 'isMedical'],
    (viewer, { userId, approverId, isMedical }) =>
      userId === viewer.userId ||
      viewer.scopes.has('hr:leave:medical') ||
      (!isMedical && (approverId === viewer.userId || viewer.scopes.has('hr:leave:read'))),
  ),
  /** One's own days, or all for those who read leave. No mutation writes what it looks at. */
  'hr:own-ledger': rowPolicy(LeaveLedgerEntry, ['userId'], (viewer) =>
    viewer.scopes.has('hr:leave:read') ? null : [{ userId: viewer.userId }],
  ),
  /** One's own attendance, what one decides about, or all for those who read attendance. Written with the row alone. */
  'hr:own-or-decided-attendance': rowPolicy(
    AttendanceRecord,
    ['userId', 'approverId'],
    (viewer) =>
      viewer.scopes.has('hr:attendance:read')
        ? null
        : [{ userId: viewer.userId }, { approverId: viewer.userId }],
    { setOnce: true },
  ),
  /** One's own overtime, what one decides about, or all for those who read overtime. Written with the row alone. */
  'hr:own-or-decided-overtime': rowPolicy(
    OvertimeRecord,
    ['userId', 'approverId'],
    (viewer) =>
      viewer.scopes.has('hr:overtime:read')
        ? null
        : [{ userId: viewer.userId }, { approverId: viewer.userId }],
    { setOnce: true },
  ),
  /** One's own remote work, what one decides about, or all for those who read remote work. Written with the row alone. */
  'hr:own-or-decided-remote': rowPolicy(
    RemoteWorkSession,
    ['userId', 'approverId'],
    (viewer) =>
      viewer.scopes.has('hr:remote:read') ? null : [{ userId: viewer.userId }, { approverId: viewer.userId }],
    { setOnce: true },
  ),
}
