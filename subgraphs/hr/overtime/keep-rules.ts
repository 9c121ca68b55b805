import type { SubgraphContext } from '../../../kernel/context'
import type { MutationTransaction } from '../../../kernel/mutate'
import { OvertimeRule } from '../entities/OvertimeRule'
import type { HrUserErrorCode } from '../generated'
import { dayIn } from '../rules/zone-time'
import { lookAgain } from './look-again'

type Tx = MutationTransaction<HrUserErrorCode>

/** Says whose days begin first: Kiritimati (UTC+14). */
const earliestZone = 'Etc/GMT-14'

/** Ends the mutation when the rule holds somewhere on earth already: pay was counted by it. */
export async function requireNotBegun(
  { clock }: SubgraphContext,
  tx: Tx,
  { id, expectedVersion }: { id: string; expectedVersion: number },
): Promise<void> {
  const { validFrom, version } = await tx.find(OvertimeRule, id)
  // A version that nobody saw is not judged.
  if (version === expectedVersion && validFrom <= dayIn(earliestZone, clock.now()))
    tx.fail('WRONG_STATUS', `The rule holds since ${validFrom}: add one that holds from another day on`, 'id')
}

/** Has work be looked into again that a rule is added for afterwards. */
export async function applied(context: SubgraphContext, tx: Tx, rule: OvertimeRule): Promise<OvertimeRule> {
  if (rule.validFrom <= dayIn(earliestZone, context.clock.now()))
    await lookAgain(context, tx, { from: rule.validFrom })
  return rule
}
