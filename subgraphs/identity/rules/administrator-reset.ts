const hour = 3_600_000

/** Says how long the owner of an account can stop that it goes to another address, before a second operator may agree. */
export const waitMs = 24 * hour

/** Says how long a second operator may agree from then on. */
export const openMs = 72 * hour

/** Describes what is known of a request when a second operator agrees to it. */
export interface AgreedReset {
  newEmail: string
  requestedById: string
  /** Instants, ISO 8601. */
  createdAt: string
  opensAt: string
  expiresAt: string
}

/** Describes who agrees, to what, and whether the owner came in meanwhile. */
export interface Agreement {
  operatorId: string
  email: string
  /** When one of the owner's sessions was last used, an instant; null when none was. */
  lastSeenAt: string | null
  /** Since when the tenant is active, an instant; null while it is not: nobody there can come in, or be told by what they see. */
  activeSince: string | null
  now: Date
}

/** Returns why a second operator cannot agree; null when nothing is against it. */
export function agreementFault(
  reset: AgreedReset | null,
  { operatorId, email, lastSeenAt, activeSince, now }: Agreement,
): {
  code: 'ADMINISTRATOR_RESET_ENDED' | 'SECOND_PERSON_NEEDED' | 'WAITING' | 'NOT_LOCKED_OUT'
  message: string
} | null {
  // Another address than was asked for is another request: who agrees says to what.
  if (!reset || reset.newEmail !== email || now.getTime() >= Date.parse(reset.expiresAt))
    return {
      code: 'ADMINISTRATOR_RESET_ENDED',
      message:
        'Nobody asked for this, it was stopped, or it took too long: ask with requestLoneAdministratorReset',
    }
  if (reset.requestedById === operatorId)
    return { code: 'SECOND_PERSON_NEEDED', message: 'Another operator must agree: you asked for it' }
  if (now.getTime() < Date.parse(reset.opensAt))
    return { code: 'WAITING', message: `The owner can stop it until ${reset.opensAt}` }
  // Whoever shuts a tenant keeps its owner from coming in: the wait begins again.
  if (activeSince === null)
    return {
      code: 'WAITING',
      message: 'The tenant is shut: its owner has a day from when it is active again',
    }
  const opensAgainAt = Date.parse(activeSince) + waitMs
  if (Date.parse(activeSince) > Date.parse(reset.createdAt) && now.getTime() < opensAgainAt)
    return {
      code: 'WAITING',
      message: `The tenant was shut meanwhile: the owner can stop it until ${new Date(opensAgainAt).toISOString()}`,
    }
  if (lastSeenAt !== null && Date.parse(lastSeenAt) >= Date.parse(reset.createdAt))
    return {
      code: 'NOT_LOCKED_OUT',
      message: 'The administrator used a session since this was asked for, so is not locked out',
    }
  return null
}
