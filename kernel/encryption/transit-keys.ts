import { unavailable } from '../errors'
import type { KeyProvider } from './key-provider'

/** Describes a key of a Transit engine (HashiCorp Vault, OpenBao). */
export interface TransitSettings {
  /** Of the server and the engine's mount, such as `https://vault.example:8200/v1/transit`. */
  url: string
  /** Names the key; it must be of a kind that takes associated data: aes256-gcm96. */
  key: string
  token: string
}

/** Milliseconds that one answer may take. */
const timeoutMs = 5_000

/** Wraps with a key that never leaves a key service. Its versions are the master keys, named `<key>:v<version>`. */
export function transitKeys({ url, key, token }: TransitSettings): KeyProvider {
  async function ask<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
    let response: Response
    try {
      response = await fetch(`${url.replace(/\/$/, '')}/${path}/${encodeURIComponent(key)}`, {
        method,
        headers: { 'x-vault-token': token, 'content-type': 'application/json' },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      })
    } catch (error) {
      throw unavailable(undefined, error)
    }
    if (response.status >= 500)
      throw unavailable(undefined, new Error(`The key service answers HTTP ${response.status}`))
    // Its messages may repeat what was sent.
    if (!response.ok) throw new Error(`The key service refused ${path} with ${key}: HTTP ${response.status}`)
    return ((await response.json()) as { data: T }).data
  }
  const associated = (place: string) => ({ associated_data: Buffer.from(place).toString('base64') })

  return {
    async currentKeyId() {
      const { latest_version: version } = await ask<{ latest_version: number }>('GET', 'keys')
      return `${key}:v${version}`
    },
    async wrap(plain, place) {
      const { ciphertext } = await ask<{ ciphertext: string }>('POST', 'encrypt', {
        plaintext: plain.toString('base64'),
        ...associated(place),
      })
      const version = /^vault:(v\d+):/.exec(ciphertext)?.[1]
      if (!version) throw new Error('The key service answered with something else than a wrapped key')
      return { masterKeyId: `${key}:${version}`, wrapped: ciphertext }
    },
    async unwrap({ masterKeyId, wrapped }, place) {
      if (!masterKeyId.startsWith(`${key}:v`))
        throw new Error(
          `The master key ${masterKeyId} is not a version of ${key}: name the key that it is of`,
        )
      const { plaintext } = await ask<{ plaintext: string }>('POST', 'decrypt', {
        ciphertext: wrapped,
        ...associated(place),
      })
      return Buffer.from(plaintext, 'base64')
    },
  }
}
