import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Supergraph } from '@apollo/federation-internals'
import { projectRoot } from '../../kernel/process/config'
import { loadable } from '../../registry/composition/compose'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { inHandOf } from '../support/hands'
import { change, readAll, userErrors } from '../support/lists'

/**
 * H3, K8: who gains by a decision, or prepared it, does not take it. Every mutation stands in one of these tables, so a
 * new one has to say which it is.
 */
const euros = (amount: string) => ({ amount, currency: 'EUR' })

/** The input of a mutation about a record of the viewer's own; it is refused with OWN_RECORD on this field. */
const refused: Readonly<
  Record<
    string,
    {
      of: 'employee' | 'record' | 'login' | 'calendar' | 'leave' | 'attendance' | 'overtime' | 'remote'
      input: object
      field: string
      /** Nobody gains by it: whose hand an account is in counts for nothing. */
      isIndifferent?: true
    }
  >
> = {
  setEmployeeSalary: { of: 'employee', input: { salary: euros('999999') }, field: 'id' },
  setEmployeeManager: { of: 'employee', input: { managerId: null }, field: 'id' },
  assessEmployee: { of: 'employee', input: { performanceScore: 100 }, field: 'id' },
  promoteEmployee: { of: 'employee', input: { position: 'Director', salary: euros('999999') }, field: 'id' },
  rehireEmployee: { of: 'employee', input: { hireDate: '2026-02-01' }, field: 'id' },
  updateEmployee: { of: 'employee', input: { position: 'Director' }, field: 'id' },
  hireEmployee: { of: 'login', input: { employeeNumber: 'SELF' }, field: 'userId', isIndifferent: true },
  approveComplianceRecord: { of: 'record', input: { rationale: 'Seen' }, field: 'id' },
  rejectComplianceRecord: { of: 'record', input: { rationale: 'Seen' }, field: 'id' },
  flagComplianceRecord: { of: 'record', input: { rationale: 'Seen' }, field: 'id' },
  escalateComplianceRecord: { of: 'record', input: { rationale: 'Seen' }, field: 'id' },
  approveLeaveRequest: { of: 'leave', input: {}, field: 'id' },
  rejectLeaveRequest: { of: 'leave', input: { decisionNote: 'No' }, field: 'id' },
  delegateLeaveRequest: { of: 'leave', input: {}, field: 'id' },
  revokeLeaveRequest: { of: 'leave', input: { decisionNote: 'No' }, field: 'id' },
  createLeaveLedgerEntry: {
    of: 'leave',
    input: { days: '100', effectiveOn: '2027-01-01', note: 'Bonus' },
    field: 'employeeId',
  },
  createAttendanceRecord: { of: 'attendance', input: {}, field: 'employeeId' },
  approveAttendanceRecord: { of: 'attendance', input: {}, field: 'id' },
  rejectAttendanceRecord: { of: 'attendance', input: { decisionNote: 'No' }, field: 'id' },
  approveOvertimeRecord: { of: 'overtime', input: {}, field: 'id' },
  rejectOvertimeRecord: { of: 'overtime', input: { decisionNote: 'No' }, field: 'id' },
  compensateOvertimeRecord: { of: 'overtime', input: { compensation: 'PAY' }, field: 'id' },
  approveRemoteWorkSession: { of: 'remote', input: {}, field: 'id' },
  rejectRemoteWorkSession: { of: 'remote', input: { decisionNote: 'No' }, field: 'id' },
  createCalendarAssignment: {
    of: 'calendar',
    input: { validFrom: '2027-01-01' },
    field: 'employeeId',
    isIndifferent: true,
  },
  deleteCalendarAssignment: { of: 'calendar', input: {}, field: 'id', isIndifferent: true },
}

/** Why a mutation may be about its caller. */
const mayBeOwn: Readonly<Record<string, string>> = {
  'createComplianceRecord updateComplianceRecord screenComplianceRecord': 'prepares what others decide about',
  decideScreeningMatch: 'never by who prepared the record (test/compliance/cases.test.ts)',
  'acknowledgeSecurityAlert assignSecurityAlert investigateSecurityAlert resolveSecurityAlert reopenSecurityAlert':
    'never by whom the alert is about (test/compliance/alerts.test.ts)',
  'placeLegalHold extendLegalHold proposeHoldRelease withdrawHoldRelease proposeRetentionPolicy withdrawRetentionPolicy':
    'keeps, or proposes what somebody else decides',
  'receiveDataSubjectRequest verifyDataSubjectRequest collectDataSubjectRequest approveDataSubjectRequest fulfilDataSubjectRequest rejectDataSubjectRequest extendDataSubjectRequest downloadDataSubjectRequest':
    'never by whom the request is about (test/compliance/subject-requests.test.ts)',
  'releaseLegalHold approveRetentionPolicy': 'never by who proposed it (test/compliance/retention.test.ts)',
  'raiseSecurityAlert createAlertSuppression endAlertSuppression':
    'is about nobody, and never silences what is CRITICAL',
  'transferEmployee terminateEmployee': 'gives nothing: no pay, rating or position',
  'createDepartment updateDepartment closeDepartment reopenDepartment': 'is about nobody',
  'createHoliday updateHoliday deleteHoliday importHolidays': 'is about nobody',
  'createWorkCalendar updateWorkCalendar chooseWorkCalendar archiveWorkCalendar': 'is about nobody',
  'createLeaveType updateLeaveType archiveLeaveType createAttendanceClosing': 'is about nobody',
  'clockIn clockOut startBreak endBreak': 'records what is, and others confirm it',
  correctAttendanceRecord: 'asks: others decide',
  'proposeOvertime createOvertimeRecord': 'asks: others decide',
  'startRemoteWorkSession endRemoteWorkSession': 'records what is, within attendance that others confirm',
  'requestRemoteWorkSession cancelRemoteWorkSession': 'asks for and gives back: others decide',
  'createRemoteWorkRule updateRemoteWorkRule deleteRemoteWorkRule': 'is about nobody',
  'createOvertimeRule approveOvertimeRule deleteOvertimeRule': 'is about nobody',
  'createLeaveRequest cancelLeaveRequest': 'asks for and gives back: others decide',
  'createUser inviteUser renewInvitation updateUser suspendUser reactivateUser requirePasswordChange':
    'only with authority over the user (identity/authority.ts)',
  'assignRole revokeRole grantPermission revokePermission createRole updateRole deleteRole':
    'nobody gives what they lack, so nobody gains (identity/authority.ts)',
  setSignInPolicy: 'is about all members, and gives no right',
  'requestPasswordReset resetPassword requestEmailChange confirmEmailChange':
    'is the owner’s, with what was mailed to them',
  'signIn refreshSession signOut changePassword acceptInvitation stepUp completeSignIn':
    'is the own account’s',
  'signInPasskeyBegin signInPasskeyFinish': 'is the own account’s',
  'enrollTotp confirmMfaDevice removeMfaDevice regenerateRecoveryCodes': 'second factors are everybody’s own',
  'registerPasskeyBegin registerPasskeyFinish stepUpPasskeyBegin renameCredential removeCredential':
    'passkeys are everybody’s own',
  resetUserMfa: 'is refused for oneself, who removes devices after a step-up',
  'revokeSession revokeOtherSessions revokeUserSessions': 'ends sessions, the own ones too',
  'createApiKey rotateApiKey revokeApiKey createServiceAccount': 'a key never does more than its owner may',
  'createCustomer updateCustomer deactivateCustomer reactivateCustomer recordInteraction':
    'is about nobody here',
  'openSupportTicket assignSupportTicket prioritizeSupportTicket escalateSupportTicket pauseSupportTicket':
    'is about a customer',
  'resolveSupportTicket reopenSupportTicket closeSupportTicket continueSupportTicket mergeSupportTicket':
    'is about a customer',
  'replyToSupportTicket noteOnSupportTicket': 'is about a customer',
  'trackEvent trackEvents': 'tells what somebody did, and gives nothing',
  'detectPattern dismissPattern eraseCustomer': 'is about a customer',
  'createSlaPolicy updateSlaPolicy deleteSlaPolicy': 'is about nobody',
  'createBusinessCalendar updateBusinessCalendar deleteBusinessCalendar': 'is about nobody',
  'updateTenant cancelJob moveClock endOperatorEntry': 'is about nobody',
  'operatorSignIn operatorSignOut enterTenant leaveTenant':
    'is an operator’s own access, before the tenant’s eyes',
  'requestLoneAdministratorReset approveLoneAdministratorReset stopLoneAdministratorReset':
    'is about a lone administrator, by operators or by the mailbox (test/operator/lone-administrator.test.ts)',
  'createTenant resetLoneAdministrator suspendTenant reactivateTenant scheduleTenantDeletion undoTenantDeletion':
    'an operator is of no tenant',
  'draftInvoice updateInvoice issueInvoice voidInvoice discardInvoice payInvoice':
    'an operator is of no tenant (B1)',
  'recordPayment allocatePayment refundPayment refundCreditNote reversePayment setTenantTax':
    'an operator is of no tenant (B1)',
  'setDunningLevels pauseInvoice resumeInvoice': 'an operator is of no tenant (B1)',
  'draftCreditNote issueCreditNote applyCreditNote voidCreditNote discardCreditNote':
    'an operator is of no tenant (B1)',
  'startSubscription changeSubscriptionPlan cancelSubscription uncancelSubscription renewSubscription':
    'chooses what the price list offers to all: no price is named (B1)',
  'openFiscalYear softCloseFiscalPeriod closeFiscalPeriod requestFiscalPeriodReopening reopenFiscalPeriod':
    'is about nobody; who takes the first of two steps does not take the second (test/finance/period.test.ts)',
  'createCommissionRule updateCommissionRule deleteCommissionRule reviseCommissionRule':
    'drafts what somebody else approves',
  'approveCommissionRule endCommissionRule':
    'never by whom alone it is for, and approved never by who wrote it (test/finance/commission-rule.test.ts)',
  setSalesAttributions:
    'never gives a sale to oneself, or away what one holds (test/finance/commission-safety.test.ts)',
  'computeSalesPerformance recalculateSalesPerformance submitSalesPerformance disputeSalesPerformance':
    'reckons by rules, and asks: others decide',
  'approveSalesPerformance paySalesPerformance': 'never the own (test/finance/sales-performance.test.ts)',
  'createForecast generateForecast updateForecast setForecastFactors publishForecast reviseForecast deleteForecast':
    'moves no money, and is about nobody',
  'createLedgerAccount updateLedgerAccount closeLedgerAccount reopenLedgerAccount importChartOfAccounts':
    'is about nobody',
}

/** What a later issue decides, by its finding. */
const later: Readonly<Record<string, string>> = {
  'recordTransaction updateTransaction reverseTransaction setBudget postJournalEntry reverseJournalEntry':
    'F4: approval of postings and budgets',
  flagTransaction: 'F3: a second person clears a flag; who recorded or flagged is not kept yet',
  'recordUsage recordUsageBatch correctUsage': 'B1: who owes does not decide',
}

const namesIn = (table: Readonly<Record<string, unknown>>) =>
  Object.keys(table).flatMap((names) => names.split(' '))

let graph: TestGraph
let acme: TestTenant
let admin: TestClient
let count = 0

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  admin = await acme.as('ADMIN')
})
afterAll(() => graph?.close())

it('every mutation says whether it may be about its caller (H3)', () => {
  const supergraph = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
  const api = Supergraph.build(loadable(supergraph)).apiSchema().toGraphQLJSSchema()
  const known = [refused, mayBeOwn, later].flatMap(namesIn)
  expect([...known].sort()).toEqual(Object.keys(api.getMutationType()!.getFields()).sort())
})

/** An employee whose login this user is. */
async function employmentOf(userId: string, values: Record<string, unknown> = {}): Promise<string> {
  const hired = { employeeNumber: `E-${++count}`, hireDate: '2025-01-01', userId, ...values }
  return (await change<{ id: string }>(admin, 'hireEmployee', hired, 'employee { id }')).id
}

/** The input for a record of the user's own. */
async function own(mutation: string, user: TestClient): Promise<Record<string, unknown>> {
  const { of, input } = refused[mutation]!
  if (of === 'login') return { ...input, userId: user.userId }
  if (of === 'record') {
    const record = { type: 'KYC', data: {} }
    const made = await change<{ id: string }>(
      user,
      'createComplianceRecord',
      record,
      'complianceRecord { id }',
    )
    return { ...input, id: made.id, expectedVersion: 1 }
  }
  const id = await employmentOf(user.userId)
  if (of === 'leave') return { ...input, ...(await ownLeave(mutation, user, id)) }
  if (of === 'attendance') return { ...input, ...(await ownAttendance(mutation, user, id)) }
  if (of === 'overtime') return { ...input, ...(await ownOvertime(mutation, id)) }
  if (of === 'remote') {
    const asked = { employeeId: id, workDate: '2099-01-05', kind: 'HOME', countryCode: 'DE' }
    const made = await change<{ id: string }>(
      user,
      'requestRemoteWorkSession',
      asked,
      'remoteWorkSession { id }',
    )
    return { ...input, id: made.id, expectedVersion: 1 }
  }
  if (of === 'calendar') {
    const calendar = { name: `Calendar ${++count}`, timeZone: 'UTC' }
    const made = await change<{ id: string }>(admin, 'createWorkCalendar', calendar, 'workCalendar { id }')
    const assignment = { employeeId: id, calendarId: made.id, validFrom: '2026-01-01' }
    if (mutation === 'createCalendarAssignment') return { ...assignment, ...input }
    const given = await change<{ id: string }>(
      admin,
      'createCalendarAssignment',
      assignment,
      'calendarAssignment { id }',
    )
    return { ...input, id: given.id, expectedVersion: 1 }
  }
  if (mutation !== 'rehireEmployee') return { ...input, id, expectedVersion: 1 }
  await change(
    admin,
    'terminateEmployee',
    { id, expectedVersion: 1, terminationDate: '2026-01-31' },
    '__typename',
  )
  return { ...input, id, expectedVersion: 2 }
}

/** A request for leave of the user's own, or whose days there are. */
async function ownLeave(
  mutation: string,
  user: TestClient,
  employeeId: string,
): Promise<Record<string, unknown>> {
  const type = { code: `K${++count}`, name: `Kind ${count}`, allowsNegative: true }
  const { id: leaveTypeId } = await change<{ id: string }>(admin, 'createLeaveType', type, 'leaveType { id }')
  if (mutation === 'createLeaveLedgerEntry') return { employeeId, leaveTypeId }
  const days = { startDate: '2027-03-01', endDate: '2027-03-05' }
  const asked = { employeeId, leaveTypeId, ...days }
  const { id } = await change<{ id: string }>(user, 'createLeaveRequest', asked, 'leaveRequest { id }')
  if (mutation === 'delegateLeaveRequest')
    return { id, expectedVersion: 1, approverId: (await acme.user('USER')).userId }
  if (mutation !== 'revokeLeaveRequest') return { id, expectedVersion: 1 }
  await change(admin, 'approveLeaveRequest', { id, expectedVersion: 1 }, '__typename')
  return { id, expectedVersion: 2 }
}

/** Attendance of the user's own, with a correction that the user asked for where one is refused. */
async function ownAttendance(
  mutation: string,
  user: TestClient,
  employeeId: string,
): Promise<Record<string, unknown>> {
  const now = graph.clock.now().getTime()
  const [clockInAt, clockOutAt] = [9, 1].map((hours) => new Date(now - hours * 3_600_000).toISOString())
  const times = { clockInAt, clockOutAt, correctionReason: 'Forgotten' }
  if (mutation === 'createAttendanceRecord') return { employeeId, ...times }
  const selection = 'attendanceRecord { id }'
  const work = { employeeId, ...times }
  // Nor does whoever wrote it by hand confirm it.
  const writer = await acme.user('ADMIN')
  const { id } = await change<{ id: string }>(writer, 'createAttendanceRecord', work, selection)
  if (mutation === 'approveAttendanceRecord') return { id, expectedVersion: 1 }
  const correction = { id, expectedVersion: 1, ...times, breakMinutes: 30 }
  await change(user, 'correctAttendanceRecord', correction, selection)
  return { id, expectedVersion: 2 }
}

/** Overtime of the user's own that waits, or is granted where it is to be compensated. */
async function ownOvertime(mutation: string, employeeId: string): Promise<Record<string, unknown>> {
  await ownAttendance('approveAttendanceRecord', admin, employeeId)
  const rule = { validFrom: '2026-01-01', dailyMinutes: 0 }
  if ((await readAll(admin, 'overtimeRules', 'id')).length === 0) {
    const { id } = await change<{ id: string }>(admin, 'createOvertimeRule', rule, 'overtimeRule { id }')
    await change(
      await acme.user('HR_MANAGER'),
      'approveOvertimeRule',
      { id, expectedVersion: 1 },
      '__typename',
    )
  }
  const day = new Date(graph.clock.now().getTime() - 9 * 3_600_000).toISOString().slice(0, 10)
  await admin.data(
    'mutation ($input: ProposeOvertimeInput!) { proposeOvertime(input: $input) { userErrors { code } } }',
    { input: { employeeId, day } },
  )
  const filter = `, filter: { employeeId: { eq: "${employeeId}" } }`
  const [made] = await readAll(admin, 'overtimeRecords', 'id version', filter)
  const seen = { id: made!['id'], expectedVersion: made!['version'] }
  if (mutation !== 'compensateOvertimeRecord') return seen
  await change(await acme.user('HR_MANAGER'), 'approveOvertimeRecord', seen, '__typename')
  return { ...seen, expectedVersion: Number(seen.expectedVersion) + 1 }
}

async function stored(): Promise<unknown[]> {
  const { rows } = await graph.owner.query(
    `SELECT to_jsonb(e) FROM hr.employees e UNION ALL SELECT to_jsonb(r) FROM compliance.compliance_records r
     UNION ALL SELECT to_jsonb(a) FROM hr.calendar_assignments a
     UNION ALL SELECT to_jsonb(l) FROM hr.leave_requests l
     UNION ALL SELECT to_jsonb(t) FROM hr.attendance_records t
     UNION ALL SELECT to_jsonb(o) FROM hr.overtime_records o
     UNION ALL SELECT to_jsonb(s) FROM hr.remote_work_sessions s
     UNION ALL SELECT to_jsonb(d) FROM hr.leave_ledger_entries d`,
  )
  return rows
}

describe.each(Object.keys(refused))('%s (H3)', (mutation) => {
  it('is refused to the one it is about, an administrator too, and changes nothing', async () => {
    const user = await acme.user('ADMIN')
    const input = await own(mutation, user)
    const before = await stored()
    const errors = await userErrors(user, mutation, input)
    expect(errors).toMatchObject([{ code: 'OWN_RECORD', field: [refused[mutation]!.field] }])
    expect(await stored()).toEqual(before)
    // Of a version that nobody saw nothing is judged.
    if ('expectedVersion' in input)
      expect(await userErrors(user, mutation, { ...input, expectedVersion: 9 })).toMatchObject([
        { code: 'STALE_VERSION' },
      ])
    // Nor to an account that is in their hand, over however many others.
    const [puppet, between] = [await acme.user('ADMIN'), await acme.user('USER')]
    await inHandOf(graph, between.userId, user.userId)
    await inHandOf(graph, puppet.userId, between.userId)
    if (refused[mutation]!.isIndifferent) {
      expect(await userErrors(puppet, mutation, input)).toEqual([])
      return
    }
    expect(await userErrors(puppet, mutation, input)).toMatchObject(
      errors.map(({ code, field }) => ({ code, field })),
    )
    expect(await stored()).toEqual(before)
    expect(await userErrors(admin, mutation, input)).toEqual([])
  })
})

it('lets people correct the rest of their own record, and send back what stands there (H3)', async () => {
  const hr = await acme.user('HR_MANAGER')
  const id = await employmentOf(hr.userId, { position: 'Clerk' })
  const correction = { id, expectedVersion: 1, lastName: 'Byron', position: 'Clerk', hireDate: '2025-01-01' }
  expect(await userErrors(hr, 'updateEmployee', correction)).toEqual([])
  const redated = { id, expectedVersion: 2, hireDate: '2015-01-01' }
  expect(await userErrors(hr, 'updateEmployee', redated)).toMatchObject([{ code: 'OWN_RECORD' }])
})
