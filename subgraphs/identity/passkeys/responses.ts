import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'

/** Answer of a browser to a challenge, as far as it can be read; whether it is true is another question. */
export interface Told<Response> {
  response: Response
  /** Base64url. */
  challenge: string
}

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (value: unknown): value is string => typeof value === 'string'

/** Base64url in the spelling that all decoders read alike: of other characters one skips what the next takes for zero bits. */
const isBase64Url = (value: unknown): value is string => isText(value) && /^[\w-]+$/.test(value)

/**
 * The challenge of a `clientDataJSON`; null when it cannot be read, and for a page in a frame of another one: there a
 * stranger's page would have people sign what they cannot see.
 */
function challengeOf(clientDataJSON: string): string | null {
  try {
    const data: unknown = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString('utf8'))
    if (!isObject(data) || !isText(data['challenge'])) return null
    return (data['crossOrigin'] ?? false) === false && data['topOrigin'] === undefined
      ? data['challenge']
      : null
  } catch {
    return null
  }
}

/** The answer of `navigator.credentials`, by its `toJSON()`, when it has these texts; null for anything else. */
function read(value: unknown, texts: readonly string[]): { inner: Json; challenge: string } | null {
  if (!isObject(value) || !isBase64Url(value['id']) || value['id'].length > 1364) return null
  const inner = value['response']
  if (!isObject(inner) || !['clientDataJSON', ...texts].every((name) => isBase64Url(inner[name]))) return null
  const challenge = challengeOf(inner['clientDataJSON'] as string)
  return challenge === null ? null : { inner, challenge }
}

/** A new passkey as the browser tells it; null for what is none. */
export function registrationOf(value: unknown): Told<RegistrationResponseJSON> | null {
  const told = read(value, ['attestationObject'])
  return told && { response: value as RegistrationResponseJSON, challenge: told.challenge }
}

/** A signature of a passkey as the browser tells it; null for what is none. */
export function assertionOf(value: unknown): Told<AuthenticationResponseJSON> | null {
  const told = read(value, ['authenticatorData', 'signature'])
  const handle = told?.inner['userHandle'] ?? ''
  if (!told || (handle !== '' && !isBase64Url(handle))) return null
  return { response: value as AuthenticationResponseJSON, challenge: told.challenge }
}

/** Ways by which browsers reach an authenticator, of the words that WebAuthn has for it. */
export function transportsOf({ response }: RegistrationResponseJSON): string[] {
  const told: unknown = response.transports
  const known = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb']
  return Array.isArray(told) ? known.filter((one) => told.includes(one)) : []
}
