import { lookupFunction } from './lookup'
import { migration, sql } from './sql'

const view = [
  'CREATE VIEW tenancy.platform_tenants WITH (security_invoker = true) AS SELECT * FROM tenancy.tenants_for_operator()',
  'GRANT SELECT ON tenancy.platform_tenants TO app_tenancy',
]

const shown = {
  ...{ id: 'uuid', name: 'varchar', slug: 'varchar', plan: 'text', status: 'text', status_reason: 'varchar' },
  ...{ status_changed_at: 'timestamptz', deletion_due_at: 'timestamptz', is_sandbox: 'boolean' },
  ...{ version: 'int', created_at: 'timestamptz', updated_at: 'timestamptz' },
}

const columnsOf = (names: readonly string[]) => names.map((name) => `t.${name}`).join(', ')

/** The tenants as operators see them, with these columns. */
function tenantsForOperator(columns: Readonly<Record<string, string>>) {
  const names = Object.keys(columns)
  return lookupFunction({
    name: 'tenancy.tenants_for_operator',
    parameters: '',
    returns: `TABLE (${Object.entries(columns)
      .map(([name, type]) => `${name} ${type}`)
      .join(', ')})`,
    rows: 1000,
    body: `
BEGIN
  PERFORM shared.require_operator('tenancy:platform:read');
  RETURN QUERY SELECT ${columnsOf(names.slice(0, 8))},
    ${columnsOf(names.slice(8))} FROM tenancy.tenants t;
END`,
    reads: { 'tenancy.tenants': names },
    callers: ['app_tenancy'],
  })
}

const before = tenantsForOperator(shown)

/** Holds why a tenant could not be billed, which the billing job writes and operators see. */
export const billingFaults = migration(202611290431, 'billing-faults', [
  sql(
    [
      'ALTER TABLE tenancy.tenants ADD COLUMN billing_fault varchar(500), ADD COLUMN billing_fault_at timestamptz(3)',
      'GRANT UPDATE (billing_fault, billing_fault_at) ON tenancy.tenants TO app_tenancy',
      // Operators look for them; hardly any tenant has one.
      'CREATE INDEX tenants_billing_fault ON tenancy.tenants (billing_fault_at) WHERE billing_fault IS NOT NULL',
      'DROP VIEW tenancy.platform_tenants',
    ],
    [...view, 'ALTER TABLE tenancy.tenants DROP COLUMN billing_fault, DROP COLUMN billing_fault_at'],
  ),
  sql(before.down, before.up),
  tenantsForOperator({ ...shown, billing_fault: 'varchar', billing_fault_at: 'timestamptz' }),
  sql(view, 'DROP VIEW tenancy.platform_tenants'),
])
