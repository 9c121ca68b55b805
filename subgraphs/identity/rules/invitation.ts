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

/** Whether the token whose secret has this hash can be accepted now. */
export function isOpen(invitation: Invitation, hash: string, now: Date): boolean {
  const { status, invitationHash, invitationExpiresAt } = invitation
  if (status !== 'INVITED' || invitationHash === null || invitationExpiresAt === null) return false
  return invitationHash === hash && now.getTime() < Date.parse(invitationExpiresAt)
}
