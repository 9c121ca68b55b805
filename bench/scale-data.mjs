import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import databases from '../dist/database/index.js'
import embedded from '../dist/database/embedded.js'
import roles from '../dist/database/roles.js'
import accessTokens from '../dist/kernel/sign-in/access-token.js'
import configs from '../dist/kernel/process/config.js'
import logs from '../dist/kernel/process/log.js'
import names from '../dist/kernel/schema/subgraph-names.js'
import tokenKeys from '../dist/kernel/sign-in/token-keys.js'

/** Holds what every tenant has besides transactions. */
const each = { users: 20, employees: 20, departments: 2, months: 12 }
/** The least of transactions that makes a page of 20 behind others. */
const leastRows = 40

/** A UUID made of a kind and numbers, so that tables meet without looking anything up. */
const id = (kind, ...numbers) => `md5('${kind}' || ${numbers.join(` || '-' || `)})::uuid`

/**
 * Says how a database of so many tenants and transactions is laid out: `asked` tenants hold all transactions, equally
 * many each, and are those that requests come from.
 */
export function layout({ tenants, rows }) {
  const asked = Math.min(tenants, Math.floor(rows / leastRows))
  return { tenants, rows, asked, rowsEach: Math.floor(rows / asked) }
}

const fill = ({ tenants, asked, rowsEach }, sessions) => [
  `INSERT INTO tenancy.tenants (id, slug, name, plan)
   SELECT ${id('tenant', 't')}, 'tenant-' || lpad(t::text, 5, '0'), 'Tenant ' || lpad(t::text, 5, '0'), 'STARTER'
     FROM generate_series(1, ${tenants}) t`,
  `INSERT INTO identity.roles (tenant_id, id, name, description, is_system_role, permissions)
   SELECT ${id('tenant', 't')}, ${id('role', 't', 'r')}, r, r, true,
          ARRAY(SELECT p.name FROM identity.permissions p WHERE r = ANY (p.system_roles) ORDER BY p.name)
     FROM generate_series(1, ${tenants}) t,
          unnest(ARRAY['ADMIN', 'USER', 'COMPLIANCE_OFFICER', 'HR_MANAGER', 'ANALYST', 'VIEWER']) r`,
  `INSERT INTO identity.users (tenant_id, id, email, first_name, last_name)
   SELECT ${id('tenant', 't')}, ${id('user', 't', 'n')},
          'person' || lpad(n::text, 2, '0') || '@tenant-' || lpad(t::text, 5, '0') || '.example', 'Person', 'Number ' || lpad(n::text, 2, '0')
     FROM generate_series(1, ${tenants}) t, generate_series(1, ${each.users}) n`,
  `INSERT INTO identity.role_assignments (tenant_id, id, user_id, role_id)
   SELECT ${id('tenant', 't')}, ${id('assignment', 't', 'n')}, ${id('user', 't', 'n')}, ${id('role', 't', "'ADMIN'")}
     FROM generate_series(1, ${tenants}) t, generate_series(1, ${each.users}) n`,
  `INSERT INTO hr.departments (tenant_id, id, name)
   SELECT ${id('tenant', 't')}, ${id('department', 't', 'n')}, 'Department ' || n
     FROM generate_series(1, ${tenants}) t, generate_series(1, ${each.departments}) n`,
  `INSERT INTO hr.employees (tenant_id, id, employee_number, user_id, department_id, first_name, last_name, position, hire_date)
   SELECT ${id('tenant', 't')}, ${id('employee', 't', 'n')}, 'E' || lpad(n::text, 6, '0'), ${id('user', 't', 'n')},
          ${id('department', 't', `(n % ${each.departments} + 1)`)}, 'Person', 'Number ' || lpad(n::text, 2, '0'), 'Position ' || n % 10, date '2010-01-01' + n
     FROM generate_series(1, ${tenants}) t, generate_series(1, ${each.employees}) n`,
  `INSERT INTO finance.budgets (tenant_id, id, department_id, year, month, allocated, currency)
   SELECT ${id('tenant', 't')}, ${id('budget', 't', 'd', 'm')}, ${id('department', 't', 'd')}, 2024, m, 100000 + d * 1000 + m, 'EUR'
     FROM generate_series(1, ${tenants}) t, generate_series(1, ${each.departments}) d, generate_series(1, ${each.months}) m`,
  // In the order in which time brings them: tenants mixed.
  `INSERT INTO finance.transactions (tenant_id, id, transaction_number, type, category, amount, currency, occurred_at)
   SELECT ${id('tenant', 't')}, ${id('transaction', 't', 'n')}, 'T' || lpad(n::text, 8, '0'), 'EXPENSE',
          'Category ' || n % 10, -(n % 90000 + 10000), 'EUR', timestamptz '2024-01-01' + n * interval '1 minute'
     FROM generate_series(1, ${rowsEach}) n, generate_series(1, ${asked}) t`,
  `INSERT INTO identity.sessions (tenant_id, id, user_id, last_seen_at, expires_at)
   SELECT ${id('tenant', 't')}, ${id('session', 's')}, ${id('user', 't', `(s / ${asked} % ${each.users} + 1)`)}, now(), now() + interval '7 days'
     FROM (SELECT s, s % ${asked} + 1 AS t FROM generate_series(0, ${sessions} - 1) s) AS given`,
  'VACUUM ANALYZE',
]

/**
 * A PostgreSQL of our own in a temporary folder, and in it one database for each layout.
 *
 * @param sessions how many sessions the tenants of requests have together
 * @returns for each layout the URLs by role, and `authorization(index)` in the session with this number
 */
export async function prepareScale(log, layouts, sessions) {
  const dataDir = mkdtempSync(join(tmpdir(), 'bench-scale-'))
  chmodSync(dataDir, 0o755)
  const env = {
    // A tenant that asks as fast as it can for minutes.
    TENANT_COST_PER_MINUTE: '999999999',
    NODE_ENV: 'production',
    ENCRYPTION_KEYS: `bench:${Buffer.alloc(32, 7).toString('base64')}`,
    DATA_DIR: dataDir,
    PORT: '0',
    LOG_LEVEL: 'info',
    // Three for each role. All servers together must stay below PostgreSQL's hundred.
    DATABASE_CONNECTIONS: '42',
  }
  const config = configs.loadConfig(env)
  const database = await databases.prepareDatabase(config, logs.createLogger({ logLevel: 'silent' }))
  const { cluster, superuserUrl } = embedded.attachEmbedded(dataDir)
  const keys = tokenKeys.loadTokenKeys(config)
  const uuids = async (client, expression, count) =>
    (await client.query(`SELECT ${expression} AS id FROM generate_series(0, ${count} - 1) s`)).rows.map(
      (row) => row.id,
    )
  const places = []
  for (const layout of layouts) {
    const name = `tenantgraph_${layout.tenants}_${layout.rows}`
    log(
      `${layout.tenants} tenants, ${layout.rows} transactions, ${layout.rowsEach} for each of ${layout.asked} tenants`,
    )
    const admin = new pg.Client(superuserUrl('postgres'))
    await admin.connect()
    await admin.query(`CREATE DATABASE ${name} TEMPLATE tenantgraph STRATEGY file_copy OWNER app_owner`)
    for (const statement of roles.databaseStatements(name)) await admin.query(statement)
    await admin.end()
    const client = new pg.Client(superuserUrl(name))
    await client.connect()
    for (const text of fill(layout, sessions)) await client.query(text)
    const [sessionIds, userIds, tenantIds] = [
      await uuids(client, id('session', 's'), sessions),
      await uuids(
        client,
        id('user', `(s % ${layout.asked} + 1)`, `(s / ${layout.asked} % ${each.users} + 1)`),
        sessions,
      ),
      await uuids(client, id('tenant', `(s % ${layout.asked} + 1)`), sessions),
    ]
    const tokens = []
    const now = new Date()
    places.push({
      ...layout,
      env,
      /** Access tokens live fifteen minutes; sessions of the database end after thirty of rest. */
      async renew() {
        now.setTime(Date.now())
        tokens.length = 0
        await client.query('UPDATE identity.sessions SET last_seen_at = now()')
      },
      urls: Object.fromEntries(
        [...names.subgraphNames, 'gateway'].map((role) => [
          role,
          database.urlFor(role).replace('/tenantgraph', `/${name}`),
        ]),
      ),
      authorization(index) {
        const n = index % sessions
        const claims = {
          tenantId: tenantIds[n],
          userId: userIds[n],
          sessionId: sessionIds[n],
          permissionVersion: 1,
        }
        tokens[n] ??=
          `Bearer ${accessTokens.issueAccessToken(keys, config.tokenIssuer, claims, { now: () => now }).token}`
        return tokens[n]
      },
      close: () => client.end(),
    })
  }
  return {
    places,
    postmaster: Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]),
    async close() {
      await Promise.all(places.map((place) => place.close()))
      await database.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
