import { Client } from 'pg'
import { migrateDown, migrateUp } from '../../database/migrate'
import { createTenant, createUser } from '../../database/tenants'
import { uuidv7 } from '../../kernel/id'
import { digestOf, hashPassword } from '../../kernel/sign-in/password'
import { freshDatabase, type TestDatabase } from '../support/postgres'

/** K8, A5: what migrations make of rows that were there before. */
let database: TestDatabase
let owner: Client
beforeAll(async () => {
  database = await freshDatabase()
  owner = new Client({ connectionString: database.migratorUrl })
  await owner.connect()
})
afterAll(async () => {
  await owner?.end()
  await database?.drop()
})

const first = 'operator-proofs-0202611290510'
async function takeBack(): Promise<void> {
  for (let name: string | null = ''; name !== first;) {
    name = await migrateDown(database.migratorUrl)
    if (name === null) throw new Error(`${first} was not taken back`)
  }
}

const rows = async (text: string) => (await owner.query<Record<string, unknown>>(text)).rows

it('authors, hands and proofs are those of the rows that were there (K8, A5)', async () => {
  await takeBack()
  const tenant = await createTenant(owner, { slug: 'before', name: 'Before', isSandbox: false })
  const user = (name: string) => createUser(owner, tenant, { email: `${name}@before.example`, roles: [] })
  const [founder, fresh, old] = [await user('founder'), await user('fresh'), await user('old')]
  const [worker, program, clerk] = [await user('worker'), await user('program'), await user('clerk')]
  await owner.query('UPDATE identity.users SET created_by_id = $1 WHERE id = ANY ($2)', [
    ...[founder, [fresh, old, program]],
  ])
  await owner.query("UPDATE identity.users SET created_at = now() - interval '31 days' WHERE id = ANY ($1)", [
    [old, program],
  ])
  await owner.query(
    "UPDATE identity.users SET kind = 'SERVICE', email = id || '@service.invalid' WHERE id = $1",
    [program],
  )
  const [key, ended] = [uuidv7(), uuidv7()]
  for (const [id, maker, revokedAt] of [
    [key, clerk, null],
    [ended, worker, new Date()],
  ] as const)
    await owner.query(
      `INSERT INTO identity.api_keys (tenant_id, id, owner_id, name, scopes, expires_at, secret_hash, key_prefix, created_by_id, revoked_at)
       VALUES ($1, $2::uuid, $3, 'Key ' || $2::uuid::text, '{hr:employee:read}', now() + interval '1 day', repeat('0', 64), 'x', $4, $5)`,
      [tenant, id, program, maker, revokedAt],
    )
  const trail = (actor: string, action: string, type: string, id: string) =>
    owner.query(
      `INSERT INTO shared.audit_logs (tenant_id, id, actor_id, action, resource_type, resource_id) VALUES ($1, $2, $3, $4, $5, $6)`,
      [tenant, uuidv7(), actor, action, type, id],
    )
  await trail(fresh, 'UPDATE', 'ApiKey', key)
  const employee = uuidv7()
  await owner.query(
    `INSERT INTO hr.employees (tenant_id, id, employee_number, user_id) VALUES ($1, $2, 'E1', $3)`,
    [tenant, employee, worker],
  )
  const times = {
    known: { source: 'MANUAL', corrected: worker, author: clerk },
    byClock: { source: 'DEVICE', corrected: null, author: clerk },
    own: { source: 'WEB', corrected: null, author: worker },
    unknown: { source: 'MANUAL', corrected: clerk, author: null },
    employees: { source: 'MANUAL', corrected: worker, author: null },
  }
  const ids: Record<string, string> = {}
  let day = 0
  for (const [name, { source, corrected, author }] of Object.entries(times)) {
    const id = (ids[name] = uuidv7())
    await owner.query(
      `INSERT INTO hr.attendance_records (tenant_id, id, employee_id, work_date, clock_in_at, clock_out_at, worked_minutes, time_zone,
         source, status, corrected_by_id)
       SELECT $1, $2, $3, d::date, d, d + interval '1 hour', 60, 'UTC', $4, 'COMPLETE', $5
         FROM (SELECT '2026-01-01T08:00Z'::timestamptz + $6 * interval '1 day' AS d) days`,
      [tenant, id, employee, source, corrected, day++],
    )
    if (author) await trail(author, 'CREATE', 'AttendanceRecord', id)
  }
  const hash = await hashPassword('correct horse operator', 4)
  await owner.query(
    `INSERT INTO identity.operators (id, email, name, scopes, password_hash, password_change_required)
     VALUES (gen_random_uuid(), 'old@platform.example', 'Old', '{tenancy:platform:read}', $1, false)`,
    [hash],
  )

  await migrateUp(database.migratorUrl)
  const operators =
    'SELECT password_salt AS salt, password_digest AS digest, password_change_required AS change FROM identity.operators'
  expect(await rows(operators)).toEqual([{ salt: hash.slice(0, 29), digest: digestOf(hash), change: true }])
  const hands = (
    await rows('SELECT user_id AS of, by_id AS by, chose_address AS chose FROM identity.entrustments')
  )
    .map(({ of, by, chose }) => `${String(of)} ${String(by)} ${String(chose)}`)
    .sort()
  expect(hands).toEqual(
    [
      ...[`${fresh} ${founder} false`, `${program} ${founder} false`],
      ...[`${program} ${clerk} false`, `${program} ${fresh} false`],
    ].sort(),
  )
  const authors = await rows('SELECT id, recorded_by_id AS by, author_ids AS ids FROM hr.attendance_records')
  expect(Object.fromEntries(authors.map(({ id, by, ids: all }) => [id, [by, all]]))).toEqual({
    [ids['known']!]: [clerk, [clerk]],
    [ids['byClock']!]: [clerk, [clerk]],
    [ids['own']!]: [null, []],
    [ids['unknown']!]: [clerk, [clerk]],
    [ids['employees']!]: [null, []],
  })

  // Taken back, operators have passwords that nobody has, and it can be done again.
  await takeBack()
  const [taken] = await rows('SELECT password_hash AS hash FROM identity.operators')
  expect(taken!['hash']).toMatch(/^\$2b\$12\$[./A-Za-z0-9]{53}$/)
  await migrateUp(database.migratorUrl)
  expect(await rows(operators)).toMatchObject([{ salt: String(taken!['hash']).slice(0, 29), change: true }])
})
