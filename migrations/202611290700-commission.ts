import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { byLanguage, migration, oneOf, ownerRole, sql, tenantTable } from './sql'

const byApplication = `WHEN (current_user <> '${ownerRole}')`
const trigger = 'RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$'
const currency = "currency ~ '^[A-Z]{3}$'"

/**
 * Commission: rules in versions, whose which sales are, and what somebody sold in a month, with the lines by which it was
 * reckoned. What is approved never changes.
 */
export const commission = migration(202611290700, 'commission', [
  tenantTable({
    schema: 'finance',
    table: 'commission_rules',
    columns: {
      name: 'varchar(100) NOT NULL',
      revision: 'int NOT NULL DEFAULT 1',
      revises_id: 'uuid',
      type: oneOf('type', ['PERCENTAGE', 'TIERED', 'FLAT', 'ACCELERATOR']),
      rate: 'numeric NOT NULL',
      flat_amount: 'bigint',
      currency: 'text',
      // A list of {upTo, rate}; upTo in the smallest unit, as digits, null of the last one.
      tiers: "jsonb NOT NULL DEFAULT '[]'",
      is_marginal: 'boolean NOT NULL DEFAULT true',
      criteria: "varchar(1000) NOT NULL DEFAULT 'true'",
      user_id: 'uuid',
      is_personal: 'boolean NOT NULL GENERATED ALWAYS AS (user_id IS NOT NULL) STORED',
      department_id: 'uuid',
      is_stackable: 'boolean NOT NULL DEFAULT false',
      start_date: 'date NOT NULL',
      end_date: 'date',
      status: `${oneOf('status', ['DRAFT', 'APPROVED'])} DEFAULT 'DRAFT'`,
      created_by_id: 'uuid',
      updated_by_id: 'uuid',
      // Everybody who wrote something of the draft.
      author_ids: "text[] NOT NULL DEFAULT '{}'",
      approved_by_id: 'uuid',
      approved_at: 'timestamptz(3)',
    },
    // One version follows another, and only one.
    unique: [['revises_id']],
    checks: {
      name: "name <> ''",
      revision: 'revision > 0 AND (revision = 1) = (revises_id IS NULL)',
      rate: 'rate BETWEEN 0 AND 100 AND rate = round(rate, 2)',
      flat_amount: "flat_amount > 0 AND (flat_amount IS NULL) = (type <> 'FLAT')",
      currency: `${currency} AND (type = 'PERCENTAGE' OR currency IS NOT NULL)`,
      tiers:
        "jsonb_typeof(tiers) = 'array' AND jsonb_array_length(tiers) <= 20 AND (tiers = '[]') = (type IN ('PERCENTAGE', 'FLAT'))",
      criteria: "criteria <> ''",
      end_date: 'end_date > start_date',
      approved_by_id:
        "(status = 'APPROVED') = (approved_by_id IS NOT NULL AND approved_at IS NOT NULL) AND approved_by_id <> created_by_id AND approved_by_id <> user_id AND approved_by_id::text <> ALL (author_ids)",
    },
    references: {
      revises_id: { table: 'finance.commission_rules' },
      user_id: { table: 'identity.users', index: 'user_id, start_date, id' },
      department_id: { table: 'hr.departments', index: 'department_id, start_date, id' },
      created_by_id: { table: 'identity.users' },
      updated_by_id: { table: 'identity.users' },
      approved_by_id: { table: 'identity.users' },
    },
    indexes: ['start_date, id', 'created_at, id', byLanguage('name')],
    grants: { app_finance: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
  }),
  constraintMessages('finance.commission_rules', {
    commission_rules_name_check: 'must not be empty',
    commission_rules_rate_check: 'must be between 0 and 100, with two decimals at most',
    commission_rules_flat_amount_check: 'must be more than nothing, and is for FLAT only',
    commission_rules_end_date_check: 'must say an end after the beginning',
    commission_rules_criteria_check: 'must not be empty',
    commission_rules_revises_id_key: 'is revised already',
  }),
  tenantTable({
    schema: 'finance',
    table: 'sales_attributions',
    without: ['version', 'updated_at'],
    columns: {
      transaction_id: 'uuid NOT NULL',
      user_id: 'uuid NOT NULL',
      share: 'numeric NOT NULL',
      created_by_id: 'uuid',
    },
    unique: [['transaction_id', 'user_id']],
    checks: { share: 'share > 0 AND share <= 100 AND share = round(share, 2)' },
    references: {
      transaction_id: { table: 'finance.transactions', index: 'transaction_id, created_at, id' },
      user_id: { table: 'identity.users', index: 'user_id, created_at, id' },
      created_by_id: { table: 'identity.users' },
    },
    indexes: ['created_at, id'],
    grants: { app_finance: ['SELECT', 'INSERT', 'DELETE'] },
  }),
  constraintMessages('finance.sales_attributions', {
    sales_attributions_share_check: 'must be more than 0 and at most 100, with two decimals at most',
    sales_attributions_transaction_id_user_id_key: 'has a part of this sale already',
  }),
  tenantTable({
    schema: 'finance',
    table: 'sales_performances',
    columns: {
      user_id: 'uuid NOT NULL',
      manager_id: 'uuid',
      period_start: 'date NOT NULL',
      period_end: "date NOT NULL GENERATED ALWAYS AS ((period_start + interval '1 month')::date) STORED",
      currency: 'text NOT NULL',
      revenue: 'bigint NOT NULL DEFAULT 0',
      commission: 'bigint NOT NULL DEFAULT 0',
      status: `${oneOf('status', ['DRAFT', 'SUBMITTED', 'APPROVED', 'PAID', 'DISPUTED'])} DEFAULT 'DRAFT'`,
      lines_checksum: 'varchar(64)',
      submitted_by_id: 'uuid',
      submitted_at: 'timestamptz(3)',
      approved_by_id: 'uuid',
      approved_at: 'timestamptz(3)',
      dispute_reason: 'varchar(1000)',
      disputed_at: 'timestamptz(3)',
      transaction_id: 'uuid',
      paid_at: 'timestamptz(3)',
    },
    unique: [['user_id', 'period_start', 'currency']],
    checks: {
      manager_id: 'manager_id <> user_id',
      period_start:
        "period_start BETWEEN '1900-01-01' AND '2999-12-01' AND extract(day FROM period_start) = 1",
      currency,
      // Nobody approves their own, nor what they submitted, whatever the application does.
      approved_by_id:
        "(approved_by_id IS NOT NULL) = (status IN ('APPROVED', 'PAID')) AND approved_by_id <> user_id AND approved_by_id <> submitted_by_id",
      submitted_by_id: "(submitted_by_id IS NOT NULL) = (status IN ('SUBMITTED', 'APPROVED', 'PAID'))",
      dispute_reason: "dispute_reason <> ''",
      disputed: "status <> 'DISPUTED' OR dispute_reason IS NOT NULL",
      // One payment may be of several months, and of none when they come to nothing.
      paid_at: "(paid_at IS NOT NULL) = (status = 'PAID') AND (transaction_id IS NULL OR status = 'PAID')",
    },
    references: {
      user_id: { table: 'identity.users', index: 'user_id, period_start, id' },
      manager_id: { table: 'identity.users', index: 'manager_id, period_start, id' },
      submitted_by_id: { table: 'identity.users' },
      approved_by_id: { table: 'identity.users' },
      transaction_id: { table: 'finance.transactions' },
    },
    indexes: ['period_start, id', 'revenue, id', 'created_at, id', 'status, id'],
    grants: { app_finance: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
  constraintMessages('finance.sales_performances', {
    sales_performances_manager_id_check: 'must be somebody else than who sold',
    sales_performances_period_start_check: 'must be the first day of a month',
    sales_performances_dispute_reason_check: 'must say what is wrong',
  }),
  tenantTable({
    schema: 'finance',
    table: 'sales_performance_lines',
    without: ['version', 'updated_at'],
    columns: {
      performance_id: 'uuid NOT NULL',
      user_id: 'uuid NOT NULL',
      manager_id: 'uuid',
      position: 'int NOT NULL',
      kind: oneOf('kind', ['SALE', 'TIER', 'ADJUSTMENT']),
      rule_id: 'uuid',
      source_type: 'varchar(100)',
      source_id: 'varchar(200)',
      day: 'date',
      currency: 'text NOT NULL',
      revenue: 'bigint NOT NULL',
      base: 'bigint NOT NULL',
      rate: 'numeric',
      flat_amount: 'bigint',
      share: 'numeric',
      commission: 'bigint NOT NULL',
      adjusts_id: 'uuid',
    },
    unique: [['performance_id', 'position']],
    checks: {
      position: 'position > 0',
      currency,
      source: "(kind = 'SALE') = (source_type IS NOT NULL AND source_id IS NOT NULL AND day IS NOT NULL)",
      adjusts_id: "(kind = 'ADJUSTMENT') = (adjusts_id IS NOT NULL)",
    },
    references: {
      performance_id: { table: 'finance.sales_performances' },
      user_id: { table: 'identity.users' },
      manager_id: { table: 'identity.users' },
      rule_id: { table: 'finance.commission_rules' },
      adjusts_id: { table: 'finance.sales_performances' },
    },
    indexes: ['performance_id, position, id', 'position, id'],
    grants: { app_finance: ['SELECT', 'INSERT', 'DELETE'] },
  }),
  sql(
    [
      // What is generated is not yet there when the trigger runs; it follows the user.
      `CREATE FUNCTION finance.keep_commission_rule() ${trigger}
BEGIN
  IF OLD.status = 'APPROVED' AND (TG_OP = 'DELETE'
      OR to_jsonb(NEW) - 'end_date' - 'version' - 'updated_at' - 'updated_by_id' - 'is_personal'
         <> to_jsonb(OLD) - 'end_date' - 'version' - 'updated_at' - 'updated_by_id' - 'is_personal'
      OR NEW.end_date IS NULL AND OLD.end_date IS NOT NULL OR NEW.end_date > OLD.end_date) THEN
    RAISE EXCEPTION 'an approved rule only ends' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$`,
      `CREATE TRIGGER keep_commission_rule BEFORE UPDATE OR DELETE ON finance.commission_rules
         FOR EACH ROW ${byApplication} EXECUTE FUNCTION finance.keep_commission_rule()`,
      `CREATE FUNCTION finance.keep_sales_performance() ${trigger}
BEGIN
  IF (NEW.user_id, NEW.period_start, NEW.currency) IS DISTINCT FROM (OLD.user_id, OLD.period_start, OLD.currency)
     OR OLD.status IN ('SUBMITTED', 'APPROVED', 'PAID') AND (NEW.revenue, NEW.commission, NEW.lines_checksum)
        IS DISTINCT FROM (OLD.revenue, OLD.commission, OLD.lines_checksum)
     OR OLD.status IN ('APPROVED', 'PAID') AND (NEW.submitted_by_id, NEW.approved_by_id, NEW.approved_at)
        IS DISTINCT FROM (OLD.submitted_by_id, OLD.approved_by_id, OLD.approved_at)
     OR OLD.status = 'APPROVED' AND NEW.status NOT IN ('APPROVED', 'PAID')
     OR OLD.status = 'PAID' THEN
    RAISE EXCEPTION 'an approved performance is only paid' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$`,
      `CREATE TRIGGER keep_sales_performance BEFORE UPDATE ON finance.sales_performances
         FOR EACH ROW ${byApplication} EXECUTE FUNCTION finance.keep_sales_performance()`,
      `CREATE FUNCTION finance.keep_performance_lines() ${trigger}
DECLARE
  line finance.sales_performance_lines := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
  IF NOT EXISTS (SELECT FROM finance.sales_performances p WHERE p.tenant_id = line.tenant_id
       AND p.id = line.performance_id AND p.status IN ('DRAFT', 'DISPUTED')) THEN
    RAISE EXCEPTION 'the lines of a submitted performance stay' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN line;
END $$`,
      `CREATE TRIGGER keep_performance_lines BEFORE INSERT OR DELETE ON finance.sales_performance_lines
         FOR EACH ROW ${byApplication} EXECUTE FUNCTION finance.keep_performance_lines()`,
    ],
    [
      'DROP TRIGGER keep_performance_lines ON finance.sales_performance_lines',
      'DROP TRIGGER keep_sales_performance ON finance.sales_performances',
      'DROP TRIGGER keep_commission_rule ON finance.commission_rules',
      'DROP FUNCTION finance.keep_performance_lines()',
      'DROP FUNCTION finance.keep_sales_performance()',
      'DROP FUNCTION finance.keep_commission_rule()',
    ],
  ),
  permissions({
    'finance:commission:read': {
      allows: 'Read commission rules',
      roles: ['USER', 'COMPLIANCE_OFFICER', 'HR_MANAGER', 'ANALYST'],
    },
    'finance:commission:write': {
      allows: 'Draft commission rules, say whose sales are, and reckon performances',
    },
    'finance:commission:approve': { allows: 'Approve commission rules and others’ performances' },
    'finance:commission:pay': { allows: 'Pay others’ commission' },
    'finance:performance:own': {
      allows: 'See, submit and dispute the own sales performance, and that of the team one leads',
      roles: ['USER', 'COMPLIANCE_OFFICER', 'HR_MANAGER', 'ANALYST'],
    },
    'finance:performance:read': { allows: 'Read everybody’s sales performance', sensitive: true },
  }),
])
