-- A seller, and so many tenants, each with a subscription that began three months ago and was never billed: four periods are due, and taxed.
WITH terms AS (
  SELECT n, gen_random_uuid() AS tenant_id, gen_random_uuid() AS id,
         ((now() AT TIME ZONE 'UTC')::date - interval '3 months')::date AS start_date,
         jsonb_build_array(
           jsonb_build_object('priceId', gen_random_uuid(), 'version', 1, 'meter', NULL, 'quantity', 1,
             'unitAmount', '4900', 'tierMode', NULL, 'tiers', NULL),
           jsonb_build_object('priceId', gen_random_uuid(), 'version', 1, 'meter', 'SEATS', 'quantity', 2,
             'unitAmount', '900', 'tierMode', NULL, 'tiers', NULL)) AS items
    FROM generate_series(1, $1::int) n
), seller AS (
  INSERT INTO tenancy.sellers (id, valid_from, legal_name, street, city, country, tax_id)
  VALUES (gen_random_uuid(), '2024-01-01', 'Example Cloud GmbH', 'Hafenstraße 1', 'Hamburg', 'DE', 'DE123456789')
), tenants AS (
  INSERT INTO tenancy.tenants (id, slug, name) SELECT tenant_id, 'billed-' || n, 'Billed ' || n FROM terms
), taxes AS (
  INSERT INTO tenancy.tax_profiles (tenant_id, id, valid_from, treatment, rate)
  SELECT tenant_id, gen_random_uuid(), start_date, 'STANDARD', 19 FROM terms
), subscriptions AS (
  INSERT INTO tenancy.subscriptions (tenant_id, id, plan, start_date, billing_interval, current_period_start,
                                     current_period_end, price, currency, seats, items)
  SELECT tenant_id, id, 'STARTER', start_date, 'MONTHLY', start_date, (start_date + interval '1 month')::date, 6700, 'EUR', 2,
         items FROM terms
)
INSERT INTO tenancy.agreed_items (tenant_id, id, subscription_id, since, items)
SELECT tenant_id, gen_random_uuid(), id, start_date::timestamp AT TIME ZONE 'UTC', items FROM terms
