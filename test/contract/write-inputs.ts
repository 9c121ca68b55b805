import {
  getNamedType,
  getNullableType,
  isInputObjectType,
  isListType,
  isObjectType,
  isRequiredInputField,
  type GraphQLSchema,
} from 'graphql'
import { inputValue } from '../../isolation/documents'
import { readRows } from '../../isolation/rows'
import { inputLeaves, readSurface, type MutationPlace } from '../../isolation/surface'
import { entityModels, type EntityModel } from '../../kernel/schema/entity-model'
import { uuidv7 } from '../../kernel/id'
import type { Database } from '../../kernel/connection/database'
import type { TestClient, TestGraph, TestTenant } from '../support/graph'
import { writerOf } from '../support/operator'
import { byEntry } from '../support/platform-fields'

export type Input = Record<string, unknown>

export interface Outcome {
  /** `CODE: message` of errors that are no user errors. */
  errors: string[]
  userErrors: { code: string; field: string[] | null }[]
  row: { id: string; version?: number } | null
}

/** Everything that can be written, with valid inputs made from schema and models. */
export interface Writes {
  models: ReadonlyMap<string, EntityModel>
  /** Every mutation about rows of an entity. */
  places: readonly MutationPlace[]
  /** A valid input: the ids in it are of new rows, texts that must be unique are new. */
  inputFor(tenant: TestTenant, mutation: string): Promise<Input>
  /** The id of a new row, with or without the ids that it may do without. */
  make(tenant: TestTenant, type: string, optionalIds?: boolean): Promise<string>
  /** Does what a mutation does, with a valid input, as somebody who decides about nothing later. */
  perform(tenant: TestTenant, mutation: string): Promise<{ input: Input; row: { id: string } }>
  send(client: TestClient, mutation: string, input: Input): Promise<Outcome>
}

const day = 86_400_000
const daysAgo = (count: number) => new Date(Date.now() - count * day).toISOString().slice(0, 10)

/** By mutation: the one that has to come before, about the same rows. */
const preparations: Readonly<Record<string, string>> = {
  reopenDepartment: 'closeDepartment',
  screenComplianceRecord: 'updateComplianceRecord',
  reopenLedgerAccount: 'closeLedgerAccount',
  closeFiscalPeriod: 'softCloseFiscalPeriod',
  reopenFiscalPeriod: 'softCloseFiscalPeriod',
  requestFiscalPeriodReopening: 'closeFiscalPeriod',
  rehireEmployee: 'terminateEmployee',
  payInvoice: 'issueInvoice',
  voidInvoice: 'issueInvoice',
  pauseInvoice: 'issueInvoice',
  resumeInvoice: 'pauseInvoice',
  applyCreditNote: 'issueCreditNote',
  refundCreditNote: 'issueCreditNote',
  voidCreditNote: 'issueCreditNote',
  uncancelSubscription: 'cancelSubscription',
  reactivateUser: 'suspendUser',
  withdrawHoldRelease: 'proposeHoldRelease',
  releaseLegalHold: 'proposeHoldRelease',
  resolveSecurityAlert: 'acknowledgeSecurityAlert',
  reopenSecurityAlert: 'resolveSecurityAlert',
  renewInvitation: 'inviteUser',
  reactivateCustomer: 'deactivateCustomer',
  reopenSupportTicket: 'resolveSupportTicket',
  closeSupportTicket: 'resolveSupportTicket',
  continueSupportTicket: 'resolveSupportTicket',
  revokeRole: 'assignRole',
  revokePermission: 'grantPermission',
  revokeLeaveRequest: 'approveLeaveRequest',
  clockOut: 'clockIn',
  startBreak: 'clockIn',
  endBreak: 'startBreak',
  rejectAttendanceRecord: 'correctAttendanceRecord',
  reviseCommissionRule: 'approveCommissionRule',
  endCommissionRule: 'approveCommissionRule',
  recalculateSalesPerformance: 'disputeSalesPerformance',
  approveSalesPerformance: 'submitSalesPerformance',
  paySalesPerformance: 'approveSalesPerformance',
  createOvertimeRecord: 'createAttendanceRecord',
  compensateOvertimeRecord: 'approveOvertimeRecord',
  endRemoteWorkSession: 'startRemoteWorkSession',
  approveRemoteWorkSession: 'requestRemoteWorkSession',
  rejectRemoteWorkSession: 'requestRemoteWorkSession',
  cancelRemoteWorkSession: 'requestRemoteWorkSession',
  reviseForecast: 'publishForecast',
}

/** What another person does than did the step before. */
const seconds = ['closeFiscalPeriod', 'approveCommissionRule', 'approveSalesPerformance']

let readings = 0
let rules = 0

/** By mutation and path: what a sample of the type is not good enough for, and why. */
const chosen: Readonly<Record<string, { why: string; values: Input }>> = {
  createRole: { why: 'permissions are names of the catalogue', values: { permissions: [] } },
  startSubscription: { why: 'a trial is for the first time alone', values: { plan: 'STARTER' } },
  changeSubscriptionPlan: { why: 'another plan than the one before', values: { plan: 'PROFESSIONAL' } },
  moveClock: {
    why: 'time goes forward',
    values: { to: new Date(Date.now() + 30 * 86_400_000).toISOString() },
  },
  createApiKey: {
    why: 'permissions are names of the catalogue, and a key ends within a year',
    values: { scopes: ['hr:employee:read'], expiresAt: new Date(Date.now() + 30 * day).toISOString() },
  },
  rotateApiKey: {
    why: 'a key ends within a year',
    values: { expiresAt: new Date(Date.now() + 60 * day).toISOString() },
  },
  updateComplianceRecord: { why: 'somebody is screened', values: { subjectName: 'Ada Lovelace' } },
  extendLegalHold: { why: 'more than it holds', values: { subjects: [{ resourceType: 'Employee' }] } },
  proposeRetentionPolicy: { why: 'the law has no say in it', values: { dataClass: 'LOG' } },
  receiveDataSubjectRequest: {
    why: 'it came in the past',
    values: { receivedAt: `${daysAgo(3)}T09:00:00.000Z` },
  },
  decideScreeningMatch: { why: 'it is decided, not opened', values: { decision: 'FALSE_POSITIVE' } },
  createAttendanceClosing: {
    why: 'days that have passed, and are opened again the second time',
    values: { closedThrough: daysAgo(40), reason: 'Sample' },
  },
  createCommissionRule: {
    why: 'rules of one scope do not overlap unless they stack, and criteria are no sentence',
    values: {
      isStackable: true,
      criteria: 'true',
      startDate: daysAgo(10),
      endDate: null,
      flatAmount: null,
      tiers: null,
    },
  },
  updateCommissionRule: {
    why: 'criteria are no sentence',
    values: {
      type: 'PERCENTAGE',
      criteria: 'true',
      startDate: daysAgo(9),
      endDate: null,
      flatAmount: null,
      tiers: null,
    },
  },
  reviseCommissionRule: { why: 'what was earned stays', values: { startDate: daysAgo(-5) } },
  endCommissionRule: { why: 'what was earned stays', values: { endDate: daysAgo(-5) } },
  computeSalesPerformance: {
    why: 'months that have passed',
    values: { periodStart: `${daysAgo(70).slice(0, 8)}01`, currency: 'EUR' },
  },
  setSalesAttributions: { why: 'all of a sale', values: { attributions: [] } },
  createOvertimeRecord: {
    why: 'the day on which the sample of work began, and no less than is rounded down',
    values: { workDate: new Date(Date.now() - 9 * 3_600_000).toISOString().slice(0, 10), minutes: 15 },
  },
  createOvertimeRule: {
    why: 'one that has begun to hold has no second one of its day',
    values: {
      get validFrom() {
        return daysAgo(-1000 - ++rules)
      },
    },
  },
  compensateOvertimeRecord: { why: 'days off go to a kind of leave', values: { compensation: 'TIME' } },
  requestRemoteWorkSession: {
    why: 'a day that has not passed',
    values: { countryCode: 'DE', workDate: daysAgo(-100) },
  },
  startRemoteWorkSession: { why: 'a country has a code', values: { countryCode: 'DE' } },
  createLeaveType: { why: 'there is no balance yet', values: { allowsNegative: true } },
  createLeaveRequest: {
    why: 'some day of a week is worked, whatever today is',
    values: { startDate: daysAgo(-7), endDate: daysAgo(-13) },
  },
  recordUsage: {
    why: 'readings are of the last weeks',
    values: {
      // Another instant each time: the same reading under the same key is no fault.
      get occurredAt() {
        return new Date(Date.now() - 60_000 - ++readings * 1000).toISOString()
      },
    },
  },
  draftCreditNote: { why: 'all that is left, whatever lines the invoice has', values: { lines: null } },
  refundCreditNote: { why: 'nobody paid its invoice: all of it settles that', values: { amount: null } },
  correctUsage: { why: 'less than was read', values: { quantity: '0.5' } },
  terminateEmployee: { why: 'who is hired again has left before', values: { terminationDate: daysAgo(30) } },
}

export async function readWrites(
  graph: TestGraph,
  api: GraphQLSchema,
  databases: readonly Database[],
): Promise<Writes> {
  const models = new Map(
    databases.flatMap(({ dataSource }) =>
      [...entityModels(dataSource).values()].map((model) => [model.name, model] as const),
    ),
  )
  const rows = await readRows(graph.owner, models, [])
  // What takes many rows at once tells of each by itself: test/tenancy/usage.test.ts.
  const places = readSurface(api, graph.server.subgraphs, models, rows).mutations.filter(
    // A download takes files of all subgraphs: test/compliance/subject-requests.test.ts.
    ({ field }) => !['recordUsageBatch', 'downloadDataSubjectRequest'].includes(field.name),
  )
  const placeOf = (mutation: string) => places.find(({ field }) => field.name === mutation)!
  let count = 0
  let years = 0

  const send: Writes['send'] = async (client, mutation, input) => {
    const { field, type } = placeOf(mutation)
    const name = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input!`
    const { data, errors } = await client.query<{ payload: Omit<Outcome, 'errors'> | null }>(
      `mutation ($input: ${name}) { payload: ${mutation}(input: $input) { ${rowOf(api, field, type)} userErrors { code field } } }`,
      { input },
    )
    return {
      errors: (errors ?? []).map(({ extensions, message }) => `${extensions.code}: ${message}`),
      userErrors: data?.payload?.userErrors ?? [],
      row: data?.payload?.row ?? null,
    }
  }

  /** By somebody else than who is asked to decide about the rows later. */
  async function perform(tenant: TestTenant, mutation: string, optionalIds = false) {
    const input = await fill(tenant, mutation, optionalIds)
    // Who closes is not who closed softly, and who approves is not who wrote or submitted.
    const isSecond = seconds.includes(mutation)
    const isOperators = byEntry.has(mutation)
    // Who grants overtime neither asked for it nor pays it.
    const third = mutation === 'approveOvertimeRecord' ? 'grants' : ''
    const client =
      isSecond || isOperators ? await writerOf(graph, tenant, mutation) : await preparer(tenant, third)
    const outcome = await send(client, mutation, input)
    if (!outcome.row) throw new Error(`${mutation} ${JSON.stringify({ input, outcome })}`)
    return { input, row: outcome.row }
  }

  const preparers = new Map<string, Promise<TestClient>>()
  const preparer = (tenant: TestTenant, what = '') => {
    const key = `${tenant.id} ${what}`
    const known = preparers.get(key) ?? tenant.user('ADMIN')
    preparers.set(key, known)
    return known
  }

  async function make(tenant: TestTenant, type: string, optionalIds = false): Promise<string> {
    if (type === 'Tenant') return tenant.id
    if (type === 'Job') return makeJob(tenant)
    if (type === 'OperatorEntry') return makeEntry(tenant)
    if (type === 'Session') return makeSession(tenant)
    if (type === 'Credential') return makePasskey(tenant)
    if (type === 'ScreeningMatch') return makeMatch(tenant)
    if (type === 'FiscalPeriod') return makePeriod(tenant)
    if (type === 'InvoiceLine') return makeLine(tenant)
    const running = type === 'PlanSubscription' ? await subscriptionOf(tenant) : undefined
    if (running) return running
    const create = places.find((one) => one.type === type && one.ids.every((id) => id.type !== type))
    if (!create) throw new Error(`No mutation makes a ${type}`)
    return (await perform(tenant, create.field.name, optionalIds)).row.id
  }

  async function makeSession(tenant: TestTenant): Promise<string> {
    const { userId } = await tenant.user('USER')
    const text = 'SELECT id FROM identity.sessions WHERE user_id = $1'
    return (await graph.owner.query<{ id: string }>(text, [userId])).rows[0]!.id
  }

  /** One of the administrator's: authenticators alone make them. */
  async function makePasskey(tenant: TestTenant): Promise<string> {
    const id = uuidv7()
    const text = `INSERT INTO identity.credentials (tenant_id, id, user_id, label, issuer, subject, public_key)
      VALUES ($1, $2, $3, 'Laptop', 'app.example', $4, 'AAAA')`
    await graph.owner.query(text, [tenant.id, id, (await tenant.as('ADMIN')).userId, id])
    return id
  }

  /** A tenant has one at a time. */
  async function subscriptionOf(tenant: TestTenant): Promise<string | undefined> {
    const text = 'SELECT id FROM tenancy.subscriptions WHERE current_of = $1'
    return (await graph.owner.query<{ id: string }>(text, [tenant.id])).rows[0]?.id
  }

  /** One that the administrator asked for: no mutation of this graph asks for one that waits. */
  async function makeJob(tenant: TestTenant): Promise<string> {
    const id = uuidv7()
    const text =
      "INSERT INTO shared.jobs (tenant_id, id, subgraph, name, requested_by_id) VALUES ($1, $2, 'hr', 'sample', $3)"
    await graph.owner.query(text, [tenant.id, id, (await tenant.as('ADMIN')).userId])
    return id
  }

  /** Operators of the platform alone make entries. */
  async function makeEntry(tenant: TestTenant): Promise<string> {
    const id = uuidv7()
    const text = `INSERT INTO tenancy.operator_entries
      (tenant_id, id, operator_id, operator_name, session_id, reason, reads_sensitive, expires_at)
      VALUES ($1, $2, $3, 'Olga', $3, 'sample', false, now() + interval '1 hour')`
    await graph.owner.query(text, [tenant.id, id, uuidv7()])
    return id
  }

  /** Screenings find matches. */
  async function makeMatch(tenant: TestTenant): Promise<string> {
    const record = await make(tenant, 'ComplianceRecord')
    const id = uuidv7()
    const text = `INSERT INTO compliance.screening_matches (tenant_id, id, record_id, list_name, list_version, entry_id,
        compared_digest, listed_name, score) VALUES ($1, $2, $3, 'List', '1', 'E', 'D', 'Somebody', 90)`
    await graph.owner.query(text, [tenant.id, id, record])
    const found = "UPDATE compliance.compliance_records SET status = 'POTENTIAL_MATCH' WHERE id = $1"
    await graph.owner.query(found, [record])
    return id
  }

  /** How far a request must be: jobs of all subgraphs bring it there. */
  async function reach(tenant: TestTenant, mutation: string, id: string): Promise<void> {
    const needed: Readonly<Record<string, string>> = {
      collect: 'VERIFIED',
      approve: 'REVIEW',
      fulfil: 'REVIEW',
    }
    const status = needed[mutation.replace('DataSubjectRequest', '')]
    if (!status) return
    const approver = mutation.startsWith('fulfil') ? (await writerOf(graph, tenant, mutation)).userId : null
    const text = `UPDATE compliance.data_subject_requests SET status = $2, user_id = $3, verified_at = now(), verified_by_id = $3, is_address_known = false,
        approved_by_id = $4::uuid, approved_at = CASE WHEN $4::uuid IS NOT NULL THEN now() END WHERE id = $1`
    await graph.owner.query(text, [id, status, (await preparer(tenant)).userId, approver])
  }

  /** Lines come with their invoice. */
  async function makeLine(tenant: TestTenant): Promise<string> {
    const { row } = await perform(tenant, 'issueInvoice')
    const text = 'SELECT id FROM tenancy.invoice_lines WHERE invoice_id = $1'
    return (await graph.owner.query<{ id: string }>(text, [row.id])).rows[0]!.id
  }

  /** Months come by the year. */
  async function makePeriod(tenant: TestTenant): Promise<string> {
    const id = uuidv7()
    const text =
      "INSERT INTO finance.fiscal_periods (tenant_id, id, year, month, status) VALUES ($1, $2, $3, 1, 'OPEN')"
    await graph.owner.query(text, [tenant.id, id, 1900 + ++years])
    return id
  }

  /** An entry has two sides at least. */
  async function sides(tenant: TestTenant) {
    const amount = { amount: '1', currency: 'EUR' }
    return [
      { ledgerAccountId: await make(tenant, 'LedgerAccount'), debit: amount },
      { ledgerAccountId: await make(tenant, 'LedgerAccount'), credit: amount },
    ]
  }

  async function fill(tenant: TestTenant, mutation: string, optionalIds: boolean): Promise<Input> {
    const place = placeOf(mutation)
    const values: Input = { ...chosen[mutation]?.values }
    if (mutation === 'postJournalEntry') values['postings'] = await sides(tenant)
    for (const { path } of place.uniques) {
      const value = `${path.at(-1)!}-${++count}`.toLowerCase()
      values[path.join('.')] = path.at(-1) === 'email' ? `${value}@writes.example` : value
    }
    for (const { path, type } of inputLeaves(place.input!)) {
      const isUnique = path.length === 1 && rows.uniqueProperties(place.type).includes(path[0]!)
      // Not of months, which begin on one day.
      if (
        isUnique &&
        !(path[0]! in values) &&
        getNamedType(type).name === 'Date' &&
        path[0] !== 'periodStart'
      )
        values[path[0]!] = daysAgo(++count)
    }
    if (place.type === 'OvertimeRecord' || mutation === 'proposeOvertime')
      await graph.owner.query(
        // All work is overtime, of one kind whatever the time of day.
        `INSERT INTO hr.overtime_rules
           (tenant_id, id, valid_from, daily_minutes, daily_factor, status, proposed_by_id, approved_by_id, approved_at)
         VALUES ($1, $2, '2000-01-01', 0, 2, 'APPROVED', $3, $4, now()) ON CONFLICT DO NOTHING`,
        [tenant.id, uuidv7(), (await preparer(tenant)).userId, (await preparer(tenant, 'grants')).userId],
      )
    // What is credited, and what a credit settles, is issued.
    if (['draftCreditNote', 'applyCreditNote', 'allocatePayment'].includes(mutation))
      values['invoiceId'] = (await perform(tenant, 'issueInvoice')).row.id
    const preparation = preparations[mutation]
    if (preparation) {
      const { input, row } = await perform(tenant, preparation)
      for (const { path, type } of place.ids) {
        const at = path.join('.')
        if (at in input || type === place.type) values[at] = input[at] ?? row.id
      }
    }
    for (const { path, type } of place.ids) {
      const at = path.join('.')
      // A key that others may rotate is a service account's.
      const isNeeded = optionalIds || isRequired(place, at) || mutation === 'createApiKey'
      if (at in values || path[0]! in values || !isNeeded) continue
      values[at] = await make(tenant, type)
      // A login is linked to an employee, and another password is demanded, once its owner has it.
      const isDemand = mutation === 'requirePasswordChange'
      if (type === 'User' && (place.type === 'Employee' || isDemand))
        await graph.owner.query(
          `UPDATE identity.users SET status = 'ACTIVE', password_hash = 'own', password_change_required = false,
             invitation_hash = NULL, invitation_expires_at = NULL WHERE id = $1`,
          [values[at]],
        )
      // Work is given to those who may do it.
      if (type === 'User' && place.type === 'SupportTicket')
        await graph.owner.query(
          `UPDATE identity.users SET status = 'ACTIVE', granted_permissions = '{insights:ticket:write}',
             password_hash = 'own', invitation_hash = NULL, invitation_expires_at = NULL WHERE id = $1`,
          [values[at]],
        )
      if (type === 'User' && place.type === 'ApiKey')
        await graph.owner.query(
          `UPDATE identity.users SET status = 'ACTIVE', kind = 'SERVICE', email = id || '@service.invalid', password_hash = NULL,
             password_change_required = false, granted_permissions = '{hr:employee:read}' WHERE id = $1`,
          [values[at]],
        )
    }
    if (place.type === 'DataSubjectRequest') await reach(tenant, mutation, String(values['id']))
    if (isRequired(place, 'expectedVersion')) {
      const text = `SELECT version FROM ${models.get(place.type)!.table} WHERE id = $1`
      const { rows: found } = await graph.owner.query<{ version: number }>(text, [values['id'] ?? tenant.id])
      values['expectedVersion'] = found[0]!.version
    }
    return inputValue(place.input!, { ids: () => '', given: values }) as Input
  }

  return { models, places, inputFor: (tenant, mutation) => fill(tenant, mutation, true), make, perform, send }
}

/** The row in a payload, with its version where the graph shows one. */
function rowOf(api: GraphQLSchema, { type: payload }: MutationPlace['field'], type: string): string {
  const named = getNamedType(payload)
  const fields = isObjectType(named) ? Object.values(named.getFields()) : []
  const thing = fields.find((one) => getNamedType(one.type).name === type)!
  const row = api.getType(type)
  const version = isObjectType(row) && 'version' in row.getFields() ? 'version' : ''
  return `row: ${thing.name} { id ${version} }`
}

/** Whether the input cannot do without a field of its own. */
export function isRequired({ input }: MutationPlace, name: string): boolean {
  const type = getNamedType(input)
  const field = isInputObjectType(type) ? type.getFields()[name] : undefined
  return field !== undefined && isRequiredInputField(field)
}

/** An input with one value in another place: in a list its first item, in an object beside what that cannot do without. */
export function withValue(
  { input }: MutationPlace,
  base: Input,
  [name, ...rest]: readonly string[],
  value: unknown,
): Input {
  const type = getNamedType(input)
  const field = isInputObjectType(type) ? type.getFields()[name!]! : undefined
  if (!field) throw new Error(`${String(input)} has no field ${name}`)
  if (rest.length > 0) {
    const given = { [rest.join('.')]: value }
    return { ...base, [name!]: inputValue(field.type, { ids: () => '', given }) }
  }
  return { ...base, [name!]: isListType(getNullableType(field.type)) ? [value] : value }
}
