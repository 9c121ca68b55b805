import { constraintMessages } from './constraint-messages'
import { globalTable, migration, oneOf, sql, tenantTable } from './sql'

/** The same on every installation, so that configurations can name the rows. */
const planId = (place: number) => `019b76da-a800-7000-8004-00000000000${place}`
const priceId = (place: number) => `019b76da-a800-7000-8005-0000000000${String(place).padStart(2, '0')}`

const plans = [
  {
    code: 'TRIAL',
    name: 'Trial',
    description: 'Everything for 30 days, free of charge',
    trialDays: 30,
    features: { singleSignOn: true, support: 'COMMUNITY' },
    limits: {
      API_CALLS: { limit: '1000', beyond: 'REFUSE' },
      ACTIVE_USERS: { limit: '5', beyond: 'REFUSE' },
    },
    monthly: 0,
    seat: 0,
  },
  {
    code: 'STARTER',
    name: 'Starter',
    description: 'For a first team',
    trialDays: 0,
    features: { singleSignOn: false, support: 'EMAIL' },
    limits: {
      API_CALLS: { limit: '20000', beyond: 'OVERAGE' },
      STORAGE_GB: { limit: '200', beyond: 'REFUSE' },
    },
    monthly: 49,
    seat: 9,
  },
  {
    code: 'PROFESSIONAL',
    name: 'Professional',
    description: 'For several teams',
    trialDays: 14,
    features: { singleSignOn: true, support: 'EMAIL' },
    limits: {
      API_CALLS: { limit: '50000', beyond: 'OVERAGE' },
      STORAGE_GB: { limit: '500', beyond: 'OVERAGE' },
    },
    monthly: 190,
    seat: 15,
  },
  {
    code: 'ENTERPRISE',
    name: 'Enterprise',
    description: 'For a whole organization',
    trialDays: 0,
    features: { singleSignOn: true, support: 'PHONE' },
    limits: { API_CALLS: { limit: '500000', beyond: 'OVERAGE' } },
    monthly: 1900,
    seat: 12,
  },
] as const

/** Prices are set for each currency: nothing is converted when it is billed. Minor units for a main unit, and the scale. */
const currencies = { EUR: [100, 1], USD: [100, 1.1], GBP: [100, 0.9], JPY: [1, 150] } as const

/** Prices of a unit have 12 decimals at most: 0.0004 times 150 has more in binary. */
const priceText = (price: number) => String(Number(price.toFixed(6)))

/** Calls beyond the included ones, by tiers in dollars and euros alike; in yen by a hundred and fifty. */
const callTiers = (included: string, scale: number) => [
  { upTo: included, unitPrice: '0' },
  { upTo: String(Number(included) * 10), unitPrice: priceText(0.0004 * scale) },
  { upTo: null, unitPrice: priceText(0.0002 * scale) },
]

/** Everything that a line is made of: of an item without it nothing could be billed, or shown. */
const areItems = `jsonb_typeof(items) = 'array' AND NOT jsonb_path_exists(items, '$[*] ? (!(@.priceId.type() == "string"
  && @.version.type() == "number" && @.quantity.type() == "number" && @.unitAmount.type() == "string"))')`

const json = (value: unknown) => `'${JSON.stringify(value).replaceAll("'", "''")}'::jsonb`

function priceRows(): string[] {
  let place = 0
  return plans.flatMap(({ code, monthly, seat, limits }, plan) =>
    Object.entries(currencies).flatMap(([currency, [minor, scale]]) =>
      (['MONTHLY', 'ANNUAL'] as const).flatMap((interval) => {
        const months = interval === 'ANNUAL' ? 10 : 1
        const amount = (units: number) => Math.round(units * scale * months) * minor
        const row = (meter: string, cost: number, mode: string, tiers: string) =>
          `('${priceId(place++)}', '${planId(plan)}', 1, '${currency}', '${interval}', ${meter}, ${cost}, ${mode}, ${tiers}, '2024-01-01')`
        const fee = row('NULL', amount(monthly), 'NULL', 'NULL')
        if (code === 'TRIAL') return [fee]
        const tiers = json(callTiers(limits.API_CALLS.limit, currency === 'JPY' ? 150 : 1))
        return [
          fee,
          row("'SEATS'", amount(seat), 'NULL', 'NULL'),
          row("'API_CALLS'", 0, "'GRADUATED'", tiers),
        ]
      }),
    ),
  )
}

/** Plans and their price lists, what a subscription took from them, and what it is still to be billed for changes. */
export const plansAndPrices = migration(202611282133, 'plans', [
  globalTable({
    schema: 'tenancy',
    table: 'plans',
    columns: {
      id: 'uuid NOT NULL',
      code: oneOf('code', ['TRIAL', 'STARTER', 'PROFESSIONAL', 'ENTERPRISE']),
      name: "varchar(100) NOT NULL CHECK (name <> '')",
      description: 'varchar(500)',
      is_public: 'boolean NOT NULL DEFAULT true',
      trial_days: 'int NOT NULL DEFAULT 0 CHECK (trial_days BETWEEN 0 AND 366)',
      features: "jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(features) = 'object')",
      limits: "jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(limits) = 'object')",
      tax_category: 'varchar(50)',
      retired_at: 'timestamptz(3)',
    },
    constraints: ['PRIMARY KEY (id)'],
    grants: { app_tenancy: ['SELECT'] },
  }),
  globalTable({
    schema: 'tenancy',
    table: 'plan_prices',
    columns: {
      id: 'uuid NOT NULL',
      plan_id: 'uuid NOT NULL REFERENCES tenancy.plans (id)',
      version: 'int NOT NULL CHECK (version > 0)',
      currency: "text NOT NULL CHECK (currency ~ '^[A-Z]{3}$')",
      billing_interval: oneOf('billing_interval', ['MONTHLY', 'ANNUAL']),
      meter: "text CHECK (meter IN ('SEATS', 'API_CALLS', 'STORAGE_GB', 'STORED_RECORDS', 'ACTIVE_USERS'))",
      amount: 'bigint NOT NULL CHECK (amount >= 0)',
      tier_mode: "text CHECK (tier_mode IN ('GRADUATED', 'VOLUME'))",
      tiers: "jsonb CHECK (jsonb_typeof(tiers) = 'array')",
      valid_from: 'date NOT NULL',
      valid_until: 'date',
    },
    constraints: [
      'PRIMARY KEY (id)',
      'CONSTRAINT plan_prices_tiers_check2 CHECK ((tier_mode IS NULL) = (tiers IS NULL))',
      'CONSTRAINT plan_prices_valid_until_check CHECK (valid_until > valid_from)',
    ],
    grants: { app_tenancy: ['SELECT'] },
  }),
  sql(
    [
      // Of each code one plan is offered; retired ones stay for who has them.
      'CREATE UNIQUE INDEX plans_code_key ON tenancy.plans (code) WHERE retired_at IS NULL',
      `CREATE UNIQUE INDEX plan_prices_version_key
         ON tenancy.plan_prices (plan_id, currency, billing_interval, COALESCE(meter, ''), version)`,
      'CREATE INDEX ON tenancy.plans (name COLLATE "und-x-icu", id)',
      `CREATE FUNCTION tenancy.keep_price() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.valid_until IS NULL
     AND to_jsonb(NEW) - '{valid_until}'::text[] = to_jsonb(OLD) - '{valid_until}'::text[] THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'price % is published: add a new version instead', OLD.id
    USING ERRCODE = 'integrity_constraint_violation';
END $$`,
      `CREATE TRIGGER keep_price BEFORE UPDATE OR DELETE ON tenancy.plan_prices
         FOR EACH ROW EXECUTE FUNCTION tenancy.keep_price()`,
      `INSERT INTO tenancy.plans (id, code, name, description, trial_days, features, limits, tax_category) VALUES ${plans
        .map(
          ({ code, name, description, trialDays, features, limits }, place) =>
            `('${planId(place)}', '${code}', '${name}', '${description}', ${trialDays}, ${json(features)}, ${json(limits)}, 'SAAS')`,
        )
        .join(',\n')}`,
      `INSERT INTO tenancy.plan_prices
         (id, plan_id, version, currency, billing_interval, meter, amount, tier_mode, tiers, valid_from) VALUES
       ${priceRows().join(',\n')}`,
    ],
    ['DROP TRIGGER keep_price ON tenancy.plan_prices', 'DROP FUNCTION tenancy.keep_price()'],
  ),
  // Items were free JSON, by which nobody was billed.
  sql(
    [
      "UPDATE tenancy.subscriptions SET items = '[]', updated_at = now() WHERE items <> '[]'",
      `ALTER TABLE tenancy.subscriptions DROP CONSTRAINT subscriptions_status_check, DROP CONSTRAINT subscriptions_items_check,
         ADD CONSTRAINT subscriptions_items_check CHECK (${areItems}),
         ADD CONSTRAINT subscriptions_status_check CHECK (status IN ('SCHEDULED', 'ACTIVE', 'SUSPENDED', 'CANCELLED')),
         ADD COLUMN seats int NOT NULL DEFAULT 1 CONSTRAINT subscriptions_seats_check CHECK (seats BETWEEN 1 AND 100000),
         ADD COLUMN trial_ends_on date,
         ADD COLUMN anchor_date date,
         ADD COLUMN billed_until date,
         ADD COLUMN is_settled boolean NOT NULL DEFAULT false,
         ADD COLUMN tax_rate numeric NOT NULL DEFAULT 0 CHECK (tax_rate BETWEEN 0 AND 100 AND scale(tax_rate) <= 4),
         ADD COLUMN next_change jsonb CONSTRAINT subscriptions_next_change_check CHECK (jsonb_typeof(next_change) = 'object')`,
      // What began before the platform billed by itself was billed by hand.
      `UPDATE tenancy.subscriptions SET billed_until = current_period_end, is_settled = (status = 'CANCELLED'), updated_at = now()`,
      'CREATE INDEX ON tenancy.subscriptions (tenant_id, billed_until) WHERE NOT is_settled',
      `ALTER TABLE tenancy.invoices ADD COLUMN billed_from date, DROP CONSTRAINT invoices_buyer_check,
         ADD CONSTRAINT invoices_buyer_check CHECK (jsonb_typeof(buyer) = 'object' AND jsonb_typeof(buyer -> 'name') = 'string'),
         ADD CONSTRAINT invoices_subscription_id_billed_from_key UNIQUE (tenant_id, subscription_id, billed_from)`,
    ],
    [
      `ALTER TABLE tenancy.invoices DROP COLUMN billed_from, DROP CONSTRAINT invoices_buyer_check,
         ADD CONSTRAINT invoices_buyer_check CHECK (jsonb_typeof(buyer) = 'object')`,
      `UPDATE tenancy.subscriptions SET status = 'ACTIVE', updated_at = now() WHERE status = 'SCHEDULED'`,
      `ALTER TABLE tenancy.subscriptions DROP COLUMN seats, DROP COLUMN trial_ends_on, DROP COLUMN anchor_date, DROP COLUMN billed_until, DROP COLUMN is_settled,
         DROP COLUMN tax_rate, DROP COLUMN next_change, DROP CONSTRAINT subscriptions_items_check, DROP CONSTRAINT subscriptions_status_check,
         ADD CONSTRAINT subscriptions_items_check CHECK (jsonb_typeof(items) = 'array'),
         ADD CONSTRAINT subscriptions_status_check CHECK (status IN ('ACTIVE', 'SUSPENDED', 'CANCELLED'))`,
    ],
  ),
  constraintMessages('tenancy.subscriptions', { subscriptions_seats_check: 'must be 1 to 100000' }),
  // What changes within a billed period cost: on the next invoice, once.
  tenantTable({
    schema: 'tenancy',
    table: 'pending_lines',
    without: ['version', 'updated_at'],
    columns: {
      subscription_id: 'uuid NOT NULL',
      description: 'varchar(500) NOT NULL',
      amount: 'bigint NOT NULL',
      service_start: 'date NOT NULL',
      service_end: 'date NOT NULL',
      invoice_id: 'uuid',
    },
    references: {
      subscription_id: { table: 'tenancy.subscriptions' },
      invoice_id: { table: 'tenancy.invoices' },
    },
    grants: { app_tenancy: ['SELECT', 'INSERT', 'UPDATE'] },
  }),
])
