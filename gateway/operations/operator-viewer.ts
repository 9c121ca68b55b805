import type { Clock } from '../../kernel/clock'
import type { Database } from '../../kernel/connection/database'
import { verifyOperatorToken, type OperatorTokenClaims } from '../../kernel/sign-in/operator-token'
import type { TokenKeys } from '../../kernel/sign-in/token-keys'
import type { Asking } from './asking'

/** The states of operators' sessions and entries: asked of the database with each request, so that an end acts at once. */
export function operatorStates({
  keys,
  issuer,
  database,
  clock,
}: {
  keys: TokenKeys
  issuer: string
  /** Opened as role `app_gateway`. */
  database: Database
  clock: Clock
}): {
  /** @throws AccessTokenError */
  verify: (token: string) => OperatorTokenClaims
  /** Finds who asks; null when the session or the entry has ended. */
  of: (claims: OperatorTokenClaims, requestId: string) => Promise<Asking | null>
} {
  return {
    verify: (token) => verifyOperatorToken(keys, issuer, token, clock),
    async of({ operatorId, sessionId, entry }, requestId) {
      const [row] = await database.rows(
        { tenantId: null, actorId: operatorId, requestId },
        {
          name: 'gateway_operator_viewer',
          text: 'SELECT operator_id, scopes, tenant_scopes, seconds_ahead FROM shared.operator_viewer($1, $2, $3, $4)',
          values: [sessionId, entry?.tenantId ?? null, entry?.entryId ?? null, clock.now().toISOString()],
        },
      )
      const [id, scopes, tenantScopes, ahead] = (row ?? []) as [string, string[], string[], number]
      if (id !== operatorId) return null
      const operator = { operatorId, sessionId, scopes: new Set(scopes), entryId: entry?.entryId ?? null }
      const asking = { userId: operatorId, sessionId: null, permissionVersion: 0, operator }
      if (!entry) return { ...asking, tenantId: null, scopes: new Set() }
      const { tenantId } = entry
      return { ...asking, tenantId, scopes: new Set(tenantScopes), secondsAhead: ahead || undefined }
    },
  }
}
