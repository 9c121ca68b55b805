import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Supergraph } from '@apollo/federation-internals'
import { getNamedType, getNullableType, isInputObjectType, isListType } from 'graphql'
import { readTables, type Table } from '../../database/rows'
import { inputLeaves, type FilterPlace, type IdPlace, type MutationPlace } from '../../isolation/surface'
import type { Database } from '../../kernel/connection/database'
import type { ColumnModel } from '../../kernel/schema/entity-model'
import { uuidv7 } from '../../kernel/id'
import { projectRoot } from '../../kernel/process/config'
import { loadable } from '../../registry/composition/compose'
import { cheapBcrypt } from '../support/bcrypt'
import { startGraph, type TestGraph, type TestTenant } from '../support/graph'
import { stateBesidesEntries, writerOf } from '../support/operator'
import { isAboutTenants } from '../support/platform-fields'
import { readWrites, withValue, type Input, type Outcome, type Writes } from './write-inputs'

/**
 * What every mutation about rows does with bad input, derived from its input, the models and the catalogue: exactly one
 * error with the code and field that everybody knows, and not a row changed. Then the same input without the fault is
 * taken, so that nothing is refused for another reason than the one that is tried.
 */
const supergraph = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
const api = Supergraph.build(loadable(supergraph)).apiSchema().toGraphQLJSSchema()

/** Not about rows of a tenant, but about the caller's own session and password; tested in test/identity. */
const aboutSessions = [
  ...['signIn', 'refreshSession', 'signOut', 'changePassword', 'acceptInvitation'],
  ...['revokeOtherSessions', 'stepUp', 'completeSignIn', 'operatorSignIn'],
  ...['requestPasswordReset', 'resetPassword', 'requestEmailChange', 'confirmEmailChange'],
  // Of the tenant, and no row of its own: test/identity/sign-in-policy.test.ts.
  'setSignInPolicy',
  // Dated decisions, which no type of their own shows: test/tenancy/billing-documents.test.ts.
  'setTenantTax',
  // Likewise: test/tenancy/dunning.test.ts.
  'setDunningLevels',
  // By what was mailed: test/operator/lone-administrator.test.ts.
  'stopLoneAdministratorReset',
  // About the caller's own second factors, or those that another has.
  ...['confirmMfaDevice', 'removeMfaDevice', 'regenerateRecoveryCodes', 'resetUserMfa'],
  // By what an authenticator signed: test/identity/passkeys.test.ts.
  ...['registerPasskeyBegin', 'registerPasskeyFinish', 'stepUpPasskeyBegin', 'removeCredential'],
  ...['signInPasskeyBegin', 'signInPasskeyFinish'],
]
/** By mutation: the test of what tells of each item by itself, so that no item refuses the others, or takes files of all subgraphs. */
const itemByItem = [
  'recordUsageBatch', // test/tenancy/usage.test.ts
  'downloadDataSubjectRequest', // test/compliance/subject-requests.test.ts
  'trackEvents', // test/insights/analytics-event.test.ts
]
const mutations = Object.values(api.getMutationType()!.getFields())
  .filter(isAboutTenants)
  .map(({ name }) => name)
  .filter((one) => !aboutSessions.includes(one) && !itemByItem.includes(one))

type Told = Pick<Outcome, 'errors' | 'userErrors'>
const told = (code: string, ...field: string[]): Told => ({ errors: [], userErrors: [{ code, field }] })

/** By mutation and attempt: another answer than the rule's, and why. */
const otherwise: Readonly<Record<string, { why: string; answer: Told; isFound?: true; changed?: string[] }>> =
  {
    'postJournalEntry sourceType, sourceId taken': {
      why: 'a document is booked once: its entry comes back',
      answer: { errors: [], userErrors: [] },
      isFound: true,
    },
    'detectPattern customerId, patternType taken': {
      why: 'a pattern that is seen again is renewed: its row, and nothing but the record of it',
      answer: { errors: [], userErrors: [] },
      isFound: true,
      changed: ['insights.behavior_patterns', 'shared.audit_logs', 'shared.outbox_events'],
    },
    'recordInteraction source, externalId taken': {
      why: 'an event that comes again is found; of another customer it is told by its id',
      answer: told('DUPLICATE', 'externalId'),
    },
    ...Object.fromEntries(
      ['not an id', 'of no row', 'of another tenant'].map((fault) => [
        `postJournalEntry postings ${fault}`,
        {
          why: 'the sample of a posting has no amount, which is told first; accounts are tried in test/finance/ledger.test.ts',
          answer: told('INVALID', 'postings', '0', 'credit'),
        },
      ]),
    ),
    ...Object.fromEntries(
      ['not an id', 'of no row', 'of another tenant'].map((fault) => [
        `draftCreditNote lines ${fault}`,
        {
          why: 'which of the lines it is stands in the path',
          answer: told('REFERENCE_NOT_FOUND', 'lines', '0', 'invoiceLineId'),
        },
      ]),
    ),
    ...Object.fromEntries(
      ['not an id', 'of no row', 'of another tenant'].map((fault) => [
        `setSalesAttributions attributions ${fault}`,
        {
          why: 'all parts are written at once, so which of them it is is not told',
          answer: told('REFERENCE_NOT_FOUND', 'userId'),
        },
      ]),
    ),
    'computeSalesPerformance userId, periodStart, currency taken': {
      why: 'it is reckoned anew, and says who leads the team from then on',
      answer: { errors: [], userErrors: [] },
      isFound: true,
      changed: ['finance.sales_performances', 'shared.audit_logs', 'shared.outbox_events'],
    },
    'createAttendanceRecord employeeId taken': {
      why: 'an employee works many times, but not twice at once',
      answer: told('ATTENDANCE_OVERLAP', 'clockInAt'),
    },
    'clockIn employeeId taken': {
      why: 'an employee works many times',
      answer: { errors: [], userErrors: [] },
      isFound: true,
      changed: ['hr.attendance_records', 'shared.audit_logs', 'shared.outbox_events'],
    },
    ...Object.fromEntries(
      ['employeeId', 'employeeId, workDate'].map((key) => [
        `requestRemoteWorkSession ${key} taken`,
        {
          why: 'what goes on is no day that somebody asks for',
          answer: { errors: [], userErrors: [] },
          isFound: true,
          changed: ['hr.remote_work_sessions', 'shared.audit_logs', 'shared.outbox_events'],
        },
      ]),
    ),
    'startRemoteWorkSession employeeId taken': {
      why: 'who begins again within a minute has begun once',
      answer: { errors: [], userErrors: [] },
      isFound: true,
    },
    ...Object.fromEntries(
      ['clockOut', 'startBreak', 'endBreak'].map((mutation) => [
        `${mutation} employeeId taken`,
        { why: 'the work has ended', answer: told('WRONG_STATUS', 'employeeId') },
      ]),
    ),
    'createOvertimeRecord employeeId, workDate, kind taken': {
      why: 'who asks again asks for more of the day',
      answer: { errors: [], userErrors: [] },
      isFound: true,
      changed: ['hr.overtime_records', 'shared.audit_logs', 'shared.outbox_events'],
    },
    'createOvertimeRule validFrom taken': {
      why: 'several are proposed for a day, of which one is approved',
      answer: { errors: [], userErrors: [] },
      isFound: true,
      changed: ['hr.overtime_rules', 'shared.audit_logs', 'shared.outbox_events'],
    },
    'recordUsage source, externalId taken': {
      why: 'a reading that comes again is found; another one is told by its key',
      answer: told('DUPLICATE', 'externalId'),
    },
    'correctUsage source, externalId taken': {
      why: 'a correction that comes again is found; another one is told by its key',
      answer: told('DUPLICATE', 'externalId'),
    },
  }
/** Mutations that take neither texts nor ids nor a version. */
const withoutAttempts = ['importChartOfAccounts', 'moveClock', 'openFiscalYear', 'startSubscription']

interface Attempt {
  name: string
  input: Input
  expected: Told
}

let graph: TestGraph
let globex: TestTenant
let writes: Writes
let tables: Table[]
const foreignIds = new Map<string, string>()
const seen: string[] = []

beforeAll(async () => {
  cheapBcrypt()
  const databases: Database[] = []
  graph = await startGraph({
    fromManyNetworks: true,
    around: (_, database) => (databases.push(database), database),
  })
  globex = await graph.tenant('globex')
  writes = await readWrites(graph, api, databases)
  tables = await readTables(graph.owner)
})
afterAll(() => graph?.close())

/** The column that a text is kept in; undefined for what is kept otherwise. */
function columnOf({ type }: MutationPlace, { path }: FilterPlace): ColumnModel | undefined {
  const holder = path.length === 1 ? type : type === 'JournalEntry' ? 'Posting' : 'InvoiceLine'
  return writes.models.get(holder)?.columns.get(path.at(-1)!)
}

/** A field as user errors name it: what is in a list of objects by its place. */
function fieldOf({ input }: MutationPlace, [first, ...rest]: readonly string[]): string[] {
  const type = getNamedType(input)
  const field = isInputObjectType(type) ? type.getFields()[first!] : undefined
  const isItem = isListType(getNullableType(field?.type))
  return [first!, ...(isItem ? ['0'] : []), ...rest]
}

function textAttempts(place: MutationPlace, base: Input): Attempt[] {
  return inputLeaves(place.input!).flatMap((leaf) => {
    const { path } = leaf
    const at = path.join('.')
    if (getNamedType(leaf.type).name !== 'String') return []
    const column = columnOf(place, leaf)
    const longest = column?.length ?? 100_000
    return [
      {
        name: `${at} too long`,
        input: withValue(place, base, path, 'x'.repeat(longest + 1)),
        expected: told('INVALID', ...fieldOf(place, path)),
      },
      {
        name: `${at} with NUL`,
        input: withValue(place, base, path, 'a\0b'),
        expected: told('INVALID', ...fieldOf(place, path)),
      },
      // A key of idempotency is taken as it is.
      ...(at === 'idempotencyKey'
        ? []
        : [
            {
              name: `${at} blank`,
              input: withValue(place, base, path, ' \u00a0 '),
              expected: told('INVALID', ...fieldOf(place, path)),
            },
          ]),
    ]
  })
}

/** What stands for no row of the tenant is answered alike, whatever it is. */
async function idAttempts(place: MutationPlace, base: Input, { path, type }: IdPlace): Promise<Attempt[]> {
  const [at] = path as [string]
  if (!foreignIds.has(type)) foreignIds.set(type, await writes.make(globex, type))
  const unknown = at === 'id' ? told('NOT_FOUND', 'id') : told('REFERENCE_NOT_FOUND', at)
  const attempt = (name: string, id: string, expected: Told) => ({
    name: `${at} ${name}`,
    input: withValue(place, base, path, id),
    expected,
  })
  return [
    attempt('not an id', 'seven', unknown),
    attempt('of no row', uuidv7(), unknown),
    attempt('of another tenant', foreignIds.get(type)!, unknown),
  ]
}

/** Values that another row has of a unique key, for each key that the input can give whole. */
async function keyAttempts(tenant: TestTenant, place: MutationPlace, base: Input): Promise<Attempt[]> {
  const model = writes.models.get(place.type)!
  const leaves = new Set(inputLeaves(place.input!).map(({ path }) => path.join('.')))
  const table = tables.find(({ name }) => `"${name.replace('.', '"."')}"` === model.table)
  const keys = (table?.keys ?? []).map(({ expressions }) =>
    [...model.columns.values()].filter(
      ({ property, sql }) =>
        property !== 'tenantId' &&
        new RegExp(`\\b${sql.slice(1, -1)}(?:_spelling|_look)?\\b`).test(expressions.join(' ')),
    ),
  )
  // What a key compares by spelling is a key by itself as well.
  const distinct = new Map(keys.map((key) => [key.map(({ property }) => property).join(), key]))
  const whole = [...distinct.values()].filter(
    (key) => key.length > 0 && key.every(({ property }) => property !== 'id' && leaves.has(property)),
  )
  if (whole.length === 0) return []
  const other = await writes.make(tenant, place.type, true)
  const text = `SELECT to_jsonb(t) AS row FROM ${model.table} t WHERE id = $1`
  const { row } = (await graph.owner.query<{ row: Input }>(text, [other])).rows[0]!
  const given = whole.filter((key) => key.every(({ sql }) => row[sql.slice(1, -1)] !== null))
  return given.map((key) => ({
    name: `${key.map(({ property }) => property).join(', ')} taken`,
    input: {
      ...base,
      ...Object.fromEntries(key.map(({ property, sql }) => [property, row[sql.slice(1, -1)]])),
    },
    expected: told('DUPLICATE', key[0]!.property),
  }))
}

async function attemptsOf(tenant: TestTenant, place: MutationPlace, base: Input): Promise<Attempt[]> {
  const attempts = textAttempts(place, base)
  for (const id of place.ids) attempts.push(...(await idAttempts(place, base, id)))
  attempts.push(...(await keyAttempts(tenant, place, base)))
  if ('expectedVersion' in base)
    attempts.push({
      name: 'stale version',
      input: { ...base, expectedVersion: 99 },
      expected: told('STALE_VERSION', 'expectedVersion'),
    })
  return attempts
}

it.each(mutations)('%s refuses each fault by its field, and changes nothing (P1)', async (mutation) => {
  const tenant = await graph.tenant(`t-${mutation.toLowerCase()}`)
  // One that may be moved in time, so that nothing is refused for that.
  await graph.owner.query('UPDATE tenancy.tenants SET is_sandbox = true WHERE id = $1', [tenant.id])
  const writer = await writerOf(graph, tenant, mutation)
  const place = writes.places.find(({ field }) => field.name === mutation)!
  const valid = await writes.inputFor(tenant, mutation)
  const attempts = await attemptsOf(tenant, place, valid)
  const tenants = [tenant, globex].map(({ id, slug }) => ({ id, slug, domain: slug }))
  let before = await stateBesidesEntries(graph.owner, tenants)
  const expected: Record<string, unknown> = {}
  const found: Record<string, unknown> = {}
  for (const { name, input, expected: usual } of attempts) {
    const attempt = `${mutation} ${name}`
    seen.push(attempt)
    const { answer: said, isFound = false, changed: changes = [] } = otherwise[attempt] ?? { answer: usual }
    const row: unknown = isFound ? expect.objectContaining({ id: expect.any(String) }) : null
    expected[name] = { ...said, row, changed: changes }
    const outcome = await writes.send(writer, mutation, input)
    const after = await stateBesidesEntries(graph.owner, tenants)
    // A tenant's key is made before its first mutation, whatever becomes of that.
    const changed = [...after.keys()]
      .filter((table) => after.get(table) !== before.get(table))
      .filter((table) => table !== 'shared.data_keys')
    found[name] = { ...outcome, changed: changed.sort() }
    if (changes.length > 0) before = after
  }
  expect(found).toEqual(expected)
  expect(Object.keys(found).length > 0).toBe(!withoutAttempts.includes(mutation))
  const { row, ...answer } = await writes.send(writer, mutation, valid)
  expect({ ...answer, isDone: row !== null }).toEqual({ errors: [], userErrors: [], isDone: true })
})

it('was tried with every kind of fault, and lists no exception in vain', () => {
  const times = (kind: string) => seen.filter((name) => name.endsWith(kind)).length
  expect(seen.length).toBe(new Set(seen).size)
  expect({
    texts: times('too long') > 60 && times('too long') === times('with NUL'),
    ids: times('not an id') > 50 && times('not an id') === times('of another tenant'),
    keys: times('taken') > 15,
    versions: times('stale version') > 30,
  }).toEqual({ texts: true, ids: true, keys: true, versions: true })
  expect(Object.keys(otherwise).filter((name) => !seen.includes(name))).toEqual([])
})
