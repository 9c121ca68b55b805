import type { Clock } from '../clock'
import type { SubgraphContext, Viewer } from '../context'
import { ApiError, unauthenticated } from '../errors'

/** Says for how long a proof of who somebody is counts where a recent one is asked for. */
const stepUpMs = 10 * 60_000

/** The instant, ISO 8601, until which a proof of this instant, milliseconds since 1970, counts. */
export const provedUntil = (provedAt: number): string => new Date(provedAt + stepUpMs).toISOString()

/** The error for a viewer who has not proved lately who they are, by signing in or by `stepUp`; null for one who has. */
export function stepUpFault({ provedAt }: Viewer, clock: Clock): ApiError | null {
  if (provedAt !== undefined && clock.now().getTime() - provedAt < stepUpMs) return null
  const next = 'call stepUp with your password or a code, then send this again'
  return new ApiError('STEP_UP_REQUIRED', `Prove again who you are: ${next}`)
}

/**
 * Demands a recent proof where only a part of what a mutation can do asks for one; the whole says `@stepUp`.
 *
 * @throws ApiError STEP_UP_REQUIRED
 */
export function requireStepUp({ viewer, services }: SubgraphContext): void {
  if (!viewer) throw unauthenticated()
  const fault = stepUpFault(viewer, services.clock)
  if (fault) throw fault
}
