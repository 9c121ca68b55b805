import type { MutationTransaction } from '../../kernel/mutate'
import type { TenancyUserErrorCode } from './generated'

/** Fails with INVALID unless a text says in 1 to 500 characters why a document is taken back. */
export function requireReason(tx: MutationTransaction<TenancyUserErrorCode>, reason: string): void {
  if ([...reason].length > 500) tx.fail('INVALID', 'reason must have at most 500 characters', 'reason')
  if (reason.trim() === '') tx.fail('INVALID', 'reason must say why', 'reason')
}
