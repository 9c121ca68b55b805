import { isIP, isIPv4 } from 'node:net'

/**
 * The fault of a network address as PostgreSQL's `inet` takes it: IPv4 or IPv6, alone or with the length of its network.
 * @returns null for one that is right
 */
export function networkFault(text: string): string | null {
  const [address = '', length, ...others] = text.split('/')
  const most = isIPv4(address) ? 32 : 128
  const isLength = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= most)
  // A zone names an interface of one machine.
  if (isIP(address) === 0 || address.includes('%') || !isLength || others.length > 0)
    return 'must be an IPv4 or IPv6 address, or a network such as 192.0.2.0/24'
  return null
}

/** The network of an address without its last part: /24 of IPv4, /48 of IPv6. Wider ones stay as they are. */
export function maskedNetwork(text: string): string {
  const [address = '', length] = text.split('/')
  const bits = isIPv4(address) ? 24 : 48
  if (length !== undefined && Number(length) <= bits) return text
  if (isIPv4(address)) return `${address.split('.').slice(0, 3).join('.')}.0/24`
  return `${leadingGroups(address).join(':')}::/48`
}

/** The first three groups of an IPv6 address. */
function leadingGroups(address: string): string[] {
  const [before = '', after] = address.split('::')
  const head = before === '' ? [] : before.split(':')
  const tail = after ? after.split(':') : []
  // A last part as IPv4 fills two groups.
  const tailGroups = tail.length + (tail.at(-1)?.includes('.') ? 1 : 0)
  const zeros = after === undefined ? 0 : Math.max(8 - head.length - tailGroups, 0)
  return [...head, ...new Array<string>(zeros).fill('0'), ...tail].slice(0, 3)
}
