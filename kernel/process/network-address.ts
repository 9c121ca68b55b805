import { isIPv4, isIPv6 } from 'node:net'

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i
const mappedInHex = /^\[::ffff:([0-9a-f]+):([0-9a-f]+)\]$/

/**
 * An address in its one spelling, so that equal addresses are equal texts: without port, brackets and zone, an IPv4
 * address that is written as an IPv6 one (`::ffff:1.2.3.4`, `::ffff:102:304`) as IPv4, other IPv6 addresses in lower
 * case and shortened. Null for what is no address.
 */
export function addressOf(text: string): string | null {
  if (isIPv4(text)) return text
  const short = mapped.exec(text)?.[1]
  if (short !== undefined) return isIPv4(short) ? short : null
  const bare = withoutPort(text)
  if (isIPv4(bare)) return bare
  const address = bare.split('%', 1)[0]!
  if (!isIPv6(address)) return null
  const { hostname } = new URL(`http://[${address}]`)
  const [, high, low] = mappedInHex.exec(hostname) ?? []
  return high === undefined ? hostname.slice(1, -1) : [...bytesOf(high), ...bytesOf(low!)].join('.')
}

/** `1.2.3.4:80`, `[::1]:80` and `[::1]` without what is around the address. */
function withoutPort(text: string): string {
  const [, inBrackets, v4] = /^(?:\[([^\]]*)\](?::\d{1,5})?|([\d.]+):\d{1,5})$/.exec(text) ?? []
  return inBrackets ?? v4 ?? text
}

function bytesOf(hex: string): number[] {
  const number = Number.parseInt(hex, 16)
  return [number >> 8, number & 255]
}

/**
 * Returns what one caller can hardly have more of, for counting: an IPv4 address, or the 64 bits of an IPv6 network,
 * since a subscriber usually has them all (RFC 6177). Callers whose address is not known share one.
 */
export function networkOf(address: string | null): string {
  if (address === null) return 'unknown'
  const short = mapped.exec(address)?.[1]
  if (short !== undefined) return short
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.split('%')[0]!.split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':'))
  const written = groups(head)
  const missing = tail === undefined ? 0 : 8 - written.length - groups(tail).length
  const all = [...written, ...Array<string>(Math.max(0, missing)).fill('0'), ...groups(tail ?? '')]
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
