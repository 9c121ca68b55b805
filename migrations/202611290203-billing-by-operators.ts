import { permissions } from './permissions'
import { migration } from './sql'

const writing = permissions({
  'tenancy:invoice:write': { allows: 'Draft, issue and void invoices, and note what is paid' },
})

/** Bills are the platform's to write, and to note as paid: whoever owes does not decide, so no scope of a tenant is about it. */
export const billingByOperators = migration(202611290203, 'billing-by-operators', [
  { up: writing.down, down: writing.up },
])
