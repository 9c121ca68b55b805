import { constraintMessages } from './constraint-messages'
import { migration, sql } from './sql'

/** What the tenant's own profile must look like. */
export const tenancy = migration(3, 'tenancy', [
  sql(
    [
      `ALTER TABLE tenancy.tenants
         ADD CONSTRAINT tenants_industry_check CHECK (length(industry) <= 100),
         ADD CONSTRAINT tenants_region_check CHECK (length(region) <= 100),
         ADD CONSTRAINT tenants_settings_check CHECK (jsonb_typeof(settings) = 'object'),
         ADD CONSTRAINT tenants_metadata_check CHECK (jsonb_typeof(metadata) = 'object'),
         ADD CONSTRAINT tenants_enabled_modules_check CHECK (array_position(enabled_modules, NULL) IS NULL AND
                                                             cardinality(enabled_modules) <= 100)`,
    ],
    `ALTER TABLE tenancy.tenants
       DROP CONSTRAINT tenants_industry_check, DROP CONSTRAINT tenants_region_check,
       DROP CONSTRAINT tenants_settings_check, DROP CONSTRAINT tenants_metadata_check,
       DROP CONSTRAINT tenants_enabled_modules_check`,
  ),
  constraintMessages('tenancy.tenants', {
    tenants_name_check: 'must not be empty',
    tenants_industry_check: 'must have at most 100 characters',
    tenants_region_check: 'must have at most 100 characters',
    tenants_settings_check: 'must be a JSON object',
    tenants_metadata_check: 'must be a JSON object',
    tenants_enabled_modules_check: 'must have at most 100 names',
  }),
])
