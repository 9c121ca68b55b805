/** How long an invitation can be accepted. */
export const invitationMs = 7 * 24 * 60 * 60_000

/** What of a user decides about an invitation. */
export interface Invitation {
  status: string
  invitationHash: string | null
  /** An instant, ISO 8601. */
  invitationExpiresAt: string | null
}

/** A suspended user may sign in again; one who never had a password is invited again, and so is one who lost it. */
export function statusWhenReactivated(user: { passwordHash: string | null }): 'ACTIVE' | 'INVITED' {
  return user.passwordHash === null ? 'INVITED' : 'ACTIVE'
}

/** The hash of the secret that accepts the invitation now; null when none does. */
export function acceptingHash(invitation: Invitation, now: Date): string | null {
  const { status, invitationHash, invitationExpiresAt } = invitation
  if (status !== 'INVITED' || invitationExpiresAt === null) return null
  return now.getTime() < Date.parse(invitationExpiresAt) ? invitationHash : null
}
