import { readUsage } from '../../registry/usage/usage-lines'

const read = (...lines: unknown[]) =>
  readUsage(lines.map((line) => JSON.stringify(line)).join('\n'), '2026-11-01')
const seen = { requests: 1, tenants: 0, lastSeen: '' }

test('a line that says everything reads as one that leaves out what has a default', () => {
  const said = {
    hash: 'h',
    name: 'Q',
    operation: 'other',
    document: '{ a }',
    coordinates: ['Query.a'],
    client: { name: 'web', version: '1' },
    requests: 2,
    tenants: 3,
    lastSeen: '2026-11-02',
    more: { ignored: true },
  }
  expect(read(said).operations).toEqual([
    {
      hash: 'h',
      name: 'Q',
      document: '{ a }',
      coordinates: ['Query.a'],
      clients: [{ client: 'web', version: '1', requests: 2, tenants: 3, lastSeen: '2026-11-02' }],
    },
  ])
  const unknown = { client: 'unknown', version: '', ...seen }
  for (const least of [{}, { client: null, name: null }, { client: {} }, { client: { version: null } }])
    expect(read({ hash: 'h', document: '{ a }', ...least }).operations).toEqual([
      { hash: 'h', name: '', document: '{ a }', coordinates: null, clients: [unknown] },
    ])
  expect(read({ document: '{ a }', client: 'web' }).operations[0]?.clients).toEqual([
    { client: 'web', version: '', ...seen },
  ])
  expect(read({ from: '2026-10-01' }, { document: '{ a }', lastSeen: '2026-10-31' })).toEqual({
    from: '2026-10-01',
    operations: [],
  })
})

test.each([
  [[1], 'usage:1:  Invalid input: expected object, received array'],
  [null, 'usage:1:  Invalid input: expected object, received null'],
  [{ hash: null }, 'usage:1: hash Invalid input: expected string, received null'],
  [{ document: 1 }, 'usage:1: document Invalid input: expected string, received number'],
  [{ coordinates: ['a', 1] }, 'usage:1: coordinates.1 Invalid input: expected string, received number'],
  [{ requests: -1 }, 'usage:1: requests Too small: expected number to be >=0'],
  [{ requests: null }, 'usage:1: requests Invalid input: expected number, received null'],
  [{ tenants: '1' }, 'usage:1: tenants Invalid input: expected number, received string'],
  [{ client: { name: 1 } }, 'usage:1: client Invalid input'],
  [{ client: { name: 'a', version: 1 } }, 'usage:1: client Invalid input'],
  [{ client: [] }, 'usage:1: client Invalid input'],
])('%j is refused', (change, message) => {
  const usual = { hash: 'h', document: '{ a }', requests: 1, tenants: 1 }
  const line = change && !Array.isArray(change) ? { ...usual, ...change } : change
  expect(() => read(line)).toThrow(new Error(message))
})

test('a count that no number holds is refused', () => {
  expect(() => readUsage('{"document":"{ a }","tenants":1,"requests":1e999}', '2026-11-01')).toThrow(
    new Error('usage:1: requests Invalid input: expected number, received Infinity'),
  )
})
