import { constraintMessages } from './constraint-messages'
import { migration, sql } from './sql'

/** Written anew: a change of the column's type leaves its casts in the condition. */
const check = 'tenants_enabled_modules_check'
const withoutCheck = `ALTER TABLE tenancy.tenants DROP CONSTRAINT ${check}`
const withCheck = `ALTER TABLE tenancy.tenants ADD CONSTRAINT ${check}
  CHECK (array_position(enabled_modules, NULL) IS NULL AND cardinality(enabled_modules) <= 100)`
const message = constraintMessages('tenancy.tenants', { [check]: 'must have at most 100 names' }).up
const modules = (type: string) => `ALTER TABLE tenancy.tenants ALTER COLUMN enabled_modules TYPE ${type}`

/** The longest description of a role, and the longest name in a tenant's list of modules. */
export const boundedTexts = migration(202611281325, 'bounded-texts', [
  sql(
    'ALTER TABLE identity.roles ALTER COLUMN description TYPE varchar(2000)',
    'ALTER TABLE identity.roles ALTER COLUMN description TYPE text',
  ),
  sql(
    [withoutCheck, modules('varchar(100)[]'), withCheck, ...message],
    [withoutCheck, modules('text[]'), withCheck, ...message],
  ),
])
