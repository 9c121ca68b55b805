import { BlockList, isIP } from 'node:net'

/** An address, or a network in CIDR notation: `192.0.2.0/24`, `2001:db8::/32`, `192.0.2.7`. */
interface Network {
  address: string
  bits: number
  family: 'ipv4' | 'ipv6'
}

function networkFrom(text: string): Network | null {
  const [, address = '', length] = /^([\da-f.:]{2,45})(?:\/(\d{1,3}))?$/i.exec(text) ?? []
  const version = isIP(address)
  if (version === 0) return null
  const most = version === 4 ? 32 : 128
  const bits = length === undefined ? most : Number(length)
  return bits <= most ? { address, bits, family: version === 4 ? 'ipv4' : 'ipv6' } : null
}

/** Tells whether a text is an address or a network in CIDR notation. */
export function isNetwork(text: string): boolean {
  return networkFrom(text) !== null
}

/**
 * Returns a function that tells whether an address is in one of the networks. No networks hold every address; an address that
 * is not known is in none.
 */
export function networksOf(texts: readonly string[]): (address: string | null) => boolean {
  if (texts.length === 0) return () => true
  const list = new BlockList()
  for (const text of texts) {
    const network = networkFrom(text)
    if (network) list.addSubnet(network.address, network.bits, network.family)
  }
  return (address) => {
    const version = address === null ? 0 : isIP(address)
    return version !== 0 && list.check(address!, version === 4 ? 'ipv4' : 'ipv6')
  }
}
