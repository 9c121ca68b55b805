import { uuidv7 } from '../../kernel/id'
import { readTypeDefs } from '../../kernel/schema/sdl-files'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'
import { change, userErrors } from '../support/lists'

/** Issue 17: whatever removes, releases or approves takes a second person. Who did what, for every such verb of compliance. */
let graph: TestGraph
let acme: TestTenant
let maker: TestClient
let service: TestClient
let count = 0

beforeAll(async () => {
  graph = await startGraph()
  acme = await graph.tenant('acme')
  maker = await acme.user('COMPLIANCE_OFFICER')
  service = await acme.as('ADMIN')
})
afterAll(() => graph?.close())

const idOf = (client: TestClient, mutation: string, input: object, field: string) =>
  change<{ id: string }>(client, mutation, input as Record<string, unknown>, `${field} { id }`).then(
    ({ id }) => id,
  )
const record = () => idOf(maker, 'createComplianceRecord', { type: 'KYC', data: {} }, 'complianceRecord')
const subjectRequest = (userId: string | null) =>
  idOf(
    service,
    'receiveDataSubjectRequest',
    {
      ...{ requestNumber: `D${++count}`, type: 'ACCESS', subjectType: 'USER', userId },
      requesterEmail: 'who@asks.example',
    },
    'dataSubjectRequest',
  )
const rationale = 'Seen'

interface Verb {
  /** Makes what is to be decided, as somebody who must not decide it, and returns the input of the decision. */
  prepare: () => Promise<Record<string, unknown>>
}

const verbs: Readonly<Record<string, Verb>> = {
  approveComplianceRecord: { prepare: async () => ({ id: await record(), expectedVersion: 1, rationale }) },
  rejectComplianceRecord: { prepare: async () => ({ id: await record(), expectedVersion: 1, rationale }) },
  decideScreeningMatch: {
    prepare: async () => {
      const [recordId, id] = [await record(), uuidv7()]
      await graph.owner.query(
        `INSERT INTO compliance.screening_matches (tenant_id, id, record_id, list_name, list_version, entry_id, compared_digest,
           listed_name, score) VALUES ($1, $2, $3, 'L', '1', 'E', 'D', 'N', 90)`,
        [acme.id, id, recordId],
      )
      await graph.owner.query(
        "UPDATE compliance.compliance_records SET status = 'POTENTIAL_MATCH' WHERE id = $1",
        [recordId],
      )
      return { id, expectedVersion: 1, decision: 'FALSE_POSITIVE', comment: 'Another person' }
    },
  },
  resolveSecurityAlert: {
    prepare: async () => {
      const alert = { alertType: 'SCAN', severity: 'LOW', description: 'x', fingerprint: `f${++count}` }
      const id = await idOf(
        service,
        'raiseSecurityAlert',
        { ...alert, userId: maker.userId },
        'securityAlert',
      )
      await change(service, 'acknowledgeSecurityAlert', { id, expectedVersion: 1 }, 'securityAlert { id }')
      return { id, expectedVersion: 2, verdict: 'BENIGN', note: 'Known' }
    },
  },
  releaseLegalHold: {
    prepare: async () => {
      const hold = {
        holdNumber: `H${++count}`,
        name: 'N',
        reason: 'R',
        subjects: [{ resourceType: 'Customer' }],
      }
      const id = await idOf(service, 'placeLegalHold', hold, 'legalHold')
      await change(
        maker,
        'proposeHoldRelease',
        { id, expectedVersion: 1, releaseReason: 'Over' },
        'legalHold { id }',
      )
      return { id, expectedVersion: 2 }
    },
  },
  approveDataSubjectRequest: {
    prepare: async () => {
      const id = await subjectRequest(service.userId)
      await graph.owner.query(
        `UPDATE compliance.data_subject_requests SET status = 'REVIEW', verified_at = now(), verified_by_id = $2, collected_by_id = $2,
           is_address_known = false
          WHERE id = $1`,
        [id, maker.userId],
      )
      return { id, expectedVersion: 1 }
    },
  },
  rejectDataSubjectRequest: {
    prepare: async () => ({
      id: await subjectRequest(maker.userId),
      expectedVersion: 1,
      legalGround: 'None',
    }),
  },
  approveRetentionPolicy: {
    prepare: async () => {
      const policy = { dataClass: 'LOG', keepFor: 365, unit: 'DAY' }
      const id = await idOf(maker, 'proposeRetentionPolicy', policy, 'retentionPolicy')
      return { id, expectedVersion: 1 }
    },
  },
}

const state = async () =>
  (
    await graph.owner.query<{ row: string }>(
      [
        'compliance_records',
        'screening_matches',
        'compliance_decisions',
        'security_alerts',
        'legal_holds',
        'retention_policies',
        'data_subject_requests',
      ]
        .map((table) => `SELECT to_jsonb(t)::text AS row FROM compliance.${table} t`)
        .join(' UNION ALL ') + ' ORDER BY 1',
    )
  ).rows

test('every verb of compliance that approves, rejects, releases, decides or resolves is in the matrix', () => {
  const found = readTypeDefs('compliance').definitions.flatMap((definition) =>
    'name' in definition && definition.name?.value === 'Mutation' && 'fields' in definition
      ? (definition.fields ?? []).map(({ name }) => name.value)
      : [],
  )
  expect(found.length).toBeGreaterThan(20)
  expect(found.filter((name) => /^(approve|reject|release|decide|resolve)/.test(name)).sort()).toEqual(
    Object.keys(verbs).sort(),
  )
})

describe.each(Object.keys(verbs))('%s', (verb) => {
  test('is refused to whom it is about or who prepared it, and changes nothing; a second person does it', async () => {
    const input = await verbs[verb]!.prepare()
    const before = await state()
    expect(await userErrors(maker, verb, input)).toMatchObject([{ code: 'OWN_RECORD', field: ['id'] }])
    expect(await state()).toEqual(before)
    // Of a version that nobody saw nothing is judged.
    const stale = { ...input, expectedVersion: 9 }
    expect(await userErrors(maker, verb, stale)).toMatchObject([{ code: 'STALE_VERSION' }])
    expect(await state()).toEqual(before)
    expect(await userErrors(await acme.user('COMPLIANCE_OFFICER'), verb, input)).toEqual([])
    expect(await state()).not.toEqual(before)
  })

  test('is refused to those who only read', async () => {
    const { errors } = await (
      await acme.as('VIEWER')
    ).query(
      `mutation ($input: ${verb[0]!.toUpperCase()}${verb.slice(1)}Input!) { ${verb}(input: $input) { userErrors { code } } }`,
      {
        input: await verbs[verb]!.prepare(),
      },
    )
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
  })
})
