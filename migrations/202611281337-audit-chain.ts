import { lookupFunction } from './lookup'
import { migration, sql, tenantTable } from './sql'

/**
 * The chain that makes changes of the audit trail evident: entries get their position and hash after they were written, by
 * whoever seals (docs/decisions/0020-audit-chain.md).
 */
export const auditChain = migration(202611281337, 'audit-chain', [
  sql(
    [
      'ALTER TABLE shared.audit_logs ADD COLUMN position bigint, ADD COLUMN hash text',
      `ALTER TABLE shared.audit_logs ADD CONSTRAINT audit_logs_sealed_check
         CHECK ((position IS NULL) = (hash IS NULL) AND position > 0 AND hash ~ '^[0-9a-f]{64}$')`,
      // What writers touch holds unsealed entries alone, and stays small.
      'CREATE INDEX audit_logs_unsealed ON shared.audit_logs (tenant_id, occurred_at, id) WHERE position IS NULL',
      'CREATE INDEX audit_logs_sealed ON shared.audit_logs (tenant_id, position) WHERE position IS NOT NULL',
      'GRANT UPDATE (position, hash) ON shared.audit_logs TO app_compliance',
    ],
    [
      'REVOKE UPDATE (position, hash) ON shared.audit_logs FROM app_compliance',
      'ALTER TABLE shared.audit_logs DROP COLUMN position, DROP COLUMN hash',
    ],
  ),

  // One row for each tenant: where its chain ends, and what of it was signed. Who seals locks it; who writes does not.
  tenantTable({
    schema: 'shared',
    table: 'audit_chains',
    without: ['id', 'version', 'created_at', 'updated_at'],
    primaryKey: [],
    columns: {
      position: 'bigint NOT NULL CHECK (position >= 0)',
      hash: "text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$')",
      signed_position: 'bigint NOT NULL DEFAULT 0',
      // SHA-256 of the last checkpoint, which the next one names.
      signed_hash: "text CHECK (signed_hash ~ '^[0-9a-f]{64}$')",
      signed_at: 'timestamptz(3)',
    },
    checks: { signed: 'signed_position BETWEEN 0 AND position' },
    grants: { app_compliance: ['SELECT', 'INSERT', 'UPDATE'] },
  }),

  // Whose entries wait for their position, or whose positions for a signature.
  lookupFunction({
    name: 'shared.tenants_to_seal',
    parameters: 'signed_before timestamptz, most int',
    returns: 'SETOF uuid',
    rows: 10,
    body: `
BEGIN
  RETURN QUERY SELECT w.tenant_id FROM (
    SELECT l.tenant_id FROM shared.audit_logs l WHERE l.position IS NULL
    UNION SELECT c.tenant_id FROM shared.audit_chains c
     WHERE c.position > c.signed_position AND coalesce(c.signed_at <= signed_before, true)) AS w LIMIT least(most, 1000);
END`,
    reads: {
      'shared.audit_logs': ['tenant_id', 'position'],
      'shared.audit_chains': ['tenant_id', 'position', 'signed_position', 'signed_at'],
    },
    callers: ['app_compliance'],
  }),
])
