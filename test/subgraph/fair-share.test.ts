import { askerOf, FairShare } from '../../kernel/connection/fair-share'

const settled = async (work: Promise<unknown>): Promise<unknown> => {
  let state: unknown = 'waiting'
  work.then(
    () => (state = 'served'),
    (error: { extensions: unknown }) => (state = error.extensions),
  )
  await new Promise(setImmediate)
  return state
}

test('L3: a tenant leaves one place to the others, and takes it up again when it gave one back', async () => {
  const places = new FairShare(3, 60_000)
  expect([places.take('a'), places.take('a'), places.take('a')]).toEqual([true, true, false])
  expect(places.take('b')).toBe(true)
  const third = places.wait('a')
  places.giveBack('b')
  expect(await settled(third)).toBe('waiting')
  places.giveBack('a')
  expect(await settled(third)).toBe('served')
  expect(places.take('a')).toBe(false)
  expect(places.take('b')).toBe(true)
})

test.each([
  { all: 1, share: 1, tenant: 0 },
  { all: 2, share: 1, tenant: 1 },
  { all: 3, share: 1, tenant: 2 },
  { all: 6, share: 2, tenant: 2 },
  { all: 8, share: 2, tenant: 3 },
])(
  'L4: of $all places what is done for no tenant has $share, waits for one of its own, and leaves a tenant $tenant',
  async ({ all, share, tenant }) => {
    const places = new FairShare(all, 60_000)
    const taken = (name: string) => Array.from({ length: all }, () => places.take(name)).filter(Boolean)
    expect(taken('')).toHaveLength(share)
    const next = places.wait('')
    expect(taken('a')).toHaveLength(tenant)
    for (let n = 0; n < tenant; n += 1) places.giveBack('a')
    expect(await settled(next)).toBe('waiting')
    places.giveBack('')
    expect(await settled(next)).toBe('served')
  },
)

test.each([
  { all: 1, anonymous: 1, tenants: [0] },
  { all: 3, anonymous: 1, tenants: [2, 0] },
  { all: 6, anonymous: 2, tenants: [2, 1, 1, 0] },
])(
  'L4: of $all places whoever is not signed in has $anonymous, whatever they name and with what is done for nobody; tenants have the rest',
  async ({ all, anonymous, tenants }) => {
    const places = new FairShare(all, 60_000)
    const askers = ['t0', 't1', null].map((tenantId) => askerOf({ tenantId, share: 'anonymous' }))
    const taken = (asker: string) => Array.from({ length: all }, () => places.take(asker)).filter(Boolean)
    expect(askers.flatMap((asker) => taken(asker))).toHaveLength(anonymous)
    expect(taken(askerOf({ tenantId: null }))).toEqual([])
    expect(tenants.map((_, tenant) => taken(askerOf({ tenantId: `t${tenant}` })).length)).toEqual(tenants)
    // One that is given back is served to whoever of them waits, in turn.
    const next = [askerOf({ tenantId: null }), askers[2]!].map((asker) => places.wait(asker))
    places.giveBack(askers[0]!)
    expect([await settled(next[0]!), await settled(next[1]!)]).toEqual(['served', 'waiting'])
    places.giveBack('')
    expect(await settled(next[1]!)).toBe('served')
  },
)

test('C2 the writer of a tenant’s recorded reads has one place of its own, and no further one', () => {
  const places = new FairShare(3, 60_000)
  const writer = askerOf({ tenantId: 'a', share: 'trail' })
  expect([places.take('a'), places.take('a'), places.take('a')]).toEqual([true, true, false])
  expect([places.take(writer), places.take(writer)]).toEqual([true, false])
  expect(places.take('b')).toBe(false)
  places.giveBack(writer)
  expect([places.take('b'), places.take(writer)]).toEqual([true, false])
})

test.each([
  { all: 1, holds: [1, 0] },
  { all: 2, holds: [1, 1, 0] },
  { all: 3, holds: [2, 1, 0] },
  { all: 4, holds: [2, 1, 1, 0] },
  { all: 6, holds: [3, 1, 1, 1, 0] },
  { all: 8, holds: [4, 1, 1, 1, 1, 0] },
])('L3: of $all places tenants that take all they can hold $holds', ({ all, holds }) => {
  const places = new FairShare(all, 60_000)
  const taken = (tenant: number) =>
    Array.from({ length: all }, () => places.take(`t${tenant}`)).filter(Boolean).length
  expect(holds.map((_, tenant) => taken(tenant))).toEqual(holds)
  // One given back is for the tenant that has none.
  places.giveBack('t0')
  expect(taken(holds.length - 1)).toBe(1)
})

test('L3: a further place that was given back goes to whoever waits, in turn', async () => {
  const places = new FairShare(6, 60_000)
  for (const tenant of ['a', 'a', 'a', 'b']) expect(places.take(tenant)).toBe(true)
  const [again, other] = [places.wait('a'), places.wait('b')]
  places.giveBack('a')
  expect([await settled(again), await settled(other)]).toEqual(['served', 'waiting'])
  const third = places.wait('a')
  places.giveBack('a')
  expect([await settled(other), await settled(third)]).toEqual(['served', 'waiting'])
  places.giveBack('b')
  expect(await settled(third)).toBe('served')
})

test('L3: who waits is served in turns, a tenant after the other', async () => {
  const places = new FairShare(2, 60_000)
  places.take('a')
  places.take('b')
  const served: string[] = []
  const waiting = ['a', 'a', 'a', 'b', 'c'].map((tenant, place) =>
    places.wait(tenant).then(() => served.push(`${tenant}${place}`)),
  )
  for (let turn = 0; turn < 5; turn += 1) {
    places.giveBack(['a', 'a', 'c', 'b', 'a'][turn]!)
    await new Promise(setImmediate)
  }
  await Promise.all(waiting)
  expect(served).toEqual(['a0', 'c4', 'a1', 'b3', 'a2'])
})

test('a pool of one serves everybody, one after the other', async () => {
  const places = new FairShare(1, 60_000)
  expect([places.take('a'), places.take('a'), places.take('b')]).toEqual([true, false, false])
  const next = places.wait('a')
  places.giveBack('a')
  expect(await settled(next)).toBe('served')
})

test('L3: who waits too long, or behind a thousand others, is told to try again', async () => {
  const places = new FairShare(1, 20)
  places.take('a')
  const waiting = Array.from({ length: 1000 }, () => places.wait('a').catch((error: unknown) => error))
  const overloaded = { extensions: { code: 'OVERLOADED', retryAfterSeconds: 1 } }
  await expect(places.wait('a')).rejects.toMatchObject(overloaded)
  for (const outcome of await Promise.all(waiting)) expect(outcome).toMatchObject(overloaded)
  // Nobody is left in the queue: the place is free for the next.
  places.giveBack('a')
  expect(places.take('a')).toBe(true)
})
