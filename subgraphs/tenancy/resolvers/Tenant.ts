import { clockAhead } from '../../../kernel/clock'
import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { valueByKey } from '../../../kernel/query'
import { rowPolicy } from '../../../kernel/policy'
import { revokeCachedSessions } from '../../../kernel/sign-in'
import { prepared } from '../../../kernel/statement'
import { policyOf, shownLevels } from '../dunning'
import { TaxProfile } from '../entities/TaxProfile'
import { Tenant } from '../entities/Tenant'
import type { Resolvers } from '../generated'
import { mutateInEntry } from '../in-entry'
import { secondsTo } from '../rules/clock'
import type { TaxTreatment } from '../rules/tax'
import { todayOf } from '../today'
import { requireCurrentCurrency } from '../unit-price'

/** A tenant sees itself only, whatever id it asks for. */
export const ownTenant = rowPolicy(Tenant, ['id'], (viewer) => [{ id: viewer.tenantId }])

const taxesOf = valueByKey<{ validFrom: string; treatment: TaxTreatment; rate: string }[]>(
  `SELECT p.tenant_id, jsonb_agg(jsonb_build_object('validFrom', p.valid_from, 'treatment', p.treatment,
            'rate', trim_scale(p.rate)::text, 'taxId', p.tax_id, 'reason', p.reason) ORDER BY p.valid_from)
     FROM (SELECT DISTINCT ON (tenant_id, valid_from) * FROM tenancy.tax_profiles
            WHERE tenant_id = $1 AND tenant_id = ANY ($2) ORDER BY tenant_id, valid_from, revision DESC) p
    GROUP BY p.tenant_id`,
  [],
)

const findDecided = `
  SELECT count(*)::int, count(*) FILTER (WHERE valid_from = $2)::int,
         (SELECT max(l.tax_on)::text FROM tenancy.invoice_lines l
            JOIN tenancy.invoices i ON i.tenant_id = l.tenant_id AND i.id = l.invoice_id
           WHERE l.tenant_id = $1 AND i.tenant_id = $1 AND i.status IN ('ISSUED', 'PARTLY_PAID', 'PAID'))
    FROM tenancy.tax_profiles WHERE tenant_id = $1`

const mend = 'to mend what was decided, set isCorrection'

export const tenant: Resolvers = {
  Query: {
    tenant: (_, _args, context, info) => load(context, Tenant, context.binding.tenantId, info),
  },
  Mutation: {
    updateTenant: (_, { input: { expectedVersion, ...changes } }, context) =>
      mutate(context, async (tx) => {
        const { defaultCurrency } = changes
        if (defaultCurrency) requireCurrentCurrency(defaultCurrency, todayOf(context), ['defaultCurrency'])
        return { tenant: await tx.update(Tenant, context.binding.tenantId!, expectedVersion, changes) }
      }),
    setTenantTax: (_, { input: { rate = '0', isCorrection, ...values } }, context) =>
      mutateInEntry(context, 'SET_TENANT_TAX', async (tx) => {
        const today = todayOf(context)
        const validFrom = values.validFrom ?? today
        const statement = prepared(findDecided, [context.binding.tenantId, validFrom])
        const [[known, ofTheDay, billed]] = (await tx.rows(statement)) as [[number, number, string | null]]
        if (!isCorrection && known > 0) {
          if (validFrom < today) tx.fail('INVALID', `validFrom must not be in the past: ${mend}`, 'validFrom')
          if (ofTheDay === 0 && billed !== null && validFrom <= billed)
            tx.fail(
              'INVALID',
              `validFrom must be after ${billed}, whose tax was billed: ${mend}`,
              'validFrom',
            )
        }
        const revision = isCorrection ? ofTheDay : 0
        return { tax: await tx.insert(TaxProfile, { ...values, rate, validFrom, revision }) }
      }),
    moveClock: (_, { input: { to } }, context) =>
      mutate(context, async (tx) => {
        const tenantId = context.binding.tenantId!
        const { clock, keyValue } = context.services
        const { isSandbox, aheadSeconds, version } = await tx.find(Tenant, tenantId)
        if (!isSandbox) tx.fail('NO_SANDBOX', 'This tenant is no sandbox: its time is the true one')
        const seconds = secondsTo(clock.now(), aheadSeconds, new Date(to))
        if (seconds === null)
          tx.fail(
            'INVALID',
            'Name a later instant than it is, at most ten years ahead of the true time',
            'to',
          )
        // Whoever is signed in is told the new time with the next request.
        const sessions = await tx.rows(
          prepared('SELECT shared.own_session_ids($1)', [clock.now().toISOString()]),
        )
        await revokeCachedSessions(
          keyValue,
          tenantId,
          sessions.map(([id]) => String(id)),
        )
        return { tenant: await tx.update(Tenant, tenantId, version, { aheadSeconds: seconds }) }
      }),
  },
  Tenant: {
    taxes: needs(Tenant, ['id'], ({ id }, _args, context) => taxesOf(context, id)),
    dunningLevels: needs(Tenant, ['id'], async ({ id }, _args, context) =>
      shownLevels(await policyOf(context, id)),
    ),
    clock: needs(Tenant, ['aheadSeconds'], ({ aheadSeconds }, _, { services }) =>
      clockAhead(services.clock, aheadSeconds).now().toISOString(),
    ),
  },
}
