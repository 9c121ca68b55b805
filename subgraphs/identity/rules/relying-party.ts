/** Names whom passkeys are made for: a domain, and the one origin whose pages may use them (WebAuthn level 3, section 4). */
export interface RelyingParty {
  id: string
  origin: string
}

const ownMachine = /^(?:127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\])$/

/**
 * The relying party of an application at this address. Browsers make no passkeys for network addresses, so the own machine's
 * count as `localhost`.
 */
export function relyingParty(publicUrl: string): RelyingParty {
  const url = new URL(publicUrl)
  if (ownMachine.test(url.hostname)) url.hostname = 'localhost'
  return { id: url.hostname, origin: url.origin }
}
