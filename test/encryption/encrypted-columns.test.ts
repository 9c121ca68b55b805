import { demoTenantIds, demoUserIds } from '../../database/demo/ids'
import { destroyKeys, encryptRows, makeTenantKeys, rotateKeys } from '../../database/encrypt-rows'
import { DataKeys } from '../../kernel/encryption/data-keys'
import { keyRing, readKeyRing, newKeyRing } from '../../kernel/encryption/key-ring'
import { startGraph, type TestClient, type TestGraph } from '../support/graph'
import { change } from '../support/lists'

/** C6: values of classes that demand it are encrypted in the tables, each for its own place. */
let graph: TestGraph
let admin: TestClient
const acme = demoTenantIds.acme
const { admin: ada, hr: henrik, analyst: ana } = demoUserIds.acme

beforeAll(async () => {
  graph = await startGraph({ demo: true })
  admin = await graph.demo('acme', 'admin')
})
afterAll(() => graph?.close())

const form = /^enc1:[0-9a-f-]{36}:[\w-]+$/
type Stored = { phone: string | null; phone_index: string | null; mfa_secret: string | null }
const stored = async (id: string): Promise<Stored> =>
  (
    await graph.owner.query<Stored>(
      'SELECT phone, phone_index, mfa_secret FROM identity.users WHERE id = $1',
      [id],
    )
  ).rows[0]!
const phoneOf = async (id: string, client = admin) =>
  await client.query<{ user: { phone: string | null } | null }>(`{ user(id: "${id}") { id phone } }`)
const versionOf = async (id: string) =>
  (await admin.data<{ user: { version: number } }>(`{ user(id: "${id}") { version } }`)).user.version

async function setPhone(id: string, phone: string | null) {
  return change<{ phone: string | null }>(
    admin,
    'updateUser',
    { id, expectedVersion: await versionOf(id), phone },
    'user { id phone version }',
  )
}

test('C6 a telephone number is encrypted on its way in and readable on its way out', async () => {
  expect(await setPhone(ada, '+49 30 1234')).toMatchObject({ phone: '+49 30 1234' })
  const row = await stored(ada)
  expect(row.phone).toMatch(form)
  expect(row.phone_index).toMatch(/^[\w-]{43}$/)
  expect((await phoneOf(ada)).data).toEqual({ user: { id: ada, phone: '+49 30 1234' } })
  // The same number of another user is other text with the same index.
  await setPhone(henrik, '+49 30 1234')
  const other = await stored(henrik)
  expect(other.phone).not.toBe(row.phone)
  expect(other.phone!.split(':')[1]).not.toBe(row.phone!.split(':')[1])
  expect(other.phone_index).toBe(row.phone_index)
  await setPhone(henrik, null)
  expect(await stored(henrik)).toMatchObject({ phone: null, phone_index: null })
})

test('C6 a new user’s number is encrypted as well, and the trail tells only that there is one', async () => {
  const { id } = await change<{ id: string }>(
    admin,
    'createUser',
    { email: 'new@acme.example', initialPassword: 'a first password', phone: '030 99' },
    'user { id phone }',
  )
  expect((await stored(id)).phone).toMatch(form)
  const { rows } = await graph.owner.query<{ changes: { after: Record<string, unknown> } }>(
    "SELECT changes FROM shared.audit_logs WHERE resource_id = $1 AND action = 'CREATE'",
    [id],
  )
  expect(rows[0]!.changes.after).toMatchObject({
    phone: expect.stringMatching(/^\[masked [\w-]{12}\]$/),
    email: expect.stringMatching(/^\[masked/),
    status: 'ACTIVE',
  })
  expect(JSON.stringify(rows)).not.toContain('030 99')
})

test('C1 6 the digest in the trail is equal for equal values of one row alone', async () => {
  const maskedPhones = async () =>
    (
      await graph.owner.query<{ before: string; after: string }>(
        `SELECT changes->'before'->>'phone' AS before, changes->'after'->>'phone' AS after FROM shared.audit_logs
          WHERE resource_id = $1 AND action = 'UPDATE' ORDER BY occurred_at, id`,
        [ana],
      )
    ).rows
  for (const phone of ['1', '2', '1']) await setPhone(ana, phone)
  const [first, second, third] = await maskedPhones()
  expect(first!.before).toBeNull()
  expect(second).toEqual({
    before: first!.after,
    after: expect.not.stringMatching(first!.after.replace(/[[\]]/g, '.')),
  })
  expect(third).toEqual({ before: second!.after, after: first!.after })
  // Another row's equal value has another digest: whoever writes one learns nothing of others.
  await setPhone(henrik, '1')
  const { rows } = await graph.owner.query<{ after: string }>(
    `SELECT changes->'after'->>'phone' AS after FROM shared.audit_logs
      WHERE resource_id = $1 AND action = 'UPDATE' ORDER BY occurred_at DESC, id DESC LIMIT 1`,
    [henrik],
  )
  expect(rows[0]!.after).toMatch(/^\[masked /)
  expect(rows[0]!.after).not.toBe(first!.after)
  await setPhone(henrik, null)
  // What did not change is no change.
  await setPhone(ana, '1')
  expect(await maskedPhones()).toHaveLength(3)
})

test('C6 users are found by the whole number, and by nothing less', async () => {
  await setPhone(ada, '+49 30 777')
  const find = async (filter: string) =>
    (
      await admin.data<{ users: { nodes: { id: string }[] } }>(
        `{ users(filter: { phone: ${filter} }) { nodes { id } } }`,
      )
    ).users.nodes.map(({ id }) => id)
  expect(await find('{ eq: "+49 30 777" }')).toEqual([ada])
  expect(await find('{ eq: " +49 30 777 " }')).toEqual([ada])
  expect(await find('{ eq: "+49 30 77" }')).toEqual([])
  expect(await find('{ in: ["+49 30 777", "0"] }')).toEqual([ada])
  expect(await find('{ isNull: false, notIn: ["+49 30 777"] }')).not.toContain(ada)
  expect(await find('{ notIn: ["+49 30 777"] }')).toContain(henrik)
  const partly = await admin.query('{ users(filter: { phone: { contains: "777" } }) { nodes { id } } }')
  expect(partly.errors?.[0]?.message).toContain('contains')
  const sent = await graph.statementsDuring(() => find('{ eq: "+49 30 777" }'))
  // The list, and the entry that it was asked.
  expect(sent.map(({ role, text }) => `${role} ${text.slice(0, 6)}`)).toEqual([
    'identity SELECT',
    'identity INSERT',
  ])
  expect(JSON.stringify(sent.map(({ values }) => values))).not.toContain('777')
})

test('C6 what a compliance check found is encrypted and stays JSON of its kind', async () => {
  const officer = await graph.demo('acme', 'admin')
  const data = { ssn: '123-45-6789', nested: { list: [1, 'two', null] } }
  const { id } = await change<{ id: string }>(
    officer,
    'createComplianceRecord',
    { type: 'KYC', data },
    'complianceRecord { id data metadata }',
  )
  const { rows } = await graph.owner.query(
    'SELECT data, metadata FROM compliance.compliance_records WHERE id = $1',
    [id],
  )
  expect(rows[0]).toMatchObject({ data: { encrypted: expect.stringMatching(form) } })
  expect(await officer.data(`{ complianceRecord(id: "${id}") { data } }`)).toEqual({
    complianceRecord: { data },
  })
  const { createComplianceRecord } = await officer.data<Record<string, unknown>>(
    'mutation { createComplianceRecord(input: { type: KYC, data: [1] }) { complianceRecord { id } userErrors { field message } } }',
  )
  expect(createComplianceRecord).toEqual({
    complianceRecord: null,
    userErrors: [{ field: ['data'], message: expect.stringContaining('must be a JSON object') }],
  })
})

test('C6 the demo’s records are encrypted, and none of the encrypted columns holds a value in clear', async () => {
  const { rows } = await graph.owner.query<{ records: number; clear: number }>(
    `SELECT count(*)::int AS records, count(*) FILTER (WHERE NOT data ? 'encrypted')::int AS clear FROM compliance.compliance_records`,
  )
  expect(rows[0]!.records).toBeGreaterThan(100)
  expect(rows[0]!.clear).toBe(0)
})

test('C6 a list costs one statement, and one more for keys that are not in memory', async () => {
  const query = '{ complianceRecords(first: 20) { nodes { data metadata } } }'
  await admin.data(query)
  const sent = await graph.statementsDuring(() => admin.data(query))
  expect(sent.map(({ text }) => text.slice(0, 11))).toEqual(['SELECT t."i', 'INSERT INTO'])
})

describe('C6 a ciphertext that is copied does not open', () => {
  /** Puts a value into a user's row past the product, and tells what the product then answers. */
  async function answered(id: string, phone: string, reader = admin) {
    const before = await stored(id)
    await graph.owner.query('UPDATE identity.users SET phone = $2 WHERE id = $1', [id, phone])
    try {
      return await phoneOf(id, reader)
    } finally {
      await graph.owner.query('UPDATE identity.users SET phone = $2 WHERE id = $1', [id, before.phone])
    }
  }
  const fault = (id: string) => ({
    data: { user: { id, phone: null } },
    errors: [
      expect.objectContaining({
        path: ['user', 'phone'],
        extensions: expect.objectContaining({ code: 'INTERNAL_SERVER_ERROR' }),
      }),
    ],
  })

  beforeAll(() => setPhone(ada, '+49 30 42'))

  test('in another row of the tenant', async () => {
    expect(await answered(henrik, (await stored(ada)).phone!)).toMatchObject(fault(henrik))
    expect((await phoneOf(ada)).data!.user!.phone).toBe('+49 30 42')
  })

  test('in another tenant, key and all', async () => {
    const galaxy = await graph.demo('globex', 'admin')
    const victim = await stored(ada)
    const theirs = demoUserIds.globex.admin
    expect(await answered(theirs, victim.phone!, galaxy)).toMatchObject(fault(theirs))
    const copied = await graph.owner.query(
      `INSERT INTO shared.data_keys (tenant_id, id, subject_id, generation, master_key_id, wrapped, created_at)
       SELECT $1, id, subject_id, generation + 100, master_key_id, wrapped, created_at FROM shared.data_keys
        WHERE tenant_id = $2 AND (id = $3 OR id::text = (SELECT master_key_id FROM shared.data_keys WHERE tenant_id = $2 AND id = $3))`,
      [demoTenantIds.globex, acme, victim.phone!.split(':')[1]],
    )
    expect(copied.rowCount).toBe(2)
    expect(await answered(theirs, victim.phone!, galaxy)).toMatchObject(fault(theirs))
    await graph.owner.query('DELETE FROM shared.data_keys WHERE tenant_id = $1 AND generation > 100', [
      demoTenantIds.globex,
    ])
  })

  test('in another column, or changed by a bit', async () => {
    const { phone } = await stored(ada)
    const flipped = phone!.slice(0, -3) + (phone!.at(-3) === 'A' ? 'B' : 'A') + phone!.slice(-2)
    expect(await answered(ada, flipped)).toMatchObject(fault(ada))
    const { rows } = await graph.owner.query<{ id: string; text: string }>(
      "SELECT id, data->>'encrypted' AS text FROM compliance.compliance_records WHERE tenant_id = $1 LIMIT 1",
      [acme],
    )
    expect(await answered(ada, rows[0]!.text)).toMatchObject(fault(ada))
    // Within one row, from one column to another.
    const record = rows[0]!.id
    const swap = 'UPDATE compliance.compliance_records SET data = metadata, metadata = data WHERE id = $1'
    await graph.owner.query(swap, [record])
    const swapped = await admin.query(`{ complianceRecord(id: "${record}") { id data metadata } }`)
    expect(swapped.data).toEqual({ complianceRecord: { id: record, data: null, metadata: null } })
    expect(swapped.errors).toHaveLength(2)
    await graph.owner.query(swap, [record])
    expect((await admin.query(`{ complianceRecord(id: "${record}") { data } }`)).errors).toBeUndefined()
  })

  test('the rest of a list is there', async () => {
    const before = await stored(henrik)
    await graph.owner.query(
      'UPDATE identity.users SET phone = (SELECT phone FROM identity.users WHERE id = $2) WHERE id = $1',
      [henrik, ada],
    )
    const { data, errors } = await admin.query<{ users: { nodes: { id: string; phone: string | null }[] } }>(
      '{ users(first: 50) { nodes { id phone } } }',
    )
    expect(errors).toHaveLength(1)
    expect(data!.users.nodes.find(({ id }) => id === ada)!.phone).toBe('+49 30 42')
    await graph.owner.query('UPDATE identity.users SET phone = $2 WHERE id = $1', [henrik, before.phone])
  })
})

test('C6 rows in clear are read, encrypted, and then found; a second time there is nothing to do', async () => {
  const { dataKeys } = graph.server.services
  const models = graph.server.encryptedModels
  expect(models.map(({ name }) => name).sort()).toEqual([
    ...[
      'AttendanceRecord',
      'ComplianceDecision',
      'ComplianceRecord',
      'DataSubjectRequest',
      'LeaveRequest',
      'MfaDevice',
    ],
    ...['ScreeningMatch', 'User'],
  ])
  await graph.owner.query(
    "UPDATE identity.users SET phone = 'in clear', phone_index = NULL, mfa_secret = 'JBSWY3DP' WHERE id = $1",
    [henrik],
  )
  expect((await phoneOf(henrik)).data!.user!.phone).toBe('in clear')
  expect(await encryptRows(graph.owner, dataKeys, models, { isClearOnly: true })).toBe(1)
  const row = await stored(henrik)
  expect([row.phone, row.mfa_secret]).toEqual([expect.stringMatching(form), expect.stringMatching(form)])
  expect((await phoneOf(henrik)).data!.user!.phone).toBe('in clear')
  const { users } = await admin.data<{ users: { nodes: { id: string }[] } }>(
    '{ users(filter: { phone: { eq: "in clear" } }) { nodes { id } } }',
  )
  expect(users.nodes).toEqual([{ id: henrik }])
  expect(await encryptRows(graph.owner, dataKeys, models, { isClearOnly: true })).toBe(0)
})

test('C6 keys are rotated with progress while all is readable; the former key is not needed for values any more', async () => {
  await setPhone(ada, '+49 30 5')
  const models = graph.server.encryptedModels
  const { dataKeys } = graph.server.services
  const before = await stored(ada)
  const progress: number[] = []
  const readable: unknown[] = []
  const rotating = rotateKeys(graph.owner, dataKeys, models, {
    settleMs: 0,
    onProgress: ({ tenantId, done }) => tenantId === acme && progress.push(done),
  })
  for (let turn = 0; turn < 5; turn++) {
    const { errors, data } = await admin.query<{ user: { phone: string } }>(
      `{ user(id: "${ada}") { phone } complianceRecords(first: 50) { nodes { data } } }`,
    )
    readable.push([errors, data!.user.phone])
  }
  const { rows } = await rotating
  expect(readable).toEqual(Array.from({ length: 5 }, () => [undefined, '+49 30 5']))
  expect(rows).toBeGreaterThan(100)
  expect(progress).toEqual([...progress].sort((a, b) => a - b))
  const after = await stored(ada)
  expect(after.phone!.split(':')[1]).not.toBe(before.phone!.split(':')[1])
  expect((await phoneOf(ada)).data!.user!.phone).toBe('+49 30 5')
  const { users } = await admin.data<{ users: { nodes: { id: string }[] } }>(
    '{ users(filter: { phone: { eq: "+49 30 5" } }) { nodes { id } } }',
  )
  expect(users.nodes).toEqual([{ id: ada }])
  // Stopped and run again, it goes on; done, there is nothing left.
  expect(await encryptRows(graph.owner, dataKeys, models)).toBe(0)
  const { rows: keys } = await graph.owner.query<{ used: number; former: number }>(
    `SELECT count(DISTINCT split_part(data->>'encrypted', ':', 2))::int AS used,
       (SELECT count(*)::int FROM shared.data_keys WHERE tenant_id = $1 AND subject_id = '00000000-0000-0000-0000-000000000000') AS former
     FROM compliance.compliance_records WHERE tenant_id = $1`,
    [acme],
  )
  expect(keys[0]).toEqual({ used: 1, former: 2 })
})

test('C6 another process with the same master key reads the same, one without it nothing', async () => {
  const { rows } = await graph.owner.query<{ id: string }>(
    'SELECT id FROM shared.data_keys WHERE tenant_id = $1',
    [acme],
  )
  const ids = rows.map(({ id }) => id)
  expect(ids.length).toBeGreaterThan(2)
  const send = async ({ text, values }: { text: string; values?: readonly unknown[] }) =>
    (await graph.owner.query<unknown[]>({ text, values: values as unknown[], rowMode: 'array' })).rows
  const same = new DataKeys(graph.server.services.dataKeys.provider)
  await same.load(send, acme, ids)
  expect(ids.map((id) => same.known(acme, id) !== undefined)).toEqual(ids.map(() => true))
  const foreign = new DataKeys(keyRing(readKeyRing(newKeyRing(new Date()).trim())))
  await foreign.load(send, acme, ids)
  expect(ids.map((id) => foreign.known(acme, id))).toEqual(ids.map(() => undefined))
  expect(ids.some((id) => /master key/.test(foreign.faultOf(acme, id).message))).toBe(true)
  // Of another tenant there is none.
  await same.load(send, demoTenantIds.globex, ids)
  expect(ids.map((id) => same.known(demoTenantIds.globex, id))).toEqual(ids.map(() => undefined))
  expect(same.faultOf(demoTenantIds.globex, ids[0]!).message).toMatch(/is not there/)
  same.close()
  expect(same.known(acme, ids[0]!)).toBeUndefined()
})

test('C6 a tenant without a key, which no subgraph makes, changes nothing and says what to do', async () => {
  const late = await graph.tenant('late')
  const writer = await late.as('ADMIN')
  const { dataKeys } = graph.server.services
  await graph.owner.query('DELETE FROM shared.data_keys WHERE tenant_id = $1', [late.id])
  dataKeys.close()
  const write =
    'mutation { createDepartment(input: { name: "Keys" }) { department { name } userErrors { code } } }'
  const refused = await writer.query(write)
  expect(refused.errors?.map(({ extensions }) => extensions.code)).toEqual(['INTERNAL_SERVER_ERROR'])
  const departments = 'SELECT name FROM hr.departments WHERE tenant_id = $1'
  expect((await graph.owner.query(departments, [late.id])).rows).toEqual([])
  const send = async ({ text, values }: { text: string; values?: readonly unknown[] }) =>
    (await graph.owner.query<unknown[]>({ text, values: values as unknown[], rowMode: 'array' })).rows
  await expect(dataKeys.ofTenant(send, late.id)).rejects.toThrow(
    /has no data key: npm run keys -- encrypt makes it$/,
  )
  expect(await makeTenantKeys(graph.owner, dataKeys)).toBe(1)
  expect(await makeTenantKeys(graph.owner, dataKeys)).toBe(0)
  expect(await writer.data(write)).toEqual({
    createDepartment: { department: { name: 'Keys' }, userErrors: [] },
  })
})

test('C6 destroying a person’s keys erases their values, and nobody else’s', async () => {
  await setPhone(ana, '+49 30 6')
  await setPhone(ada, '+49 30 7')
  expect(await destroyKeys(graph.owner, acme, ana)).toBeGreaterThan(0)
  // As a process that has not read it before, or five minutes later.
  graph.server.services.dataKeys.close()
  expect(await phoneOf(ana)).toMatchObject({ data: { user: { id: ana, phone: null } } })
  expect((await phoneOf(ana)).errors).toBeUndefined()
  expect((await phoneOf(ada)).data!.user!.phone).toBe('+49 30 7')
  expect((await stored(ana)).phone).toMatch(form)
  // The account goes on, with a new key.
  expect(await setPhone(ana, '+49 30 8')).toMatchObject({ phone: '+49 30 8' })
  expect((await phoneOf(ana)).data!.user!.phone).toBe('+49 30 8')
})
