import { migration, sql } from './sql'

const describe = (text: string) =>
  `UPDATE identity.permissions SET description = '${text}' WHERE name = 'tenancy:invoice:write'`

/** Bills are the platform's to write: what a tenant's people can be allowed is to note that they are paid. */
export const billingByOperators = migration(202611290203, 'billing-by-operators', [
  sql(
    [describe('Note what is paid of invoices')],
    [describe('Draft, issue and void invoices, and note what is paid')],
  ),
])
