import { clockAhead } from '../../../kernel/clock'
import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate } from '../../../kernel/mutate'
import { rowPolicy } from '../../../kernel/policy'
import { revokeCachedSessions } from '../../../kernel/sign-in'
import { prepared } from '../../../kernel/statement'
import { Tenant } from '../entities/Tenant'
import type { Resolvers } from '../generated'
import { secondsTo } from '../rules/clock'
import { todayOf } from '../today'
import { requireCurrentCurrency } from '../unit-price'

/** A tenant sees itself only, whatever id it asks for. */
export const ownTenant = rowPolicy(Tenant, ['id'], (viewer) => [{ id: viewer.tenantId }])

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
    clock: needs(Tenant, ['aheadSeconds'], ({ aheadSeconds }, _, { services }) =>
      clockAhead(services.clock, aheadSeconds).now().toISOString(),
    ),
  },
}
