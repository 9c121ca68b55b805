import { Client } from 'pg'
import { createTenant, createUser, TenantError } from '../../database/tenants'
import { createDemoUsers } from '../../database/demo/users'
import { demoSlugs, demoTenantIds, demoUserIds } from '../../database/demo/ids'
import { freshDatabase, type TestDatabase } from '../support/postgres'

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

const column = async (text: string, values: unknown[] = []): Promise<unknown[]> =>
  (await owner.query<unknown[]>({ text, values, rowMode: 'array' })).rows.map((row) => row[0])

test('a tenant has the six system roles, and ADMIN every scope of the catalogue but that of the meter', async () => {
  const tenant = await createTenant(owner, { slug: 'initech', name: 'Initech' })
  const names = await column('SELECT name FROM identity.roles WHERE tenant_id = $1 ORDER BY name', [tenant])
  expect(names).toEqual(['ADMIN', 'ANALYST', 'COMPLIANCE_OFFICER', 'HR_MANAGER', 'USER', 'VIEWER'])
  const scopes = await column('SELECT name FROM identity.permissions ORDER BY name')
  const [admin] = await column(
    "SELECT permissions FROM identity.roles WHERE tenant_id = $1 AND name = 'ADMIN'",
    [tenant],
  )
  // Whoever owes does not record what is owed (B1).
  expect(admin).toEqual(scopes.filter((scope) => scope !== 'tenancy:usage:write'))
  expect(scopes.length).toBeGreaterThanOrEqual(20)
  const [viewer] = await column(
    "SELECT permissions FROM identity.roles WHERE tenant_id = $1 AND name = 'VIEWER'",
    [tenant],
  )
  expect(viewer).not.toContain('hr:salary:read')
})

test('a slug or e-mail address that is taken or malformed is refused with what to do', async () => {
  const tenant = await createTenant(owner, { slug: 'hooli', name: 'Hooli' })
  await expect(createTenant(owner, { slug: 'hooli', name: 'Again' })).rejects.toThrow(
    new TenantError('The slug "hooli" is taken: choose another one'),
  )
  await expect(createTenant(owner, { slug: 'No Slug', name: 'x' })).rejects.toThrow(TenantError)
  await expect(createTenant(owner, { slug: 'nameless', name: ' ' })).rejects.toThrow(TenantError)
  await createUser(owner, tenant, { email: 'Gavin@hooli.example', roles: ['ADMIN'] })
  await expect(createUser(owner, tenant, { email: 'gavin@HOOLI.example', roles: [] })).rejects.toThrow(
    /is taken/,
  )
  await expect(createUser(owner, tenant, { email: 'nobody', roles: [] })).rejects.toThrow(/not an e-mail/)
  expect(await column('SELECT email FROM identity.users WHERE tenant_id = $1', [tenant])).toEqual([
    'gavin@hooli.example',
  ])
})

test('the demo users have one role each, in their own tenant', async () => {
  for (const slug of demoSlugs) await createTenant(owner, { id: demoTenantIds[slug], slug, name: slug })
  await createDemoUsers(owner, 'demo-password', 4)
  const { rows } = await owner.query<unknown[]>({
    text: `SELECT u.email, r.name FROM identity.users u
             JOIN identity.role_assignments a ON a.tenant_id = u.tenant_id AND a.user_id = u.id
             JOIN identity.roles r ON r.tenant_id = a.tenant_id AND r.id = a.role_id
            WHERE u.tenant_id = $1 ORDER BY u.id`,
    values: [demoTenantIds.globex],
    rowMode: 'array',
  })
  expect(rows).toEqual([
    ['admin@globex.example', 'ADMIN'],
    ['hr@globex.example', 'HR_MANAGER'],
    ['analyst@globex.example', 'ANALYST'],
    ['viewer@globex.example', 'VIEWER'],
  ])
  expect(await column('SELECT id FROM identity.users WHERE email = $1', ['hr@acme.example'])).toEqual([
    demoUserIds.acme.hr,
  ])
})
