import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Supergraph } from '@apollo/federation-internals'
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isRequiredInputField,
  type GraphQLInputField,
} from 'graphql'
import { inputValue } from '../../isolation/documents'
import type { Database } from '../../kernel/connection/database'
import { projectRoot } from '../../kernel/process/config'
import { loadable } from '../../registry/composition/compose'
import { cheapBcrypt } from '../support/bcrypt'
import { startGraph, type TestGraph } from '../support/graph'
import { stateBesidesEntries, writerOf } from '../support/operator'
import { isAboutTenants } from '../support/platform-fields'
import { readWrites, type Input, type Writes } from './write-inputs'

/**
 * What every mutation of a row with a version does when it is sent twice: the second time there is nothing to change, so
 * neither version nor audit trail tell of a change.
 */
const supergraph = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
const api = Supergraph.build(loadable(supergraph)).apiSchema().toGraphQLJSSchema()

const inputFields = (mutation: string): Record<string, GraphQLInputField> => {
  const { args } = api.getMutationType()!.getFields()[mutation]!
  const input = getNamedType(args.find(({ name }) => name === 'input')?.type)
  return isInputObjectType(input) ? input.getFields() : {}
}
/** Changes what is no row of an entity (test/identity/sign-in-policy.test.ts), or takes files (test/compliance/subject-requests.test.ts). */
const withoutEntity = ['setSignInPolicy', 'downloadDataSubjectRequest']
const changes = Object.keys(api.getMutationType()!.getFields()).filter(
  (mutation) =>
    'expectedVersion' in inputFields(mutation) &&
    isAboutTenants({ name: mutation }) &&
    !withoutEntity.includes(mutation),
)

/** By mutation: why the second time is a change as well. */
const otherwise: Readonly<Record<string, string>> = {
  escalateSupportTicket: 'each time a step more, with its reason',
  rotateApiKey: 'each time another secret, and the former one ends',
  renewInvitation: 'each time another token, and the former one ends',
  collectDataSubjectRequest: 'each time is begun anew, with a task of its own',
  escalateComplianceRecord: 'each time is a decision of its own',
}
/** By mutation: the code that the second time is refused with, since the row is no longer what it is about. */
const refused: Readonly<Record<string, string>> = {
  approveComplianceRecord: 'WRONG_STATUS',
  rejectComplianceRecord: 'WRONG_STATUS',
  flagComplianceRecord: 'WRONG_STATUS',
  screenComplianceRecord: 'WRONG_STATUS',
  verifyDataSubjectRequest: 'WRONG_STATUS',
  approveDataSubjectRequest: 'WRONG_STATUS',
  fulfilDataSubjectRequest: 'WRONG_STATUS',
  rejectDataSubjectRequest: 'WRONG_STATUS',
  extendDataSubjectRequest: 'WRONG_STATUS',
  decideScreeningMatch: 'WRONG_STATUS',
  resolveSecurityAlert: 'WRONG_STATUS',
  proposeHoldRelease: 'WRONG_STATUS',
  rejectLeaveRequest: 'WRONG_STATUS',
  correctAttendanceRecord: 'WRONG_STATUS',
  rejectAttendanceRecord: 'WRONG_STATUS',
  approveOvertimeRule: 'WRONG_STATUS',
  approveOvertimeRecord: 'WRONG_STATUS',
  rejectOvertimeRecord: 'WRONG_STATUS',
  compensateOvertimeRecord: 'WRONG_STATUS',
  endRemoteWorkSession: 'WRONG_STATUS',
  approveRemoteWorkSession: 'WRONG_STATUS',
  rejectRemoteWorkSession: 'WRONG_STATUS',
  cancelRemoteWorkSession: 'WRONG_STATUS',
  revokeLeaveRequest: 'WRONG_STATUS',
  delegateLeaveRequest: 'INVALID',
  terminateEmployee: 'NOT_EMPLOYED',
  rehireEmployee: 'EMPLOYED',
  issueInvoice: 'INVALID_STATUS',
  voidInvoice: 'INVALID_STATUS',
  pauseInvoice: 'INVALID_STATUS',
  resumeInvoice: 'INVALID_STATUS',
  discardInvoice: 'NOT_FOUND',
  cancelSubscription: 'INVALID_STATUS',
  uncancelSubscription: 'INVALID_STATUS',
  allocatePayment: 'INVALID_STATUS',
  refundPayment: 'INVALID_STATUS',
  refundCreditNote: 'INVALID_STATUS',
  reversePayment: 'INVALID_STATUS',
  issueCreditNote: 'INVALID_STATUS',
  applyCreditNote: 'INVALID_STATUS',
  voidCreditNote: 'INVALID_STATUS',
  discardCreditNote: 'NOT_FOUND',
  mergeSupportTicket: 'INVALID_STATUS',
  dismissPattern: 'NOT_FOUND',
  deleteCommissionRule: 'NOT_FOUND',
  approveCommissionRule: 'INVALID_STATUS',
  // The version that is answered is the next one's.
  reviseCommissionRule: 'STALE_VERSION',
  submitSalesPerformance: 'INVALID_STATUS',
  approveSalesPerformance: 'INVALID_STATUS',
  disputeSalesPerformance: 'INVALID_STATUS',
  paySalesPerformance: 'INVALID_STATUS',
  publishForecast: 'INVALID_STATUS',
  // The version that is answered is the next one's.
  reviseForecast: 'STALE_VERSION',
  deleteForecast: 'NOT_FOUND',
}
/** The codes that some subgraphs have and others have not. */
const codesOf = Object.values(api.getTypeMap())
  .filter(isEnumType)
  .filter(({ name }) => name.endsWith('UserErrorCode'))
  .map((type) => type.getValues().map(({ name }) => name))
const ownCodes = new Set(codesOf.flat().filter((code) => codesOf.some((codes) => !codes.includes(code))))
/** By field: what a sample of the type is not good enough for. */
const chosen: Readonly<Record<string, unknown>> = {
  avatarUrl: 'https://example.com/picture.png',
  expiresAt: new Date(Date.now() + 30 * 86_400_000).toISOString(),
  until: new Date(Date.now() + 86_400_000).toISOString(),
  billingCountry: 'DE',
  items: [],
  permissions: ['identity:user:read'],
}

let graph: TestGraph
let writes: Writes
beforeAll(async () => {
  cheapBcrypt()
  const databases: Database[] = []
  graph = await startGraph({ around: (_, database) => (databases.push(database), database) })
  writes = await readWrites(graph, api, databases)
})
afterAll(() => graph?.close())

it.each(changes)(
  '%s that changes nothing leaves the row, its version and the audit trail',
  async (mutation) => {
    const tenant = await graph.tenant(`n-${mutation.toLowerCase()}`)
    const writer = await writerOf(graph, tenant, mutation)
    const fields = inputFields(mutation)
    const given = await writes.inputFor(tenant, mutation)
    const optional = Object.values(fields).filter(
      ({ name }) => !(name in given) && name !== 'expectedVersion',
    )
    const values = optional.map(({ name, type }) => [
      name,
      chosen[name] ?? inputValue(type, { ids: () => '' }, [name]),
    ])
    const input: Input = { ...given, ...Object.fromEntries(values) }
    const state = () =>
      stateBesidesEntries(graph.owner, [{ id: tenant.id, slug: tenant.slug, domain: tenant.slug }])
    const start = await state()
    const first = await writes.send(writer, mutation, input)
    expect({ ...first, row: first.row !== null }).toEqual({ errors: [], userErrors: [], row: true })
    const before = await state()
    expect(before.get('shared.audit_logs')).not.toBe(start.get('shared.audit_logs'))
    const expectedVersion = first.row!.version
    const needed = Object.values(fields).filter((field) => isRequiredInputField(field))
    // All values again, and none at all where the mutation can do without.
    const again = [{ ...input, expectedVersion }]
    if (
      needed.every(({ name }) => name === 'id' || name === 'expectedVersion') &&
      needed.length < Object.keys(fields).length
    )
      again.push({ ...('id' in fields ? { id: input['id'] } : {}), expectedVersion })
    const found = []
    for (const one of again) {
      const { errors, userErrors, row } = await writes.send(writer, mutation, one)
      const after = await state()
      const changed = [...after.keys()].filter((table) => after.get(table) !== before.get(table))
      found.push({ errors, code: userErrors[0]?.code ?? null, version: row?.version ?? null, changed })
    }
    const said = refused[mutation] ?? (/^delete[A-Z]/.test(mutation) ? 'NOT_FOUND' : null)
    // A verb such as close, which takes a row and nothing else, may refuse in the subgraph's words what is done.
    const isStep = Object.keys(fields).every((name) => name === 'id' || name === 'expectedVersion')
    const own = found[0]!.code
    const code = said ?? (isStep && own !== null && ownCodes.has(own) ? own : null)
    const answer = { errors: [], code, version: code ? null : expectedVersion, changed: [] }
    if (mutation in otherwise) expect(found[0]!.changed).not.toEqual([])
    else expect(found).toEqual(again.map(() => answer))
  },
)

it('names no exception in vain', () => {
  expect(
    [...Object.keys(otherwise), ...Object.keys(refused)].filter((one) => !changes.includes(one)),
  ).toEqual([])
  expect(changes).toEqual(
    expect.arrayContaining(['updateTenant', 'updateInvoice', 'setBudget', 'suspendUser']),
  )
})
