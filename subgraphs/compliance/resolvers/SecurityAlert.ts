import type { SubgraphContext } from '../../../kernel/context'
import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { mutate, type MutationTransaction, type Values } from '../../../kernel/mutate'
import { nested, page } from '../../../kernel/page'
import { requireOwnHand } from '../../../kernel/second-person'
import { summary } from '../../../kernel/summary'
import { maskedNetwork, networkFault } from '../alerts/network'
import { raiseAlert } from '../alerts/raise'
import { AlertSuppression } from '../entities/AlertSuppression'
import { SecurityAlert } from '../entities/SecurityAlert'
import type { ComplianceUserErrorCode, Resolvers } from '../generated'
import { actOnAlert, mostSuppressedDays, type AlertAction } from '../rules/alert'

type Transaction = MutationTransaction<ComplianceUserErrorCode>

const day = 86_400_000

/** Does one step of the work on an alert, at the version that was seen. */
async function step(
  tx: Transaction,
  context: SubgraphContext,
  { id, expectedVersion }: { id: string; expectedVersion: number },
  action: AlertAction,
  changesOf: (alert: SecurityAlert) => Values<SecurityAlert> = () => ({}),
): Promise<{ securityAlert: SecurityAlert }> {
  const alert = await tx.find(SecurityAlert, id)
  const found = actOnAlert(alert, context.binding.actorId!, action)
  if ('fault' in found && alert.version === expectedVersion)
    tx.fail(found.fault.code, found.fault.message, 'id')
  if (alert.version === expectedVersion)
    await requireOwnHand(context, tx, [alert.userId], {
      ...{ code: 'OWN_RECORD', field: 'id' },
      isRecorded: action !== 'RESOLVE' && action !== 'REOPEN',
    })
  const status = 'fault' in found ? alert.status : found.status
  const changes = { status, ...changesOf(alert) }
  return { securityAlert: await tx.update(SecurityAlert, id, expectedVersion, changes) }
}

const verb =
  (action: AlertAction, changesOf?: (alert: SecurityAlert) => Values<SecurityAlert>) =>
  (_: object, { input }: { input: { id: string; expectedVersion: number } }, context: SubgraphContext) =>
    mutate(context, (tx: Transaction) => step(tx, context, input, action, changesOf))

const user = (id: string | null) => (id ? { id } : null)

export const securityAlert: Resolvers = {
  Query: {
    securityAlert: (_, { id }, context, info) => load(context, SecurityAlert, id, info),
    securityAlerts: (_, args, context, info) => page(context, SecurityAlert, args, info),
    securityAlertSummary: (_, args, context, info) => summary(context, SecurityAlert, args, info),
    alertSuppression: (_, { id }, context, info) => load(context, AlertSuppression, id, info),
    alertSuppressions: (_, args, context, info) => page(context, AlertSuppression, args, info),
  },
  Mutation: {
    raiseSecurityAlert: (_, { input }, context, info) => {
      const { idempotencyKey, fingerprint, ...seen } = input
      return mutate(
        context,
        async (tx) => {
          for (const field of ['sourceIp', 'destinationIp'] as const) {
            const fault = seen[field] ? networkFault(seen[field]) : null
            if (fault) tx.fail('INVALID', `${field} ${fault}`, field)
          }
          if (fingerprint && [...fingerprint].length > 200)
            tx.fail('INVALID', 'fingerprint must have at most 200 characters', 'fingerprint')
          const same = fingerprint || [seen.alertType, seen.sourceIp ?? '', seen.userId ?? ''].join(' ')
          const alert = { ...seen, fingerprint: same.slice(0, 200) }
          const id = await raiseAlert(tx, context.binding.tenantId!, alert, context.clock.now())
          return { securityAlert: id ? await tx.find(SecurityAlert, id) : null, isSuppressed: id === null }
        },
        { idempotencyKey, input, info },
      )
    },
    acknowledgeSecurityAlert: verb('ACKNOWLEDGE'),
    investigateSecurityAlert: verb('INVESTIGATE'),
    assignSecurityAlert: (_, { input }, context) =>
      mutate(context, (tx) =>
        step(tx, context, input, 'ASSIGN', (alert) => {
          if (input.assigneeId && input.assigneeId === alert.userId)
            tx.fail('OWN_RECORD', 'Somebody else must work on it: the alert is about this user', 'assigneeId')
          return { assigneeId: input.assigneeId }
        }),
      ),
    resolveSecurityAlert: (_, { input }, context) =>
      mutate(context, (tx) =>
        step(tx, context, input, 'RESOLVE', () => ({
          verdict: input.verdict,
          note: input.note,
          isThreat: input.verdict === 'TRUE_POSITIVE',
          resolvedById: context.binding.actorId!,
          resolvedAt: context.clock.now().toISOString(),
        })),
      ),
    reopenSecurityAlert: (_, { input }, context) =>
      mutate(context, (tx) =>
        step(tx, context, input, 'REOPEN', () => ({
          verdict: null,
          resolvedById: null,
          resolvedAt: null,
          reopenedAt: context.clock.now().toISOString(),
        })),
      ),
    createAlertSuppression: (_, { input }, context) =>
      mutate(context, async (tx) => {
        const ahead = Date.parse(input.until) - context.clock.now().getTime()
        if (ahead <= 0 || ahead > mostSuppressedDays * day)
          tx.fail(
            'INVALID',
            `until must be in the future, at most ${mostSuppressedDays} days from now`,
            'until',
          )
        return { alertSuppression: await tx.insert(AlertSuppression, input) }
      }),
    endAlertSuppression: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => {
        const { until } = await tx.find(AlertSuppression, id)
        const now = context.clock.now().toISOString()
        const ended = Date.parse(until) <= Date.parse(now) ? until : now
        return {
          alertSuppression: await tx.update(AlertSuppression, id, expectedVersion, { until: ended }),
        }
      }),
  },
  SecurityAlert: {
    sourceNetwork: needs(SecurityAlert, ['sourceIp'], ({ sourceIp }) => sourceIp && maskedNetwork(sourceIp)),
    user: needs(SecurityAlert, ['userId'], ({ userId }) => user(userId)),
    assignee: needs(SecurityAlert, ['assigneeId'], ({ assigneeId }) => user(assigneeId)),
    resolvedBy: needs(SecurityAlert, ['resolvedById'], ({ resolvedById }) => user(resolvedById)),
  },
  AlertSuppression: {
    createdBy: needs(AlertSuppression, ['createdById'], ({ createdById }) => user(createdById)),
  },
  User: {
    securityAlerts: ({ id }, args, context, info) => nested(context, SecurityAlert, 'userId', id, args, info),
  },
}
