import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'
import { projectRoot } from '../../kernel/process/project-root'
import { waitsByDatabase } from '../support/clock-lint'
import { freshDatabase } from '../support/postgres'
import { Client } from 'pg'

/**
 * Issue 13.7: everything that waits for time takes the clock of the kernel, so that tests and sandboxes can move it. What
 * goes by another clock stands here with its reason. Statements are looked at as they are sent (`startGraph().close`).
 */
const ownTime: Readonly<Record<string, string>> = {
  'kernel/clock.ts': 'the clock itself',
  'kernel/id.ts': 'ids of what no clock comes with',
  'kernel/process/log.ts': 'lines of the log',
  'kernel/connection/connections.ts': 'lives of connections',
  'kernel/encryption/data-keys.ts': 'ids of keys',
  'kernel/encryption/open-keys.ts': 'the name of a key that a start makes',
  'gateway/single-instance.ts': 'a start waits for the process before it',
  'product/scaffold/index.ts': 'the name of a migration that a developer makes',
}

/** Bounds that the database holds by itself, whatever clock asks: nothing young is removed, no month is made far away. */
const ownTimeOfFunctions: readonly string[] = [
  // No session of an operator begins at another time.
  'identity.begin_operator_session',
  'shared.drop_analytics_events',
  'shared.drop_dispatched_events',
  'shared.ensure_partitions',
  'shared.forget_usage',
  'shared.remove_idempotency_keys',
  'shared.remove_mails',
  // Whatever clock asks: operators act while they are signed in, and no tenant is deleted before its days of grace are over.
  'shared.require_operator',
  'tenancy.count_due_tenant',
  'tenancy.delete_due_tenant',
  // No document goes before its years are over, whatever clock asks.
  'tenancy.keep_document',
  'tenancy.remove_kept_documents',
  'tenancy.remove_old_operator_failures',
  'tenancy.set_tenant_status',
  'tenancy.tenants_to_delete',
]

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && entry.name !== 'generated.ts')
    .map((entry) => join(entry.parentPath, entry.name))
}

/** Whether a source asks for the present instant past every clock. */
function asksTime(file: string): boolean {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
  let found = false
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'Date.now') found = true
    if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length)
      found = true
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

test('no source asks for the time past the clock of the kernel', () => {
  const asking = ['kernel', 'gateway', 'subgraphs', 'product']
    .flatMap((folder) => sourcesIn(join(projectRoot, folder)))
    .filter(asksTime)
    .map((file) => relative(projectRoot, file))
  expect(asking.sort()).toEqual(Object.keys(ownTime).sort())
})

test('no function of the database waits by its own clock', async () => {
  const database = await freshDatabase()
  const client = new Client({ connectionString: database.migratorUrl })
  await client.connect()
  const { rows } = await client.query<{ name: string; body: string }>(
    `SELECT n.nspname || '.' || p.proname AS name, p.prosrc AS body
       FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
      WHERE n.nspname !~ '^pg_' AND l.lanname IN ('sql', 'plpgsql') ORDER BY 1`,
  )
  await client.end()
  expect(rows.length).toBeGreaterThan(10)
  expect(rows.filter(({ body }) => waitsByDatabase(body)).map(({ name }) => name)).toEqual(ownTimeOfFunctions)
})

test.each([
  ['UPDATE identity.sessions SET updated_at = now() WHERE tenant_id = $1', false],
  ['SELECT FROM identity.sessions s WHERE s.expires_at > now()', true],
  ['DELETE FROM shared.jobs WHERE ended_at < current_date', true],
  ["SELECT now() - interval '1 day'", true],
  ["UPDATE shared.jobs SET lease_until = now() + interval '60 s'", false],
  ['SELECT $1::timestamptz < created_at', false],
])('the lint of statements: %s', (text, waits) => {
  expect(waitsByDatabase(text)).toBe(waits)
})
