import { constraintMessages } from './constraint-messages'
import { permissions } from './permissions'
import { byLanguage, migration, oneOf, ownerRole, sql, tenantTable } from './sql'

const trigger = 'RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$'
const currency = "currency ~ '^[A-Z]{3}$'"
const isMonth = (column: string) =>
  `${column} BETWEEN '1900-01-01' AND '2999-12-01' AND extract(day FROM ${column}) = 1`

/** Forecasts in versions, with what they were made of. What is published never changes. */
export const forecasts = migration(202611291100, 'forecasts', [
  tenantTable({
    schema: 'finance',
    table: 'forecasts',
    columns: {
      name: 'varchar(100) NOT NULL',
      revision: 'int NOT NULL DEFAULT 1',
      revises_id: 'uuid',
      type: oneOf('type', ['REVENUE', 'EXPENSE', 'CASH_FLOW', 'HEADCOUNT', 'PIPELINE']),
      period_start: 'date NOT NULL',
      period_end: 'date NOT NULL',
      department_id: 'uuid',
      currency: 'text NOT NULL',
      base: 'bigint NOT NULL',
      value: 'bigint NOT NULL',
      // Lists of amounts in the smallest unit, as digits.
      months: 'jsonb NOT NULL',
      method: `${oneOf('method', ['MANUAL', 'MEAN', 'SEASONAL_NAIVE', 'DRIFT', 'LINEAR_TREND'])} DEFAULT 'MANUAL'`,
      method_version: 'int NOT NULL DEFAULT 1',
      history: "jsonb NOT NULL DEFAULT '[]'",
      confidence_score: 'numeric',
      factor_mode: "text CHECK (factor_mode IN ('WEIGHTED', 'MARGINAL'))",
      factors_checksum: 'varchar(64)',
      status: `${oneOf('status', ['DRAFT', 'PUBLISHED'])} DEFAULT 'DRAFT'`,
      created_by_id: 'uuid',
      published_by_id: 'uuid',
      published_at: 'timestamptz(3)',
    },
    // One version follows another, and only one.
    unique: [['revises_id']],
    checks: {
      name: "name <> ''",
      revision: 'revision > 0',
      period_start: isMonth('period_start'),
      period_end: isMonth('period_end'),
      period: 'period_end > period_start',
      currency,
      months: "jsonb_typeof(months) = 'array'",
      history: "jsonb_typeof(history) = 'array'",
      confidence_score:
        'confidence_score BETWEEN 0 AND 100 AND confidence_score = round(confidence_score, 2)',
      published: "status = 'DRAFT' OR published_at IS NOT NULL",
    },
    references: {
      revises_id: { table: 'finance.forecasts' },
      department_id: { table: 'hr.departments', index: 'department_id, period_start, id' },
      created_by_id: { table: 'identity.users' },
      published_by_id: { table: 'identity.users' },
    },
    indexes: ['period_start, id', 'value, id', 'created_at, id', byLanguage('name')],
    grants: { app_finance: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] },
  }),
  constraintMessages('finance.forecasts', {
    forecasts_name_check: 'must not be empty',
    forecasts_period_start_check: 'must be the first day of a month',
    forecasts_period_end_check: 'must be the first day of a month',
    forecasts_period_check: 'must end after its beginning',
    forecasts_confidence_score_check: 'must be between 0 and 100, with two decimals at most',
    forecasts_revises_id_key: 'has a next version already',
  }),
  tenantTable({
    schema: 'finance',
    table: 'forecast_factors',
    without: ['version', 'updated_at'],
    columns: {
      forecast_id: 'uuid NOT NULL',
      position: 'int NOT NULL',
      name: 'varchar(100) NOT NULL',
      currency: 'text NOT NULL',
      value: 'bigint NOT NULL',
      weight: 'numeric NOT NULL',
      contribution: 'bigint NOT NULL',
    },
    unique: [['forecast_id', 'position']],
    checks: {
      position: 'position > 0',
      name: "name <> ''",
      currency,
      weight: 'weight BETWEEN -10 AND 10 AND weight = round(weight, 4)',
    },
    references: { forecast_id: { table: 'finance.forecasts', index: 'forecast_id, position, id' } },
    indexes: ['position, id'],
    grants: { app_finance: ['SELECT', 'INSERT', 'DELETE'] },
  }),
  constraintMessages('finance.forecast_factors', {
    forecast_factors_name_check: 'must not be empty',
  }),
  sql(
    [
      `CREATE FUNCTION finance.keep_forecast() ${trigger}
BEGIN
  IF TG_OP = 'INSERT' THEN
    RAISE EXCEPTION 'a forecast begins as a draft' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF OLD.status = 'PUBLISHED' THEN
    -- What was a tenant's goes with it.
    IF TG_OP = 'DELETE' AND current_user = '${ownerRole}' THEN
      IF NOT EXISTS (SELECT FROM tenancy.tenants t WHERE t.id = OLD.tenant_id) THEN
        RETURN OLD;
      END IF;
    END IF;
    RAISE EXCEPTION 'a published forecast stays' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$`,
      `CREATE TRIGGER keep_forecast BEFORE UPDATE OR DELETE ON finance.forecasts
         FOR EACH ROW EXECUTE FUNCTION finance.keep_forecast()`,
      // Whole forecasts are loaded by the owner alone; so are the factors of published ones.
      `CREATE TRIGGER begin_forecast BEFORE INSERT ON finance.forecasts
         FOR EACH ROW WHEN (current_user <> '${ownerRole}' AND NEW.status <> 'DRAFT') EXECUTE FUNCTION finance.keep_forecast()`,
      `CREATE FUNCTION finance.keep_forecast_factors() ${trigger}
DECLARE
  line finance.forecast_factors := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
  IF EXISTS (SELECT FROM finance.forecasts f WHERE f.tenant_id = line.tenant_id
       AND f.id = line.forecast_id AND f.status = 'PUBLISHED') THEN
    -- What was a tenant's goes with it.
    IF TG_OP = 'DELETE' AND current_user = '${ownerRole}' THEN
      IF NOT EXISTS (SELECT FROM tenancy.tenants t WHERE t.id = OLD.tenant_id) THEN
        RETURN OLD;
      END IF;
    END IF;
    RAISE EXCEPTION 'the factors of a published forecast stay' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN line;
END $$`,
      `CREATE TRIGGER keep_forecast_factors BEFORE UPDATE OR DELETE ON finance.forecast_factors
         FOR EACH ROW EXECUTE FUNCTION finance.keep_forecast_factors()`,
      `CREATE TRIGGER begin_forecast_factors BEFORE INSERT ON finance.forecast_factors
         FOR EACH ROW WHEN (current_user <> '${ownerRole}') EXECUTE FUNCTION finance.keep_forecast_factors()`,
    ],
    [
      'DROP TRIGGER begin_forecast_factors ON finance.forecast_factors',
      'DROP TRIGGER begin_forecast ON finance.forecasts',
      'DROP TRIGGER keep_forecast_factors ON finance.forecast_factors',
      'DROP TRIGGER keep_forecast ON finance.forecasts',
      'DROP FUNCTION finance.keep_forecast_factors()',
      'DROP FUNCTION finance.keep_forecast()',
    ],
  ),
  permissions({
    'finance:forecast:read': {
      allows: 'Read forecasts and how they came true',
      roles: ['ANALYST', 'VIEWER'],
    },
    'finance:forecast:write': { allows: 'Draft, generate and publish forecasts', roles: ['ANALYST'] },
  }),
])
