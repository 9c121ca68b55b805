import { join } from 'node:path'
import type { Config } from '../process/config'
import { keptKeys, privateKeyFromJwk, publicKeysFromJwks, tokenKeys } from '../sign-in/token-keys'
import type { AuditKeys } from './statements'

/**
 * The keys of the audit trail: those of the configuration, or `keys/audit.json` in the data directory, made on first use.
 * Keys of their own: who may sign sessions is not who vouches for the past.
 * @throws Error that says what to do when the file cannot be used
 */
export function loadAuditKeys(
  config: Pick<Config, 'dataDir' | 'auditPrivateKey' | 'auditPublicKeys'>,
): AuditKeys {
  const { auditPrivateKey, auditPublicKeys, dataDir } = config
  if (!auditPrivateKey && !auditPublicKeys)
    return keptKeys(join(dataDir, 'keys', 'audit.json'), 'what was signed until then counts no more')
  const others = auditPublicKeys ? publicKeysFromJwks(auditPublicKeys) : []
  return tokenKeys(auditPrivateKey ? privateKeyFromJwk(auditPrivateKey) : null, others)
}
