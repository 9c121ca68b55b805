import type { SubgraphContext } from './context'
import { UserErrors } from './errors'
import { prepared } from './statement'

const faults: Readonly<Record<string, string>> = {
  SERVICE: 'A person must do this, no service account',
  HAND:
    'Somebody else must do this: within 30 days one person could use both your account and that of who is concerned. An account ' +
    'is in its owner’s hand when its password was set with requestPasswordReset',
}

/**
 * Ends a mutation that another person than these must do, if the viewer's account is a program's or in the hand of one of them: made,
 * invited or reset by them within 30 days. That the viewer is none of them the caller checks. Throws the user error `code` on `field`.
 * @param others users, by id; null stands for nobody
 * @param told `isPrepared` where they prepared what the viewer decides about: their accounts must not be in the viewer's hand either,
 * nor both in that of a third
 */
export async function requireOwnHand(
  { viewer, services }: SubgraphContext,
  tx: { rows(statement: { text: string; values?: readonly unknown[] }): Promise<unknown[][]> },
  others: readonly (string | null)[],
  told: { code: 'OWN_RECORD' | 'SECOND_PERSON_NEEDED'; field: string; isPrepared?: boolean },
): Promise<void> {
  const ids = others.filter((id) => id !== null)
  if (!viewer || ids.length === 0) return
  const values = [viewer.userId, ids, told.isPrepared ?? false, services.clock.now().toISOString()]
  const [row] = await tx.rows(prepared('SELECT shared.hand_fault($1, $2, $3, $4)', values))
  const fault = row?.[0]
  if (typeof fault !== 'string') return
  throw new UserErrors([{ code: told.code, message: faults[fault]!, field: [told.field] }])
}
