import { join } from 'node:path'
import type { Config } from '../process/config'
import { makeKeyFile, readKeyFile } from '../process/key-file'
import { DataKeys } from './data-keys'
import type { KeyProvider } from './key-provider'
import { keyRing, newKeyRing, readKeyRing } from './key-ring'
import { transitKeys } from './transit-keys'

/** Describes what the configuration says of master keys. */
export type KeySettings = Pick<
  Config,
  'dataDir' | 'nodeEnv' | 'encryptionKeys' | 'encryptionKeyFile' | 'encryptionTransit'
>

/**
 * The data keys behind the configured master keys: those of the environment, of a file, or of a key service. Where none is
 * configured a key is made in `keys/encryption.keys` in the data directory on first start, but not in production: there it
 * would lie beside what it protects.
 * @param say gets a line when a key was made
 * @throws Error that says what to do
 */
export function openDataKeys(config: KeySettings, say: (message: string) => void): DataKeys {
  return new DataKeys(providerOf(config, say))
}

function providerOf(config: KeySettings, say: (message: string) => void): KeyProvider {
  if (config.encryptionTransit) return transitKeys(config.encryptionTransit)
  if (config.encryptionKeys) return keyRing(readKeyRing(config.encryptionKeys))
  if (config.encryptionKeyFile)
    return keyRing(keysInFile(config.encryptionKeyFile) ?? missing(config.encryptionKeyFile))
  const file = join(config.dataDir, 'keys', 'encryption.keys')
  if (config.nodeEnv === 'production')
    throw new Error(
      'Set ENCRYPTION_KEYS, ENCRYPTION_KEY_FILE or ENCRYPTION_TRANSIT_URL: in production no key for encrypted columns is made, because it would lie beside the data. docs/runbooks/encryption-keys.md shows how to make one.',
    )
  const known = keysInFile(file)
  if (known) return keyRing(known)
  if (makeKeyFile(file, newKeyRing(new Date())))
    say(`made a key for encrypted columns in ${file}: keep a copy of it, without it they cannot be read`)
  return keyRing(keysInFile(file) ?? missing(file))
}

function missing(file: string): never {
  throw new Error(`The encryption keys in ${file} cannot be used: there is no such file.`)
}

/** Null where there is no such file. */
function keysInFile(file: string): ReadonlyMap<string, Buffer> | null {
  const unusable = (why: string) =>
    new Error(`The encryption keys in ${file} cannot be used: the file ${why}.`)
  const ifOthersRead = 'rotate the keys if others had access'
  const text = readKeyFile(file, { tooOpen: 0o037, ifOthersRead, unusable })
  if (text === null) return null
  try {
    return readKeyRing(text)
  } catch (error) {
    throw unusable(`${(error as Error).message}. Restore it: what it encrypted cannot be read without it`)
  }
}
