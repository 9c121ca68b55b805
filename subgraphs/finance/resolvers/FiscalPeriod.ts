import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate, type MutationTransaction } from '../../../kernel/mutate'
import { page } from '../../../kernel/page'
import { requireOwnHand } from '../../../kernel/second-person'
import { prepared } from '../../../kernel/statement'
import { FiscalPeriod } from '../entities/FiscalPeriod'
import type { FinanceUserErrorCode, Resolvers } from '../generated'
import { dayOf } from '../rules/entry'
import { firstDayOf, firstOf, nameOf, periodFault, type PeriodAction } from '../rules/period'

type Tx = MutationTransaction<FinanceUserErrorCode>

const defaultOrder = { property: 'startsOn', direction: 'DESC' } as const
const findMonths =
  'SELECT p.month FROM finance.fiscal_periods p WHERE p.tenant_id = $1 AND p.year = $2 ORDER BY p.month'
const findClosed = 'SELECT b.closed_before::text FROM finance.books b WHERE b.tenant_id = $1'
const findEarlierOpen = `
  SELECT p.starts_on::text FROM finance.fiscal_periods p
   WHERE p.tenant_id = $1 AND p.starts_on < $2 AND p.status <> 'CLOSED' ORDER BY p.starts_on LIMIT 1`
const findLaterClosed = `
  SELECT p.starts_on::text FROM finance.fiscal_periods p
   WHERE p.tenant_id = $1 AND p.starts_on > $2 AND p.status = 'CLOSED' ORDER BY p.starts_on DESC LIMIT 1`

/** The period, locked, when the viewer may do this with it; ends the mutation otherwise. */
async function periodFor(
  context: SubgraphContext,
  tx: Tx,
  { id, expectedVersion }: { id: string; expectedVersion: number },
  action: PeriodAction,
): Promise<FiscalPeriod> {
  const period = await tx.find(FiscalPeriod, id)
  const now = dayOf(context.clock.now().toISOString())
  const fault = periodFault(period, action, context.binding.actorId!, now)
  // A version that nobody saw is answered with STALE_VERSION by the update, not judged.
  if (fault && period.version === expectedVersion) tx.fail(fault.code, fault.message, 'id')
  const told = { code: 'SECOND_PERSON_NEEDED', field: 'id', isPrepared: true } as const
  if (period.version === expectedVersion) await requireOwnHand(context, tx, [firstOf(period, action)], told)
  return period
}

/** Periods are closed from the first to the last, and reopened from the last to the first. */
async function requireTurn(
  context: SubgraphContext,
  tx: Tx,
  period: FiscalPeriod,
  query: string,
  say: string,
) {
  const [found] = await tx.rows(prepared(query, [context.binding.tenantId, firstDayOf(period)]))
  if (found) tx.fail('INVALID_STATUS', `${String(found[0]).slice(0, 7)} ${say} ${nameOf(period)}`, 'id')
}

/** The columns of a period that nobody has closed. */
const open = {
  status: 'OPEN',
  softClosedById: null,
  softClosedAt: null,
  closedById: null,
  closedAt: null,
} as const

const userOf = (id: string | null) => (id ? { id } : null)

export const fiscalPeriod: Resolvers = {
  Query: {
    fiscalPeriod: (_, { id }, context, info) => load(context, FiscalPeriod, id, info),
    fiscalPeriods: (_, args, context, info) => page(context, FiscalPeriod, args, info, { defaultOrder }),
  },
  Mutation: {
    openFiscalYear: (_, { input: { year } }, context) =>
      mutate(context, async (tx) => {
        if (year < 1900 || year > 2999) tx.fail('INVALID', 'must be between 1900 and 2999', 'year')
        const { tenantId } = context.binding
        const [closed] = await tx.rows(prepared(findClosed, [tenantId]))
        const closedBefore = closed?.[0] as string | null | undefined
        if (closedBefore && firstDayOf({ year, month: 1 }) < closedBefore)
          tx.fail('PERIOD_CLOSED', `The books are closed before ${closedBefore}`, 'year')
        const known = new Set((await tx.rows(prepared(findMonths, [tenantId, year]))).flat())
        const missing = Array.from({ length: 12 }, (_month, place) => place + 1).filter(
          (one) => !known.has(one),
        )
        const opened = await tx.insertAll(
          FiscalPeriod,
          missing.map((month) => ({ year, month, status: 'OPEN' as const })),
        )
        return { fiscalPeriods: opened }
      }),
    softCloseFiscalPeriod: (_, { input }, context) =>
      mutate(context, async (tx) => {
        await periodFor(context, tx, input, 'SOFT_CLOSE')
        const softClosedAt = context.clock.now().toISOString()
        const changes = {
          status: 'SOFT_CLOSED',
          softClosedById: context.binding.actorId!,
          softClosedAt,
        } as const
        return { fiscalPeriod: await tx.update(FiscalPeriod, input.id, input.expectedVersion, changes) }
      }),
    closeFiscalPeriod: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const period = await periodFor(context, tx, input, 'CLOSE')
        await requireTurn(context, tx, period, findEarlierOpen, 'is closed before')
        const changes = {
          status: 'CLOSED',
          closedById: context.binding.actorId!,
          closedAt: context.clock.now().toISOString(),
          reopenRequestedById: null,
          reopenRequestedAt: null,
          reopenReason: null,
          reopenedById: null,
          reopenedAt: null,
        } as const
        return { fiscalPeriod: await tx.update(FiscalPeriod, input.id, input.expectedVersion, changes) }
      }),
    requestFiscalPeriodReopening: (_, { input }, context) =>
      mutate(context, async (tx) => {
        await periodFor(context, tx, input, 'ASK_TO_REOPEN')
        const changes = {
          reopenRequestedById: context.binding.actorId!,
          reopenReason: input.reopenReason,
        }
        const along = { reopenRequestedAt: context.clock.now().toISOString() }
        return {
          fiscalPeriod: await tx.update(FiscalPeriod, input.id, input.expectedVersion, changes, along),
        }
      }),
    reopenFiscalPeriod: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const period = await periodFor(context, tx, input, 'REOPEN')
        await requireTurn(context, tx, period, findLaterClosed, 'is reopened before')
        const reopenedAt = context.clock.now().toISOString()
        const changes = { ...open, reopenedById: context.binding.actorId!, reopenedAt }
        // What was softly closed nobody had to ask for.
        const asked = { reopenRequestedById: null, reopenRequestedAt: null, reopenReason: null }
        const whole = period.status === 'CLOSED' ? changes : { ...changes, ...asked }
        return { fiscalPeriod: await tx.update(FiscalPeriod, input.id, input.expectedVersion, whole) }
      }),
  },
  FiscalPeriod: {
    softClosedBy: needs(FiscalPeriod, ['softClosedById'], (row) => userOf(row.softClosedById)),
    closedBy: needs(FiscalPeriod, ['closedById'], (row) => userOf(row.closedById)),
    reopenRequestedBy: needs(FiscalPeriod, ['reopenRequestedById'], (row) => userOf(row.reopenRequestedById)),
    reopenedBy: needs(FiscalPeriod, ['reopenedById'], (row) => userOf(row.reopenedById)),
  },
}
