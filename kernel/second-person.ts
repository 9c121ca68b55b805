import type { SubgraphContext } from './context'
import { UserErrors } from './errors'
import { prepared } from './statement'

const faults: Readonly<Record<string, string>> = {
  SERVICE: 'A person must do this, signed in: no service account, and no API key',
  HAND:
    'Somebody else must do this: within 30 days one person could use both your account and that of who is concerned. Who came ' +
    'in by an invitation, or with a first password, takes the account into the own hand alone by setting a password with ' +
    'requestPasswordReset',
}

interface Told {
  code: 'OWN_RECORD' | 'SECOND_PERSON_NEEDED'
  field: string
  /** Tells that they prepared it: their accounts must not be in the viewer's hand either, nor both in that of a third. */
  isPrepared?: boolean
  /** Tells that it decides nothing: a program may do it, unless it is in the hand of one of them. */
  isRecorded?: boolean
}

/**
 * Ends a mutation that another person than these must do, if the viewer's account is a program's, comes with an API key, or is in
 * the hand of one of them: made, invited or reset by them within 30 days. That the viewer is none of them the caller checks.
 * Throws the user error `code` on `field`.
 * @param others users, by id; null stands for nobody
 */
export async function requireOwnHand(
  { viewer, services }: SubgraphContext,
  tx: { rows(statement: { text: string; values?: readonly unknown[] }): Promise<unknown[][]> },
  others: readonly (string | null)[],
  { code, field, isPrepared = false, isRecorded = false }: Told,
): Promise<void> {
  const ids = others.filter((id) => id !== null)
  if (!viewer || ids.length === 0) return
  const fail = (fault: string) => new UserErrors([{ code, message: faults[fault]!, field: [field] }])
  if (viewer.apiKeyId && !isRecorded) throw fail('SERVICE')
  const values = [viewer.userId, ids, isPrepared, isRecorded, services.clock.now().toISOString()]
  const [row] = await tx.rows(prepared('SELECT shared.hand_fault($1, $2, $3, $4, $5)', values))
  const fault = row?.[0]
  if (typeof fault === 'string') throw fail(fault)
}
