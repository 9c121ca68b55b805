import {
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto'

/** An authenticator in software, as WebAuthn level 3 describes one, independent of the package that the product uses. */

interface CreationOptions {
  challenge: string
  rp: { id: string }
  user: { id: string }
}
interface RequestOptions {
  challenge: string
  rpId: string
}

/** What a forger changes of what an honest authenticator and browser would say. */
export interface Forgery {
  origin?: string
  rpId?: string
  type?: string
  challenge?: string
  crossOrigin?: boolean
  isUnverified?: boolean
  isAbsent?: boolean
  counter?: number
  userHandle?: string
  /** Signs in its place. */
  key?: KeyObject
}

/** What else may stand in a registration. */
export interface Registration extends Forgery {
  /** Of the attestation: `none` unless said, `packed` with a signature. */
  format?: string
  /** Signed by the maker in place of the key itself. */
  isCertified?: boolean
  id?: Buffer
}

/** The certificate of a maker of authenticators that nobody knows, good for a hundred years, and its key. */
const maker = {
  certificate: Buffer.from(
    [
      'MIIB8TCCAZigAwIBAgIUTMP4UMXT97XZFSU01Quy0eW1Z2owCgYIKoZIzj0EAwIwTzELMAkGA1UEBhMCREUxDTALBgNVBAoMBFRlc3QxIjAgBg',
      'NVBAsMGUF1dGhlbnRpY2F0b3IgQXR0ZXN0YXRpb24xDTALBgNVBAMMBFRlc3QwIBcNMjYxMTI5MDcxMzA0WhgPMjEyNjExMDUwNzEzMDRaME8x',
      'CzAJBgNVBAYTAkRFMQ0wCwYDVQQKDARUZXN0MSIwIAYDVQQLDBlBdXRoZW50aWNhdG9yIEF0dGVzdGF0aW9uMQ0wCwYDVQQDDARUZXN0MFkwEw',
      'YHKoZIzj0CAQYIKoZIzj0DAQcDQgAEJH5o4TCJKaOEIaFFA8C/2yf62EXuZ4vK+IVw4FAI5JiFGcQ0rMNKWw8jBkSouLNizknd//rYQRD3UBVO',
      'vYzZIaNQME4wHQYDVR0OBBYEFPkMrUUkyCSn1qPKhvCi7ChdbEv0MB8GA1UdIwQYMBaAFPkMrUUkyCSn1qPKhvCi7ChdbEv0MAwGA1UdEwEB/w',
      'QCMAAwCgYIKoZIzj0EAwIDRwAwRAIgFq2VYGwc43HS/IgfV7c54GNUfk+Ki+/pdxty4xSkLKYCIA5qVf3bnOGJ3lcNCfFiP04YYrcF/gKzplB+',
      '7ogqKJwQ',
    ].join(''),
    'base64',
  ),
  key: createPrivateKey({
    key: Buffer.from(
      'MHcCAQEEIC9JZmCjRo4l2gLjOmN43WnHK2RJNDqkcEwfD+OoTrQJoAoGCCqGSM49AwEHoUQDQgAEJH5o4TCJKaOEIaFFA8C/2yf62EXuZ4vK+IVw4FAI5JiFGcQ0rMNKWw8jBkSouLNizknd//rYQRD3UBVOvYzZIQ==',
      'base64',
    ),
    ...{ format: 'der', type: 'sec1' },
  }),
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest()
const base64 = (data: Buffer | string) => Buffer.from(data).toString('base64url')

/** The head of a CBOR item (RFC 8949, section 3). */
function head(major: number, size: number): Buffer {
  if (size < 24) return Buffer.from([(major << 5) | size])
  return size < 256
    ? Buffer.from([(major << 5) | 24, size])
    : Buffer.from([(major << 5) | 25, size >> 8, size & 255])
}
const integer = (value: number) => (value < 0 ? head(1, -1 - value) : head(0, value))
const bytes = (value: Buffer) => Buffer.concat([head(2, value.length), value])
const text = (value: string) => Buffer.concat([head(3, value.length), Buffer.from(value)])
const map = (entries: readonly (readonly [Buffer, Buffer])[]) =>
  Buffer.concat([head(5, entries.length), ...entries.flat()])

const counterOf = (value: number) => {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32BE(value)
  return buffer
}

export class SoftPasskey {
  readonly id = randomBytes(32)
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  #counter = 0
  #userHandle = ''

  /** @param counts whether it counts its signatures, as keys do that are plugged in; those that are synchronised do not */
  constructor(
    readonly origin: string,
    readonly counts = true,
  ) {}

  get counter(): number {
    return this.#counter
  }

  #clientData(type: string, challenge: string, forged: Forgery): Buffer {
    const { origin = this.origin, crossOrigin = false } = forged
    return Buffer.from(
      JSON.stringify({
        ...{ type: forged.type ?? type, challenge: forged.challenge ?? challenge, origin, crossOrigin },
      }),
    )
  }

  #authenticatorData(rpId: string, forged: Forgery, attested?: Buffer): Buffer {
    const synchronised = this.counts ? 0 : 0x18
    const flags =
      (forged.isAbsent ? 0 : 1) | (forged.isUnverified ? 0 : 4) | synchronised | (attested ? 0x40 : 0)
    if (this.counts && forged.counter === undefined) this.#counter += 1
    const counter = counterOf(forged.counter ?? this.#counter)
    return Buffer.concat([
      sha256(forged.rpId ?? rpId),
      Buffer.from([flags]),
      counter,
      ...(attested ? [attested] : []),
    ])
  }

  #publicKey(): Buffer {
    const { x, y } = this.#keys.publicKey.export({ format: 'jwk' })
    return map([
      [integer(1), integer(2)],
      [integer(3), integer(-7)],
      [integer(-1), integer(1)],
      [integer(-2), bytes(Buffer.from(x!, 'base64url'))],
      [integer(-3), bytes(Buffer.from(y!, 'base64url'))],
    ])
  }

  /** What `navigator.credentials.create` gives, by its `toJSON()`. */
  create(options: CreationOptions, forged: Registration = {}) {
    this.#userHandle = options.user.id
    const id = forged.id ?? this.id
    const attested = Buffer.concat([
      ...[Buffer.alloc(16), Buffer.from([id.length >> 8, id.length & 255]), id, this.#publicKey()],
    ])
    const authData = this.#authenticatorData(options.rp.id, forged, attested)
    const clientData = this.#clientData('webauthn.create', options.challenge, forged)
    const signed = Buffer.concat([authData, sha256(clientData)])
    const key = forged.isCertified ? maker.key : this.#keys.privateKey
    const statement: [Buffer, Buffer][] = [
      [text('alg'), integer(-7)],
      [text('sig'), bytes(sign('sha256', signed, key))],
    ]
    if (forged.isCertified)
      statement.push([text('x5c'), Buffer.concat([head(4, 1), bytes(maker.certificate)])])
    const attestationObject = map([
      [text('fmt'), text(forged.format ?? 'none')],
      [text('attStmt'), map(forged.format === 'packed' ? statement : [])],
      [text('authData'), bytes(authData)],
    ])
    return {
      ...{ id: base64(id), rawId: base64(id), type: 'public-key', clientExtensionResults: {} },
      response: {
        clientDataJSON: base64(clientData),
        attestationObject: base64(attestationObject),
        transports: ['internal', 'hybrid', 'no such'],
      },
    }
  }

  /** What `navigator.credentials.get` gives, by its `toJSON()`. */
  get({ challenge, rpId }: RequestOptions, forged: Forgery = {}) {
    const clientData = this.#clientData('webauthn.get', challenge, forged)
    const authenticatorData = this.#authenticatorData(rpId, forged)
    const signed = Buffer.concat([authenticatorData, sha256(clientData)])
    return {
      ...{ id: base64(this.id), rawId: base64(this.id), type: 'public-key', clientExtensionResults: {} },
      response: {
        clientDataJSON: base64(clientData),
        authenticatorData: base64(authenticatorData),
        signature: base64(sign('sha256', signed, forged.key ?? this.#keys.privateKey)),
        userHandle: forged.userHandle ?? this.#userHandle,
      },
    }
  }
}
