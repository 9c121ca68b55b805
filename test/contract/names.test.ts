import { getNamedType, isInputObjectType, buildSchema, type GraphQLInputObjectType } from 'graphql'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../kernel/process/config'
import { systemRoles } from '../../migrations/permissions'
import { startGraph, type TestClient, type TestGraph, type TestTenant } from '../support/graph'

/** Texts by which people know a thing: normal at the door, and no two of them alike within a tenant (A11, K5). */
let graph: TestGraph
let tenant: TestTenant
let admin: TestClient

beforeAll(async () => {
  graph = await startGraph()
  tenant = await graph.tenant('names')
  admin = await tenant.as('ADMIN')
})
afterAll(() => graph?.close())

/** How a thing with a name is made: the input without the name. */
interface Named {
  mutation: string
  field: string
  by: 'spelling' | 'look'
  input: (place: number) => object
}
const named: Readonly<Record<string, Named>> = {
  'identity.users.username': {
    mutation: 'inviteUser',
    field: 'username',
    by: 'spelling',
    input: (place) => ({ email: `name${place}@names.example` }),
  },
  'identity.roles.name': {
    mutation: 'createRole',
    field: 'name',
    by: 'look',
    input: () => ({ permissions: [] }),
  },
  'identity.api_keys.name': {
    mutation: 'createApiKey',
    field: 'name',
    by: 'spelling',
    input: () => ({
      scopes: ['hr:employee:read'],
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    }),
  },
  'compliance.legal_holds.hold_number': {
    mutation: 'placeLegalHold',
    field: 'holdNumber',
    by: 'spelling',
    input: () => ({ name: 'N', reason: 'R', subjects: [{ resourceType: 'Customer' }] }),
  },
  'compliance.data_subject_requests.request_number': {
    mutation: 'receiveDataSubjectRequest',
    field: 'requestNumber',
    by: 'spelling',
    input: () => ({ type: 'ACCESS', subjectType: 'CUSTOMER', requesterEmail: 'who@asks.example' }),
  },
  'hr.departments.name': { mutation: 'createDepartment', field: 'name', by: 'spelling', input: () => ({}) },
  'hr.work_calendars.name': {
    mutation: 'createWorkCalendar',
    field: 'name',
    by: 'spelling',
    input: () => ({ timeZone: 'UTC' }),
  },
  'hr.leave_types.code': {
    mutation: 'createLeaveType',
    field: 'code',
    by: 'spelling',
    input: (place) => ({ name: `Leave ${place}` }),
  },
  'hr.leave_types.name': {
    mutation: 'createLeaveType',
    field: 'name',
    by: 'spelling',
    input: (place) => ({ code: `NAMED-${place}` }),
  },
  'hr.employees.employee_number': {
    mutation: 'hireEmployee',
    field: 'employeeNumber',
    by: 'spelling',
    input: () => ({}),
  },
  'finance.ledger_accounts.code': {
    mutation: 'createLedgerAccount',
    field: 'code',
    by: 'spelling',
    input: () => ({ name: 'Account', type: 'ASSET' }),
  },
  'finance.transactions.transaction_number': {
    mutation: 'recordTransaction',
    field: 'transactionNumber',
    by: 'spelling',
    input: () => ({ type: 'INCOME', amount: { amount: '1', currency: 'EUR' } }),
  },
  'insights.business_calendars.name': {
    mutation: 'createBusinessCalendar',
    field: 'name',
    by: 'spelling',
    input: () => ({
      timeZone: 'Europe/Berlin',
      hours: [{ weekday: 'MONDAY', opensAt: '09:00', closesAt: '17:00' }],
    }),
  },
  'insights.sla_policies.name': {
    mutation: 'createSlaPolicy',
    field: 'name',
    by: 'spelling',
    input: () => ({ priority: 'LOW', firstResponseMinutes: 60, resolutionMinutes: 480 }),
  },
}
/** Keys that other systems or the product make, or that have one form only: they are compared as they are. */
const keysOfMachines = [
  'compliance.alert_groups.fingerprint',
  'compliance.screening_matches.compared_digest',
  'compliance.screening_matches.entry_id',
  'finance.journal_entries.entry_number',
  'finance.journal_entries.source_id',
  'finance.journal_entries.source_type',
  'hr.departments.name',
  'identity.credentials.issuer',
  'identity.credentials.subject',
  'identity.users.email',
  'identity.users.external_id',
  'insights.analytics_event_keys.event_id',
  'insights.analytics_event_keys.source',
  'insights.behavior_patterns.pattern_type',
  'insights.customer_interactions.external_id',
  'insights.customer_interactions.source',
  'insights.customers.external_id',
  'insights.support_tickets.ticket_number',
  'tenancy.credit_notes.credit_note_number',
  'tenancy.invoices.invoice_number',
  'tenancy.payments.payment_number',
  'hr.leave_requests.request_number',
  'tenancy.usage_records.external_id',
  'tenancy.usage_records.source',
].filter((key) => !(key in named))

let place = 0
async function make({ mutation, field, input }: Named, name: string) {
  const type = `${mutation[0]!.toUpperCase()}${mutation.slice(1)}Input`
  const answer = await admin.data<
    Record<string, { userErrors: { code: string; field: string[]; message: string }[] }>
  >(`mutation ($input: ${type}!) { ${mutation}(input: $input) { userErrors { code field message } } }`, {
    input: { ...input(place++), [field]: name },
  })
  return answer[mutation]!.userErrors
}

async function changes(): Promise<number> {
  const { rows } = await graph.owner.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM shared.audit_logs WHERE tenant_id = $1 AND action = 'CREATE'`,
    [tenant.id],
  )
  return rows[0]!.count
}

test('every unique text is compared as a name, or is the key of a machine', async () => {
  const { rows } = await graph.owner.query<{ name: string }>(
    `SELECT DISTINCT format('%s.%s', i.indrelid::regclass, a.attname) AS name
       FROM pg_index i
       JOIN pg_class c ON c.oid = i.indrelid
       JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname IN ('identity', 'tenancy', 'hr', 'insights', 'compliance', 'finance')
       JOIN pg_attribute t ON t.attrelid = i.indrelid AND t.attname = 'tenant_id'
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) AND a.atttypid = 'varchar'::regtype
      WHERE i.indisunique`,
  )
  expect(rows.map(({ name }) => name).sort()).toEqual([...Object.keys(named), ...keysOfMachines].sort())
  const { rows: compared } = await graph.owner.query<{ name: string }>(
    `SELECT format('%s.%s', c.conrelid::regclass, regexp_replace(a.attname, '_(spelling|look)$', '')) AS name
       FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
      WHERE c.contype = 'u' AND a.attname ~ '_(spelling|look)$'`,
  )
  expect(compared.map(({ name }) => name).sort()).toEqual(Object.keys(named).sort())
})

describe.each(Object.entries(named))('%s (A11)', (_column, one) => {
  const same = [
    'Ümläut Straße 7',
    '  ümläut straße 7\n',
    'ÜMLÄUT STRASSE 7',
    'U\u0308mla\u0308ut  Straße 7',
    'Ümläut Straße ７',
  ]

  test('a name is one, however it is spelled', async () => {
    expect(await make(one, same[0]!)).toEqual([])
    const before = await changes()
    for (const spelled of same)
      expect((await make(one, spelled)).map(({ code, field }) => ({ code, field }))).toEqual([
        { code: 'DUPLICATE', field: [one.field] },
      ])
    expect(await changes()).toBe(before)
    expect(await make(one, 'Ümläut Straße 8')).toEqual([])
  })

  test.each([
    ['nothing', ''],
    ['blanks', ' \t\u3000'],
    ['NUL', 'a\0b'],
    ['a line break', 'a\nb'],
    ['a bidi override', 'a\u202eb'],
    ['a bidi isolate', 'a\u2066b'],
    ['a blank of no width', 'a\u200bb'],
    ['half a character', 'a\ud800'],
  ])('%s is INVALID', async (_what, text) => {
    const before = await changes()
    expect((await make(one, text)).map(({ code, field }) => ({ code, field }))).toEqual([
      { code: 'INVALID', field: [one.field] },
    ])
    expect(await changes()).toBe(before)
  })
})

describe('names of rights (A11)', () => {
  const role = named['identity.roles.name']!
  /** Letters of other scripts for some of ours. */
  const disguised = (name: string) =>
    name.replace(
      /[AEOIMNRY]/g,
      (letter) => ({ A: 'А', E: 'Е', O: 'Ο', I: 'І', M: 'М', N: 'Ν', R: 'R', Y: 'Υ' })[letter]!,
    )

  test.each(
    systemRoles.flatMap((name) => [
      name.toLowerCase(),
      ` ${name} `,
      disguised(name),
      name.replaceAll('_', ' '),
      `${name[0]}\u0301${name.slice(1)}`,
      name.replaceAll('I', '1').replaceAll('O', '0'),
    ]),
  )('%j is that of a system role', async (name) => {
    const before = await changes()
    expect(await make(role, name)).toEqual([
      {
        code: 'DUPLICATE',
        field: ['name'],
        message: expect.stringMatching(/^name is already in use/) as string,
      },
    ])
    expect(await changes()).toBe(before)
  })

  test('Payroll and payroll, and names of other scripts and signs', async () => {
    expect(await make(role, 'Payroll')).toEqual([])
    for (const name of ['payroll', 'PAYROLL', 'Pay-Roll', 'Рayroll', 'PAYR0LL', 'Payrоl1'])
      expect((await make(role, name)).map(({ code }) => code)).toEqual(['DUPLICATE'])
    for (const name of ['Payments', '薪资', 'की', 'का', '🎉', '🎈'])
      expect(await make(role, name)).toEqual([])
  })

  test('a role is not renamed to look like another', async () => {
    const { createRole } = await admin.data<{ createRole: { role: { id: string; version: number } } }>(
      'mutation { createRole(input: {name: "Renamed", permissions: []}) { role { id version } } }',
    )
    const { updateRole } = await admin.data<{ updateRole: object }>(
      'mutation ($input: UpdateRoleInput!) { updateRole(input: $input) { role { id } userErrors { code field } } }',
      { input: { id: createRole.role.id, expectedVersion: createRole.role.version, name: 'Аdmin' } },
    )
    expect(updateRole).toEqual({ role: null, userErrors: [{ code: 'DUPLICATE', field: ['name'] }] })
  })
})

test('texts are kept in their normal form, and are found by any spelling of it (A11)', async () => {
  const { createDepartment } = await admin.data<{ createDepartment: { department: object } }>(
    'mutation ($input: CreateDepartmentInput!) { createDepartment(input: $input) { department { name description } userErrors { message } } }',
    { input: { name: ' E\u0301lan ', description: ' one\r\n\ttwo ' } },
  )
  expect(createDepartment.department).toEqual({ name: 'Élan', description: 'one\r\n\ttwo' })
  const { departments } = await admin.data<{ departments: object }>(
    'query ($name: String) { departments(filter: {search: $name}) { nodes { name } } }',
    { name: ' e\u0301lan' },
  )
  expect(departments).toEqual({ nodes: [{ name: 'Élan' }] })
})

test('addresses are one in any case and width, and sign in (A11)', async () => {
  const email = 'ＡＤＡ@Names.Example'
  const create = `mutation ($input: CreateUserInput!) { createUser(input: $input) { user { email } userErrors { code field } } }`
  const password = ' blanks of a password stay '
  const input = { email, initialPassword: password }
  expect(await admin.data(create, { input })).toEqual({
    createUser: { user: { email: 'ada@names.example' }, userErrors: [] },
  })
  expect(await admin.data(create, { input: { ...input, email: ' ada@names.example' } })).toEqual({
    createUser: { user: null, userErrors: [{ code: 'DUPLICATE', field: ['email'] }] },
  })
  const signIn = `mutation ($input: SignInInput!) { signIn(input: $input) { passwordChangeRequired userErrors { code } } }`
  const attempt = (given: string) =>
    graph.anonymous.data(signIn, { input: { tenant: ' NAMES ', email: ` ${email} `, password: given } })
  expect(await attempt(password)).toEqual({ signIn: { passwordChangeRequired: true, userErrors: [] } })
  expect(await attempt(password.trim())).toEqual({
    signIn: { passwordChangeRequired: null, userErrors: [{ code: 'INVALID_CREDENTIALS' }] },
  })
})

test('secrets and keys of requests are left as they are, and nothing else is (A11)', () => {
  const sdl = readdirSync(join(projectRoot, 'schema'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\w\/\w.*\.graphql$/.test(file))
    .map((file) => readFileSync(join(projectRoot, 'schema', file), 'utf8'))
    .join('\n')
  const verbatim = new Set([...sdl.matchAll(/^ {2}(\w+): String!? @verbatim$/gm)].map(([, name]) => name))
  expect([...verbatim].sort()).toEqual([
    'currentPassword',
    'deviceMark',
    'email',
    'idempotencyKey',
    'initialPassword',
    'mfaToken',
    'newPassword',
    'password',
    'refreshToken',
    'tenant',
    'token',
  ])
  const api = buildSchema(readFileSync(join(projectRoot, 'schema', 'api.graphql'), 'utf8'))
  const inputs = Object.values(api.getTypeMap()).filter(isInputObjectType) as GraphQLInputObjectType[]
  const secrets = inputs.flatMap(({ name, getFields }) =>
    name.endsWith('Filter')
      ? []
      : Object.values(getFields.call(api.getType(name) as GraphQLInputObjectType))
          .filter(
            (field) =>
              getNamedType(field.type).name === 'String' && /password|token|secret|key$/i.test(field.name),
          )
          .map((field) => field.name),
  )
  expect(secrets.filter((name) => !verbatim.has(name))).toEqual([])
})
