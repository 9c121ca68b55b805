import { subgraph } from '../../kernel/subgraph'
import { AttendanceClosing } from './entities/AttendanceClosing'
import { AttendanceRecord } from './entities/AttendanceRecord'
import { CalendarAssignment } from './entities/CalendarAssignment'
import { Department } from './entities/Department'
import { Employee } from './entities/Employee'
import { Holiday } from './entities/Holiday'
import { LeaveLedgerEntry } from './entities/LeaveLedgerEntry'
import { LeaveRequest } from './entities/LeaveRequest'
import { LeaveType } from './entities/LeaveType'
import { OvertimeRecord } from './entities/OvertimeRecord'
import { OvertimeRule } from './entities/OvertimeRule'
import { RemoteWorkRule } from './entities/RemoteWorkRule'
import { RemoteWorkSession } from './entities/RemoteWorkSession'
import { WorkCalendar } from './entities/WorkCalendar'
import { missingClockOuts } from './jobs/missing-clock-outs'
import { leaveAccrual } from './jobs/leave-accrual'
import { leaveCarryOver } from './jobs/leave-carry-over'
import { longRemoteWork } from './jobs/long-remote-work'
import { overtimeProposals } from './jobs/overtime-proposals'
import { personal } from './personal'
import { policies } from './policies'
import { attendanceClosing } from './resolvers/AttendanceClosing'
import { attendanceRecord } from './resolvers/AttendanceRecord'
import { department } from './resolvers/Department'
import { employee } from './resolvers/Employee'
import { holiday } from './resolvers/Holiday'
import { leaveLedgerEntry } from './resolvers/LeaveLedgerEntry'
import { leaveRequest } from './resolvers/LeaveRequest'
import { leaveType } from './resolvers/LeaveType'
import { overtimeRecord } from './resolvers/OvertimeRecord'
import { overtimeRule } from './resolvers/OvertimeRule'
import { remoteWorkRule } from './resolvers/RemoteWorkRule'
import { remoteWorkSession } from './resolvers/RemoteWorkSession'
import { workCalendar } from './resolvers/WorkCalendar'

export default subgraph('hr', {
  entities: [
    Department,
    Employee,
    Holiday,
    WorkCalendar,
    CalendarAssignment,
    LeaveType,
    LeaveRequest,
    LeaveLedgerEntry,
    AttendanceRecord,
    AttendanceClosing,
    OvertimeRule,
    OvertimeRecord,
    RemoteWorkRule,
    RemoteWorkSession,
  ],
  resolvers: [
    department,
    employee,
    holiday,
    workCalendar,
    leaveType,
    leaveRequest,
    leaveLedgerEntry,
    attendanceRecord,
    attendanceClosing,
    overtimeRule,
    overtimeRecord,
    remoteWorkRule,
    remoteWorkSession,
  ],
  policies,
  subjects: personal,
  jobs: [leaveAccrual, leaveCarryOver, missingClockOuts, overtimeProposals, longRemoteWork],
})
