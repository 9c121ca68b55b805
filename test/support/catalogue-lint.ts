import type { ClientBase } from 'pg'
import { applicationRoles, globalTables } from '../../migrations/sql'
import { lintStatement, readKnownTables } from './statement-lint'

/** Triggers that hold a rule of the domain whatever the application does; where they are refused the kernel's check holds. */
const keptTriggers = [
  'keep_issued_invoice',
  'keep_issued_lines',
  'keep_invoice_line',
  'keep_issued_note',
  'keep_issued_note_lines',
  'keep_note_line',
  'keep_payment',
  'keep_pending_line',
  'add_invoice_lines',
  'sum_invoice_lines',
  'add_credit_note_lines',
  'sum_credit_note_lines',
  'recount_payments',
  'recount_credit_notes',
  'keep_row',
  'keep_commission_rule',
  'begin_forecast',
  'begin_forecast_factors',
  'keep_forecast',
  'keep_forecast_factors',
  'keep_performance_lines',
  'keep_sales_performance',
  'keep_price',
  'keep_seller',
  'keep_document',
  'keep_documents',
  'check_fee',
  'require_parties',
  'check_entry',
  'check_entry_of_posting',
  'keep_posted',
  'keep_closed_entries',
  'keep_closed_transactions',
  'keep_closed_budgets',
  'keep_period',
  'move_closed_before',
  'keep_closed_before',
]

/** Functions that look at more than one tenant, and why. */
const acrossTenants: Readonly<Record<string, string>> = {
  'identity.tenant_by_slug': 'it finds the tenant that somebody names who signs in',
  'gateway.operation_tenant_counts': 'it counts tenants',
  'shared.forget_usage': 'it forgets what is old, whoever sent it',
  'shared.tenants_with_new_events': 'the dispatcher asks it which tenant has something new',
  'shared.drop_dispatched_events': 'it drops a month of all tenants',
  'shared.tenants_with_due_jobs': 'workers ask it which tenant has something to do',
  'shared.remove_mails': 'it removes what has ended, whoever wrote it',
  'shared.tenants_to_seal': 'it finds out whose entries wait',
  'shared.tenants_with_due_mail': 'it finds out whose mails wait',
}

const tables = `WITH own AS (
  SELECT c.*, n.nspname || '.' || c.relname AS name, EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'tenant_id' AND NOT attisdropped) AS tenant
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY ($1)
), functions AS (
  SELECT p.*, n.nspname || '.' || p.proname AS name, l.lanname FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
  WHERE n.nspname = ANY ($1)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
), given AS (SELECT $1::text[], $2::text[], $3::text[])`

/** Each query returns one line for each fault. Parameters: the product's schemas, global tables, kept triggers. */
const rules = [
  `SELECT format('policy %s of %s holds a sub-select', polname, name) FROM pg_policy JOIN own ON own.oid = polrelid
   WHERE concat(pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) ~* '\\mselect\\M'`,
  `SELECT format('policy %s of %s is for PUBLIC', polname, name) FROM pg_policy JOIN own ON own.oid = polrelid
   WHERE 0::oid = ANY (polroles)`,
  `SELECT format('trigger %s on %s', tgname, name) FROM pg_trigger JOIN own ON own.oid = tgrelid
   WHERE NOT tgisinternal AND tgname <> ALL ($3)`,
  `SELECT format('foreign key %s of %s sets null or a default', conname, name) FROM pg_constraint JOIN own ON own.oid = conrelid
   WHERE contype = 'f' AND (confdeltype IN ('n', 'd') OR confupdtype IN ('n', 'd'))`,
  `SELECT format('foreign key %s leads from global %s to %s', conname, own.name, parent.name)
   FROM pg_constraint JOIN own ON own.oid = conrelid JOIN own parent ON parent.oid = confrelid
   WHERE contype = 'f' AND parent.tenant AND NOT own.tenant`,
  `SELECT format('%s %s of %s is unique without tenant_id', CASE WHEN i.indisexclusion THEN 'exclusion' ELSE 'index' END,
     i.indexrelid::regclass, name)
   FROM pg_index i JOIN own ON own.oid = i.indrelid
   WHERE own.tenant AND (i.indisunique OR i.indisexclusion) AND NOT EXISTS (
     SELECT FROM pg_attribute WHERE attrelid = own.oid AND attname = 'tenant_id' AND attnum = ANY (i.indkey))`,
  `SELECT format('%s holds no tenant and is not on the list of global tables, which every node has', name) FROM own
   WHERE NOT tenant AND name <> ALL ($2)`,
  `SELECT format('function %s is SQL with parameters over a table: make it PL/pgSQL', name) FROM functions
   WHERE lanname = 'sql' AND pronargs > 0
     AND EXISTS (SELECT FROM own WHERE concat(prosrc, pg_get_functiondef(functions.oid)) LIKE '%' || own.name || '%')`,
  `SELECT format('function %s compares with the setting inside a query: read it into a variable', name) FROM functions
   WHERE prosrc ~ '=\\s*\\(?\\s*(select\\s+)?current_setting\\s*\\(\\s*''app.tenant_id'
     AND prosrc !~ 'own constant (uuid|text) := [^;]*current_setting'`,
]

/** The statements of a PL/pgSQL body that name tables, as far as they end with a semicolon. */
const statementsOf = (body: string): string[] =>
  body
    .replace(/\bDECLARE\b[^]*?\bBEGIN\b/, '')
    .split(/;|\b(?:BEGIN|THEN|ELSE|LOOP|RETURN QUERY|RETURN|PERFORM)\b/)

/**
 * What a distributed PostgreSQL (Citus) refuses of the catalogue, or what fails there without a word: one line for each
 * fault.
 */
export async function lintCatalogue(client: ClientBase): Promise<string[]> {
  const schemas = [...applicationRoles.map((role) => role.slice('app_'.length)), 'shared']
  const found: string[] = []
  for (const rule of rules) {
    const values = [schemas, globalTables, keptTriggers]
    const { rows } = await client.query<[string]>({ text: `${tables} ${rule}`, values, rowMode: 'array' })
    found.push(...rows.map(([line]) => line))
  }
  const known = await readKnownTables(client)
  const { rows: bodies } = await client.query<{ name: string; body: string }>(
    `${tables} SELECT name, prosrc AS body FROM functions WHERE lanname = 'plpgsql'`,
    [schemas, globalTables, keptTriggers],
  )
  for (const { name, body } of bodies) {
    if (name in acrossTenants) continue
    for (const statement of statementsOf(body))
      found.push(
        ...lintStatement(statement, known, /own|line\.tenant_id/).map(
          (fault) => `function ${name}: ${fault}`,
        ),
      )
  }
  return found
}
