import { FairShare } from '../../kernel/connection/fair-share'

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
  [1, 1],
  [2, 1],
  [3, 1],
  [8, 4],
])('L4: of %i places what is done for no tenant has %i, and waits for one of its own', async (all, half) => {
  const places = new FairShare(all, 60_000)
  const taken = Array.from({ length: all }, () => places.take(''))
  expect(taken.filter(Boolean)).toHaveLength(half)
  const next = places.wait('')
  const free = Array.from({ length: all }, () => places.take('a')).filter(Boolean)
  // Half of what is left.
  expect(free).toHaveLength(Math.ceil((all - half) / 2))
  for (let n = 0; n < free.length; n += 1) places.giveBack('a')
  expect(await settled(next)).toBe('waiting')
  places.giveBack('')
  expect(await settled(next)).toBe('served')
})

test('L3: tenants that take all they can leave a place to the next one', () => {
  const places = new FairShare(6, 60_000)
  const taken = (tenant: string) => [1, 2, 3, 4].filter(() => places.take(tenant)).length
  expect(['a', 'b', 'c', 'd'].map(taken)).toEqual([3, 2, 1, 0])
  places.giveBack('a')
  expect(['a', 'd'].map(taken)).toEqual([0, 1])
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
