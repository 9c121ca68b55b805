import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { money } from '../../../kernel/money'
import { mutate } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { valueByKey } from '../../../kernel/query'
import { prepared } from '../../../kernel/statement'
import { LedgerAccount } from '../entities/LedgerAccount'
import { Posting } from '../entities/Posting'
import type { Resolvers } from '../generated'
import { generalChart, normalSideOf, sideOf } from '../rules/chart-of-accounts'

const defaultOrder = { property: 'code', direction: 'ASC' } as const
const findKnown = 'SELECT a.code_spelling, a.purpose FROM finance.ledger_accounts a WHERE a.tenant_id = $1'
const findBalance = `
  SELECT 1 FROM finance.postings p WHERE p.tenant_id = $1 AND p.account_id = $2
   GROUP BY p.currency HAVING sum(p.amount) <> 0 LIMIT 1`
const sumBalances = `
  SELECT asked.key, sum(p.amount)::text
    FROM unnest($2::text[], $3::uuid[], $4::text[], $5::date[]) AS asked (key, account_id, currency, as_of)
    JOIN finance.postings p ON p.tenant_id = $1 AND p.account_id = asked.account_id
     AND p.currency = asked.currency AND p.booked_on <= asked.as_of
   GROUP BY asked.key`
const balanceOf = valueByKey(sumBalances, '0', (context, keys) => {
  const columns = [0, 1, 2].map((part) => keys.map((key) => key.split(',')[part]))
  return [context.binding.tenantId, keys, ...columns]
})
/** The last day that can be posted on. */
const lastDay = '2999-12-31'

export const ledgerAccount: Resolvers = {
  Query: {
    ledgerAccount: (_, { id }, context, info) => load(context, LedgerAccount, id, info),
    ledgerAccounts: (_, args, context, info) => page(context, LedgerAccount, args, info, { defaultOrder }),
  },
  Mutation: {
    createLedgerAccount: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const normalSide = input.normalSide ?? normalSideOf(input.type)
        return { ledgerAccount: await tx.insert(LedgerAccount, { ...input, normalSide }) }
      }),
    updateLedgerAccount: (_, { input: { id, expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => ({
        ledgerAccount: await tx.update(LedgerAccount, id, expectedVersion, changes),
      })),
    closeLedgerAccount: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        const { purpose } = await tx.find(LedgerAccount, id)
        if (purpose) tx.fail('ACCOUNT_IN_USE', `It is the account for ${purpose}: give that to another`, 'id')
        // Locked above: who posts on it has ended, and who comes later sees that it is closed.
        const open = await tx.rows(prepared(findBalance, [context.binding.tenantId, id]))
        if (open.length > 0) tx.fail('ACCOUNT_IN_USE', 'It has a balance: post that to another account', 'id')
        return { ledgerAccount: await tx.update(LedgerAccount, id, expectedVersion, { isActive: false }) }
      }),
    reopenLedgerAccount: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => ({
        ledgerAccount: await tx.update(LedgerAccount, id, expectedVersion, { isActive: true }),
      })),
    importChartOfAccounts: (_, _args, context) =>
      mutate(context, async (tx) => {
        const rows = await tx.rows(prepared(findKnown, [context.binding.tenantId]))
        const known = new Set(rows.flat())
        const missing = generalChart.filter(
          (one) => !known.has(one.code) && !('purpose' in one && known.has(one.purpose)),
        )
        const added = await tx.insertAll(
          LedgerAccount,
          missing.map((one) => ({
            code: one.code,
            name: one.name,
            type: one.type,
            normalSide: sideOf(one),
            purpose: 'purpose' in one ? one.purpose : null,
          })),
        )
        return { ledgerAccounts: added }
      }),
  },
  LedgerAccount: {
    balance: needs(
      LedgerAccount,
      ['id'],
      async ({ id }, { asOf, currency }: { asOf?: string | null; currency: string }, context) =>
        money(await balanceOf(context, [id, currency, asOf ?? lastDay].join()), currency),
    ),
    postings: needs(LedgerAccount, ['id'], ({ id }, args, context, info) =>
      nested(context, Posting, 'accountId', id, args, info, {
        defaultOrder: { property: 'bookedOn', direction: 'DESC' },
      }),
    ),
  },
}
