import { addressOf, networkOf } from '../../kernel/process/network-address'

/** Spellings of one address each. */
const spellings: Record<string, string[]> = {
  '1.2.3.4': [
    '1.2.3.4',
    '1.2.3.4:5678',
    '[1.2.3.4]:80',
    '::ffff:1.2.3.4',
    '::FFFF:1.2.3.4',
    '::ffff:102:304',
    '::FFFF:0102:0304',
    '0:0:0:0:0:ffff:102:304',
    '0000:0000:0000:0000:0000:ffff:1.2.3.4',
    '[::ffff:1.2.3.4]',
    '[::ffff:102:304]:65535',
  ],
  '0.0.0.0': ['0.0.0.0', '::ffff:0:0'],
  '255.254.10.1': ['255.254.10.1', '::ffff:fffe:a01'],
  '::1': ['::1', '[::1]', '[::1]:80', '0:0:0:0:0:0:0:1', '0::0001', '::0.0.0.1'],
  '2001:db8::a': ['2001:db8::a', '2001:0DB8:0:0:0:0:0:A', '[2001:DB8::000a]:443', '2001:db8:0::0:a'],
  'fe80::1': ['fe80::1', 'fe80::1%eth0', '[FE80::1%eth0]:1'],
}

test.each(Object.entries(spellings).flatMap(([address, all]) => all.map((text) => [text, address])))(
  '%s is the address %s',
  (text, address) => {
    expect(addressOf(text)).toBe(address)
    expect(addressOf(address)).toBe(address)
  },
)

test.each([
  '',
  'unknown',
  '_hidden',
  '1.2.3',
  '1.2.3.4:',
  '1.2.3.4:port',
  '1.2.3.256',
  '::ffff:1.2.3.256',
  '[::1',
  '[::1]:',
  '::1]',
  ':::',
  '2001:db8::a::b',
  "x' OR 1=1",
  '1.2.3.4, 5.6.7.8',
  'http://1.2.3.4',
])('%j is no address', (text) => {
  expect(addressOf(text)).toBeNull()
})

test.each([
  ['1.2.3.4', '1.2.3.4'],
  ['::ffff:102:304', '1.2.3.4'],
  ['1.2.3.4:5678', '1.2.3.4'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['[2001:DB8:1:2::9]:80', '2001:db8:1:2::/64'],
  ['2001:db8:1:3::9', '2001:db8:1:3::/64'],
])('%s counts as %s', (text, network) => {
  expect(networkOf(addressOf(text))).toBe(network)
})

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['unknown', 'unknown'],
  [null, 'unknown'],
])('the network of %s, as it is written, is %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})
