import { constraintMessages } from './constraint-messages'
import { migration, sql } from './sql'

/** Unit prices of lines have decimals of the smallest unit, up to twelve of the main one: only amounts are rounded. */
export const unitPrices = migration(202611282130, 'unit-prices', [
  sql(
    [
      'ALTER TABLE tenancy.invoice_lines ALTER COLUMN unit_price TYPE numeric',
      `ALTER TABLE tenancy.invoice_lines ADD CONSTRAINT invoice_lines_unit_price_check
         CHECK (scale(unit_price) <= 12 AND abs(unit_price) < 10000000000000000000)`,
    ],
    [
      'ALTER TABLE tenancy.invoice_lines DROP CONSTRAINT invoice_lines_unit_price_check',
      'ALTER TABLE tenancy.invoice_lines ALTER COLUMN unit_price TYPE bigint USING round(unit_price)',
    ],
  ),
  constraintMessages('tenancy.invoice_lines', {
    invoice_lines_unit_price_check: 'must have at most 12 decimals and 19 digits before them',
  }),
])
