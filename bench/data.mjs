import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import ids from '../dist/kernel/id.js'
import embedded from '../dist/database/embedded.js'
import encryptedRows from '../dist/database/encrypt-rows.js'
import encryptionKeys from '../dist/kernel/encryption/open-keys.js'
import databases from '../dist/database/index.js'
import roles from '../dist/database/roles.js'
import tenants from '../dist/database/tenants.js'
import accessTokens from '../dist/kernel/sign-in/access-token.js'
import configs from '../dist/kernel/process/config.js'
import logs from '../dist/kernel/process/log.js'
import names from '../dist/kernel/schema/subgraph-names.js'
import tokenKeys from '../dist/kernel/sign-in/token-keys.js'

/** Says how many rows the measured tenant has. A second tenant stands in the same tables, with the first of them. */
const rowCounts = {
  users: 200,
  departments: 20,
  employees: 2_000,
  budgets: 20 * 24,
  transactions: 42_000,
  customers: 2_000,
  interactions: 10_000,
}

/** Fewer than that many requests are ever under way at once, so no two of them have the same authorization. */
const sessionCount = 128

/** Statements that fill a tenant; ids are a hash of table and number, so that two runs have the same. */
const fill = (rowCounts) => [
  `INSERT INTO identity.users (id, email, first_name, last_name)
   SELECT md5($1 || 'user' || n)::uuid, 'person' || n || '@' || $1 || '.example', 'Person', 'Number ' || n
     FROM generate_series(1, ${rowCounts.users}) n`,
  `INSERT INTO hr.departments (id, name) SELECT md5($1 || 'department' || n)::uuid, 'Department ' || n
     FROM generate_series(1, ${rowCounts.departments}) n`,
  `INSERT INTO hr.employees (id, employee_number, user_id, department_id, first_name, last_name, position, hire_date)
   SELECT md5($1 || 'employee' || n)::uuid, 'E' || lpad(n::text, 6, '0'),
          CASE WHEN n <= ${rowCounts.users} THEN md5($1 || 'user' || n)::uuid END,
          md5($1 || 'department' || (n * 7) % ${rowCounts.departments} + 1)::uuid,
          'Person', 'Number ' || n, 'Position ' || n % 40, date '2010-01-01' + n
     FROM generate_series(1, ${rowCounts.employees}) n`,
  `INSERT INTO finance.budgets (id, department_id, year, month, allocated, currency)
   SELECT md5($1 || 'budget' || d || '-' || m)::uuid, md5($1 || 'department' || d)::uuid, 2024 + m / 12, m % 12 + 1,
          100000 + d * 1000 + m, 'EUR'
     FROM generate_series(1, ${rowCounts.departments}) d, generate_series(0, 23) m`,
  `INSERT INTO finance.transactions (id, transaction_number, type, category, amount, currency, occurred_at)
   SELECT md5($1 || 'transaction' || n)::uuid, 'T' || lpad(n::text, 8, '0'), 'EXPENSE', 'Category ' || n % 25,
          -(n % 90000 + 1), 'EUR', timestamptz '2024-01-01' + n * interval '11 minutes'
     FROM generate_series(1, ${rowCounts.transactions}) n`,
  `INSERT INTO insights.customers (id, external_id, email, first_name, last_name, first_seen_at, last_seen_at)
   SELECT md5($1 || 'customer' || n)::uuid, 'C' || n, 'customer' || n || '@firm.example', 'Customer', 'Number ' || n,
          timestamptz '2024-01-01', timestamptz '2025-01-01'
     FROM generate_series(1, ${rowCounts.customers}) n`,
  `INSERT INTO insights.customer_interactions (id, customer_id, source, external_id, occurred_at, channel, event_type, content)
   SELECT md5($1 || 'interaction' || n)::uuid, md5($1 || 'customer' || n % ${rowCounts.customers} + 1)::uuid, 'helpdesk',
          'I' || n, timestamptz '2024-06-01' + n * interval '7 minutes', 'EMAIL', 'question',
          (ARRAY['The delivery of order', 'An invoice for order', 'A question about order', 'Thanks for order'])[n % 4 + 1]
          || ' ' || n || (ARRAY['', ' came late', ' was damaged', ' is missing spare parts', ' arrived early'])[n % 5 + 1]
     FROM generate_series(1, ${rowCounts.interactions}) n`,
]

async function addTenant(client, slug, rowCounts) {
  await client.query('BEGIN')
  const tenantId = await tenants.createTenant(client, { slug, name: slug, plan: 'ENTERPRISE' })
  const users = []
  for (let n = 0; n < 8; n++) {
    users.push(
      await tenants.createUser(client, tenantId, {
        email: `admin${n}@${slug}.example`,
        firstName: 'Admin',
        roles: ['ADMIN'],
      }),
    )
  }
  await client.query("SELECT set_config('app.tenant_id', $1, true)", [tenantId])
  for (const text of fill(rowCounts)) await client.query(text.replaceAll('$1', `'${slug}'`))
  await client.query('COMMIT')
  return { tenantId, users }
}

/** Copies of the filled database, by what they are for. Nobody may be connected to it. */
async function copyDatabase(superuserUrl, wanted) {
  const copies = { main: 'tenantgraph' }
  for (const name of wanted) copies[name] = `tenantgraph_${name.replace('-', '_')}`
  const client = new pg.Client(superuserUrl('postgres'))
  await client.connect()
  for (const name of Object.values(copies).filter((name) => name !== copies.main)) {
    await client.query(`CREATE DATABASE ${name} TEMPLATE tenantgraph STRATEGY file_copy OWNER app_owner`)
    for (const statement of roles.databaseStatements(name)) await client.query(statement)
  }
  await client.end()
  return copies
}

/** One login without any privilege but to read and, like ours, under row level security. */
async function addPostGraphileRole(superuser) {
  await superuser.query(`CREATE ROLE postgraphile LOGIN PASSWORD 'postgraphile'`)
  for (const schema of ['hr', 'identity', 'finance'])
    await superuser.query(`GRANT USAGE ON SCHEMA ${schema} TO postgraphile`)
  // The policies of the product are for its own roles: this one gets the same condition.
  for (const table of [
    'hr.employees',
    'hr.departments',
    'identity.users',
    'finance.budgets',
    'finance.transactions',
  ]) {
    await superuser.query(`GRANT SELECT ON ${table} TO postgraphile`)
    const { rows } = await superuser.query(
      "SELECT pg_get_expr(polqual, polrelid) AS condition FROM pg_policy WHERE polrelid = $1::regclass AND polname = 'tenant'",
      [table],
    )
    await superuser.query(`CREATE POLICY peer ON ${table} TO postgraphile USING (${rows[0].condition})`)
  }
  await superuser.query('GRANT CONNECT ON DATABASE tenantgraph TO postgraphile')
}

async function addSessions(superuser, tenantId, users) {
  const sessions = Array.from({ length: sessionCount }, (_, n) => ({
    sessionId: ids.uuidv7(),
    userId: users[n % users.length],
  }))
  await superuser.query(
    `INSERT INTO identity.sessions (tenant_id, id, user_id, last_seen_at, expires_at)
     SELECT $1, given.id, given.user_id, now(), now() + interval '7 days' FROM unnest($2::uuid[], $3::uuid[]) AS given(id, user_id)`,
    [tenantId, sessions.map(({ sessionId }) => sessionId), sessions.map(({ userId }) => userId)],
  )
  return sessions
}

/**
 * A PostgreSQL of our own in a temporary folder, with the product's tables and two tenants in them.
 *
 * @param copiesFor candidates that get a copy of the database for themselves
 * @returns connection URLs by role, and `authorization(index)`, a header value that differs from request to request
 */
export async function prepareData(log, copiesFor) {
  const dataDir = mkdtempSync(join(tmpdir(), 'bench-'))
  chmodSync(dataDir, 0o755)
  const env = {
    // A tenant that asks as fast as it can for minutes.
    TENANT_COST_PER_MINUTE: '999999999',
    NODE_ENV: 'production',
    ENCRYPTION_KEYS: `bench:${Buffer.alloc(32, 7).toString('base64')}`,
    DATA_DIR: dataDir,
    PORT: '0',
    PAGE_LIMIT: '1000',
    LOG_LEVEL: 'info',
    // Six for each role, of which one tenant holds three at once: as many as the peers have. All candidates together must stay
    // below PostgreSQL's hundred.
    DATABASE_CONNECTIONS: '42',
    VIEWER_SECRET: 'a secret between gateway and subgraphs of the benchmark',
  }
  const config = configs.loadConfig(env)
  log('PostgreSQL and the product’s tables')
  const database = await databases.prepareDatabase(config, logs.createLogger({ logLevel: 'silent' }))
  const { cluster, superuserUrl } = embedded.attachEmbedded(dataDir)
  const client = new pg.Client(database.migratorUrl)
  await client.connect()
  log(`a tenant with ${Object.values(rowCounts).reduce((sum, rows) => sum + rows, 0)} rows, and another one`)
  const { tenantId, users } = await addTenant(client, 'bench', rowCounts)
  await addTenant(client, 'other', { ...rowCounts, transactions: 2_000, interactions: 500 })
  const dataKeys = encryptionKeys.openDataKeys(config, log)
  await encryptedRows.makeTenantKeys(client, dataKeys)
  dataKeys.close()

  const superuser = new pg.Client(superuserUrl('tenantgraph'))
  await superuser.connect()
  await addPostGraphileRole(superuser)
  await superuser.query('VACUUM ANALYZE')

  const sessions = await addSessions(superuser, tenantId, users)
  await Promise.all([client.end(), superuser.end()])
  const copies = await copyDatabase(superuserUrl, copiesFor)
  const clients = await Promise.all(
    Object.values(copies).map(async (name) => {
      const one = new pg.Client(superuserUrl(name))
      await one.connect()
      return one
    }),
  )
  const keys = tokenKeys.loadTokenKeys(config)
  let tokens = []
  /** Access tokens live fifteen minutes: call it before each workload. */
  async function renewTokens() {
    for (const one of clients) await one.query('UPDATE identity.sessions SET last_seen_at = now()')
    tokens = sessions.map(({ sessionId, userId }) => {
      const claims = { tenantId, userId, sessionId, permissionVersion: 1 }
      return `Bearer ${accessTokens.issueAccessToken(keys, config.tokenIssuer, claims, { now: () => new Date() }).token}`
    })
  }
  await renewTokens()
  const withPassword = new URL(superuserUrl('tenantgraph'))
  withPassword.username = 'postgraphile'
  withPassword.password = 'postgraphile'
  return {
    env,
    tenantId,
    /** Of PostgreSQL's first process. */
    postmaster: Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]),
    /** Connection URLs by role, of the database `main` or one of its copies. */
    urls: (copy) =>
      Object.fromEntries(
        Object.entries({
          ...Object.fromEntries(
            [...names.subgraphNames, 'gateway'].map((role) => [role, database.urlFor(role)]),
          ),
          superuser: superuserUrl('tenantgraph'),
          postgraphile: withPassword.href,
        }).map(([role, url]) => [role, url.replace('/tenantgraph', `/${copies[copy]}`)]),
      ),
    renewTokens,
    authorization: (index) => tokens[index % tokens.length],
    async close() {
      await Promise.all(clients.map((one) => one.end()))
      await database.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}
