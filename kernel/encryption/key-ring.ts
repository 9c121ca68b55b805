import { randomBytes } from 'node:crypto'
import { keyBytes, open, seal } from './cipher'
import type { KeyProvider } from './key-provider'

const entry = /^([A-Za-z0-9._-]{1,64}):([A-Za-z0-9+/_-]{43}=?)$/

/**
 * Master keys from text: `name:key` with commas or line breaks between, a key being 32 bytes in Base64. The first one
 * wraps, the others unwrap what was wrapped before it came.
 * @throws Error worded to follow the variable's name; it never repeats a key
 */
export function readKeyRing(text: string): ReadonlyMap<string, Buffer> {
  const wanted = 'must be name:key,… with 32 bytes in Base64 as key (openssl rand -base64 32)'
  const keys = new Map<string, Buffer>()
  for (const part of text.split(/[,\n]/).map((one) => one.trim())) {
    if (part === '' || part.startsWith('#')) continue
    const [, name, encoded] = entry.exec(part) ?? []
    const key = Buffer.from(encoded ?? '', 'base64')
    if (!name || key.length !== keyBytes) throw new Error(wanted)
    if (keys.has(name)) throw new Error(`names the key ${name} twice`)
    keys.set(name, key)
  }
  if (keys.size === 0) throw new Error(wanted)
  return keys
}

/** A new key ring's text, with one key named by the day. */
export function newKeyRing(now: Date): string {
  return `${now.toISOString().slice(0, 10)}:${randomBytes(keyBytes).toString('base64')}\n`
}

/** Wraps with master keys in this process's memory. */
export function keyRing(keys: ReadonlyMap<string, Buffer>): KeyProvider {
  const current = [...keys.keys()][0]!
  const keyOf = (name: string): Buffer => {
    const key = keys.get(name)
    if (!key) throw new Error(`The master key ${name} is not in the key ring: add it behind the others`)
    return key
  }
  return {
    currentKeyId: async () => current,
    wrap: async (key, place) => ({
      masterKeyId: current,
      wrapped: seal(keyOf(current), place, key).toString('base64url'),
    }),
    async unwrap({ masterKeyId, wrapped }, place) {
      const master = keyOf(masterKeyId)
      try {
        return open(master, place, Buffer.from(wrapped, 'base64url'))
      } catch {
        throw new Error(
          `A data key does not open with the master key ${masterKeyId}: it was changed or moved`,
        )
      }
    },
  }
}
