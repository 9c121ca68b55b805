/** Says how long an invitation can be accepted. */
export const invitationMs = 7 * 24 * 60 * 60_000

/** Describes what of a user decides about an invitation. */
export interface Invitation {
  status: string
  invitationHash: string | null
  /** An instant, ISO 8601. */
  invitationExpiresAt: string | null
}

/** Describes what of a user tells whether others may know a secret that lets them in. */
export interface Secrets {
  passwordHash: string | null
  passwordChangeRequired: boolean
  invitationHash: string | null
}

/**
 * Tells whether somebody else may know what lets this user in: whoever invited the user, or chose the first password.
 * Such a secret ends when the user gains rights, or it would be worth more than what its maker was trusted with.
 */
export function isKnownToOthers(user: Secrets): boolean {
  return user.invitationHash !== null || (user.passwordHash !== null && user.passwordChangeRequired)
}

/** A suspended user may sign in again; a person who has no password of their own choice is invited again. */
export function statusWhenReactivated(
  user: Pick<Secrets, 'passwordHash' | 'passwordChangeRequired'> & { kind: 'PERSON' | 'SERVICE' },
): 'ACTIVE' | 'INVITED' {
  if (user.kind === 'SERVICE') return 'ACTIVE'
  return user.passwordHash === null || user.passwordChangeRequired ? 'INVITED' : 'ACTIVE'
}

/** The hash of the secret that accepts the invitation now; null when none does. */
export function acceptingHash(invitation: Invitation, now: Date): string | null {
  const { status, invitationHash, invitationExpiresAt } = invitation
  if (status !== 'INVITED' || invitationExpiresAt === null) return null
  return now.getTime() < Date.parse(invitationExpiresAt) ? invitationHash : null
}
