// The limit: what somebody writes by hand for exactly these questions. One node:http server, one prepared statement per
// question whose answer PostgreSQL builds as JSON, no GraphQL, no row level security, no access rules, no limits, no
// log. It verifies the same access token, because every server must know who asks, but no session behind it.
import { createServer } from 'node:http'
import pg from 'pg'
import accessTokens from '../../dist/kernel/sign-in/access-token.js'
import configs from '../../dist/kernel/process/config.js'
import ids from '../../dist/kernel/id.js'
import tokenKeys from '../../dist/kernel/sign-in/token-keys.js'
import { given, serve } from './child.mjs'

const config = configs.loadConfig(given.env)
const keys = tokenKeys.loadTokenKeys(config)
const clock = { now: () => new Date() }
const pool = new pg.Pool({ connectionString: given.urls.superuser, max: 8 })
pool.on('error', () => undefined)
let statements = 0

async function text(name, sql, values) {
  statements += 1
  const { rows } = await pool.query({ name, text: sql, values, rowMode: 'array' })
  return rows[0][0]
}

const list = `
  SELECT json_build_object('data', json_build_object('employees', json_build_object(
    'nodes', coalesce(json_agg(page.node) FILTER (WHERE page.place <= $2), '[]'),
    'pageInfo', json_build_object('hasNextPage', count(*) > $2))))::text
  FROM (SELECT json_build_object('id', id, 'employeeNumber', employee_number, 'firstName', first_name,
          'lastName', last_name, 'position', position, 'hireDate', hire_date, 'isActive', is_active) AS node,
          row_number() OVER () AS place
        FROM hr.employees WHERE tenant_id = $1 ORDER BY employee_number, id LIMIT $2 + 1) page`

const nested = `
  SELECT json_build_object('data', json_build_object('employees', json_build_object('nodes', json_agg(page.node))))::text
  FROM (SELECT json_build_object('id', e.id, 'employeeNumber', e.employee_number, 'fullName', e.full_name,
          'user', json_build_object('id', u.id, 'email', u.email, 'fullName', u.full_name),
          'department', json_build_object('id', d.id, 'name', d.name, 'budgets', json_build_object('nodes', budgets.nodes))) AS node
        FROM (SELECT * FROM hr.employees WHERE tenant_id = $1 ORDER BY employee_number, id LIMIT $2) e
        LEFT JOIN identity.users u ON u.tenant_id = e.tenant_id AND u.id = e.user_id
        LEFT JOIN hr.departments d ON d.tenant_id = e.tenant_id AND d.id = e.department_id
        LEFT JOIN LATERAL (
          SELECT json_agg(json_build_object('id', b.id, 'year', b.year, 'month', b.month, 'periodStart', b.period_start)) AS nodes
          FROM (SELECT * FROM finance.budgets b WHERE b.tenant_id = d.tenant_id AND b.department_id = d.id
                ORDER BY b.period_start DESC, b.id DESC LIMIT 3) b) budgets ON true
        ORDER BY e.employee_number, e.id) page`

const deep = `
  SELECT json_build_object('data', json_build_object('transactions', json_build_object(
    'nodes', coalesce(json_agg(page.node) FILTER (WHERE page.place <= $2), '[]'),
    'pageInfo', json_build_object('hasNextPage', count(*) > $2))))::text
  FROM (SELECT json_build_object('id', id, 'transactionNumber', transaction_number, 'type', type, 'category', category,
          'occurredAt', to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) AS node,
          row_number() OVER () AS place
        FROM finance.transactions
        WHERE tenant_id = $1 AND (occurred_at, id) < ($3, $4) ORDER BY occurred_at DESC, id DESC LIMIT $2 + 1) page`

const search = `
  SELECT json_build_object('data', json_build_object('searchCustomerInteractions', json_build_object('edges',
    json_agg(json_build_object('rank', page.rank, 'node', page.node)))))::text
  FROM (SELECT found.rank, json_build_object('id', found.id, 'eventType', found.event_type, 'content', found.content) AS node
        FROM (SELECT i.*, ts_rank_cd(i.words, wanted) AS rank
              FROM insights.customer_interactions i, websearch_to_tsquery('pg_catalog.english', $2) AS wanted
              WHERE i.tenant_id = $1 AND i.words @@ wanted ORDER BY 2 DESC) found
        ORDER BY found.rank DESC, found.id DESC LIMIT $3) page`

const create = `
  WITH added AS (
    INSERT INTO insights.customers (tenant_id, id, external_id, email, first_name, last_name, company, first_seen_at, last_seen_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING id, external_id, version
  ), audited AS (
    INSERT INTO shared.audit_logs (tenant_id, occurred_at, id, actor_id, action, resource_type, resource_id, changes, request_id)
    SELECT $1, $8, $9, $10, 'CREATE', 'Customer', added.id::text,
           jsonb_build_object('after', jsonb_build_object('externalId', added.external_id)), $11 FROM added
  )
  SELECT json_build_object('data', json_build_object('createCustomer', json_build_object('customer',
    json_build_object('externalId', external_id, 'version', version), 'userErrors', '[]'::json)))::text FROM added`

const questions = {
  List: ({ tenantId }, { first }) => text('list', list, [tenantId, first]),
  Nested: ({ tenantId }, { first }) => text('nested', nested, [tenantId, first]),
  Deep: ({ tenantId }, { first }) => text('deep', deep, [tenantId, first, deepRow.at, deepRow.id]),
  Search: ({ tenantId }, { query, first }) => text('search', search, [tenantId, query, first]),
  Create: ({ tenantId, userId }, { input }) =>
    text('create', create, [
      tenantId,
      ids.uuidv7(),
      input.externalId,
      input.email,
      input.firstName,
      input.lastName,
      input.company,
      clock.now().toISOString(),
      ids.uuidv7(),
      userId,
      ids.uuidv7(),
    ]),
}

/** The row number 40,000 of the list: what a cursor would say. */
const [deepRow] = (
  await pool.query(
    `SELECT t.occurred_at AS at, t.id FROM finance.transactions t JOIN tenancy.tenants o ON o.id = t.tenant_id
      WHERE o.slug = 'bench' ORDER BY t.occurred_at DESC, t.id DESC OFFSET 39999 LIMIT 1`,
  )
).rows

const server = createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', async () => {
    try {
      const token = request.headers.authorization.slice('Bearer '.length)
      const viewer = accessTokens.verifyAccessToken(keys, config.tokenIssuer, token, clock)
      const { operationName, variables } = JSON.parse(Buffer.concat(chunks).toString())
      const body = await questions[operationName](viewer, variables)
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      })
      response.end(body)
    } catch (error) {
      response.writeHead(500).end(String(error))
    }
  })
})
server.listen(0, '127.0.0.1', () =>
  serve(`http://127.0.0.1:${server.address().port}/graphql`, { counts: () => ({ calls: 0, statements }) }),
)
