import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { money, moneyColumns } from '../../../kernel/money'
import { mutate } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { summary } from '../../../kernel/summary'
import { Customer } from '../entities/Customer'
import { CustomerInteraction } from '../entities/CustomerInteraction'
import { eraseCustomer, notErased } from '../erasure'
import type { CreateCustomerInput, Resolvers } from '../generated'
import { normalEmail } from '../rules/email'
import { latestFirst } from './CustomerInteraction'

/** The columns for what an input says of a customer. */
function columns<T extends Pick<CreateCustomerInput, 'email' | 'fullName' | 'lifetimeValue'>>(input: T) {
  const { email, fullName, lifetimeValue, ...values } = input
  return {
    ...values,
    email: normalEmail(email),
    fullNameOverride: fullName,
    ...moneyColumns(lifetimeValue, 'lifetimeValue', 'lifetimeValueCurrency'),
  }
}

export const customer: Resolvers = {
  Query: {
    customer: (_, { id }, context, info) => load(context, Customer, id, info),
    customers: (_, args, context, info) => page(context, Customer, args, info),
    customerSummary: (_, args, context, info) => summary(context, Customer, args, info),
  },
  Mutation: {
    createCustomer: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const now = context.clock.now()
        const firstSeenAt = input.firstSeenAt ?? now.toISOString()
        if (Date.parse(firstSeenAt) > now.getTime() + 5 * 60_000)
          tx.fail('INVALID', 'firstSeenAt must not be in the future', 'firstSeenAt')
        const seen = { firstSeenAt, lastSeenAt: input.lastSeenAt ?? firstSeenAt }
        return { customer: await tx.insert(Customer, { ...columns(input), ...seen }) }
      }),
    updateCustomer: (_, { input: { id, expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => ({
        customer: notErased(tx, await tx.update(Customer, id, expectedVersion, columns(changes))),
      })),
    deactivateCustomer: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => ({
        customer: await tx.update(Customer, id, expectedVersion, { isActive: false }),
      })),
    reactivateCustomer: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => ({
        customer: notErased(tx, await tx.update(Customer, id, expectedVersion, { isActive: true })),
      })),
    eraseCustomer: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => ({ customer: await eraseCustomer(context, tx, id, expectedVersion) })),
  },
  Customer: {
    fullName: needs(Customer, ['fullName', 'fullNameOverride'], (row) => row.fullName),
    lifetimeValue: needs(Customer, ['lifetimeValue', 'lifetimeValueCurrency'], (row) =>
      money(row.lifetimeValue, row.lifetimeValueCurrency),
    ),
    interactions: ({ id }, args, context, info) =>
      nested(context, CustomerInteraction, 'customerId', id, args, info, latestFirst),
  },
  Tenant: {
    customers: ({ id }, args, context, info) => nested(context, Customer, 'tenantId', id, args, info),
  },
}
