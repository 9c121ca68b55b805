import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Supergraph } from '@apollo/federation-internals'
import { projectRoot } from '../../kernel/process/config'
import { loadable } from '../../registry/composition/compose'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'

/**
 * H3, K8: who gains by a decision, or prepared it, does not take it. Every mutation stands in one of these tables, so a
 * new one has to say which it is.
 */
const euros = (amount: string) => ({ amount, currency: 'EUR' })

/** The input of a mutation about a record of the viewer's own; it is refused with OWN_RECORD on this field. */
const refused: Readonly<
  Record<string, { of: 'employee' | 'record' | 'login'; input: object; field: string }>
> = {
  setEmployeeSalary: { of: 'employee', input: { salary: euros('999999') }, field: 'id' },
  assessEmployee: { of: 'employee', input: { performanceScore: 100 }, field: 'id' },
  promoteEmployee: { of: 'employee', input: { position: 'Director', salary: euros('999999') }, field: 'id' },
  rehireEmployee: { of: 'employee', input: { hireDate: '2026-02-01' }, field: 'id' },
  updateEmployee: { of: 'employee', input: { position: 'Director' }, field: 'id' },
  hireEmployee: { of: 'login', input: { employeeNumber: 'SELF' }, field: 'userId' },
  approveComplianceRecord: { of: 'record', input: {}, field: 'id' },
  rejectComplianceRecord: { of: 'record', input: {}, field: 'id' },
  flagComplianceRecord: { of: 'record', input: {}, field: 'id' },
}

/** Why a mutation may be about its caller. */
const mayBeOwn: Readonly<Record<string, string>> = {
  'createComplianceRecord updateComplianceRecord': 'prepares what others decide about',
  'transferEmployee terminateEmployee': 'gives nothing: no pay, rating or position',
  'createDepartment updateDepartment closeDepartment reopenDepartment createHoliday': 'is about nobody',
  'createUser inviteUser renewInvitation updateUser suspendUser reactivateUser requirePasswordChange':
    'only with authority over the user (identity/authority.ts)',
  'assignRole revokeRole grantPermission revokePermission createRole updateRole deleteRole':
    'nobody gives what they lack, so nobody gains (identity/authority.ts)',
  'signIn refreshSession signOut changePassword acceptInvitation': 'is the own account’s',
  'createCustomer updateCustomer deactivateCustomer reactivateCustomer recordInteraction':
    'is about nobody here',
  'updateTenant cancelJob moveClock': 'is about nobody',
  'startSubscription changeSubscriptionPlan cancelSubscription uncancelSubscription renewSubscription':
    'chooses what the price list offers to all: no price is named (B1)',
}

/** What a later issue decides, by its finding. */
const later: Readonly<Record<string, string>> = {
  'recordTransaction updateTransaction reverseTransaction setBudget': 'F4: approval of postings and budgets',
  flagTransaction: 'F3: a second person clears a flag; who recorded or flagged is not kept yet',
  'draftInvoice updateInvoice issueInvoice payInvoice voidInvoice discardInvoice':
    'B1: who owes does not decide',
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
  if (mutation !== 'rehireEmployee') return { ...input, id, expectedVersion: 1 }
  await change(
    admin,
    'terminateEmployee',
    { id, expectedVersion: 1, terminationDate: '2026-01-31' },
    '__typename',
  )
  return { ...input, id, expectedVersion: 2 }
}

async function stored(): Promise<unknown[]> {
  const { rows } = await graph.owner.query(
    `SELECT to_jsonb(e) FROM hr.employees e UNION ALL SELECT to_jsonb(r) FROM compliance.compliance_records r`,
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
