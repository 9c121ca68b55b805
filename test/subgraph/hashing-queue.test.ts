import bcrypt from 'bcrypt'
import { hashingQueue, type HashingLane } from '../../kernel/sign-in/hashing-queue'
import { hashPassword, hashesAtOnce, hashWithSalt, verifyPassword } from '../../kernel/sign-in/password'

const anybody = { stranger: '' }
const tick = () => new Promise(setImmediate)

test('L4: so many at once, the rest in the order of their coming, also after one that failed', async () => {
  const queue = hashingQueue(2, 2)
  const begun: number[] = []
  const ends: ((error?: Error) => void)[] = []
  const works = Array.from({ length: 4 }, (_, n) =>
    queue.run(anybody, () => {
      begun.push(n)
      return new Promise<number>((resolve, reject) =>
        ends.push((error) => (error ? reject(error) : resolve(n))),
      )
    }),
  )
  const outcomes = Promise.allSettled(works)
  await tick()
  expect([begun, queue.isFullFor(anybody)]).toEqual([[0, 1], true])
  ends[1]!(new Error('no'))
  await tick()
  expect([begun, queue.isFullFor(anybody)]).toEqual([[0, 1, 2], false])
  ends[0]!()
  await tick()
  expect(begun).toEqual([0, 1, 2, 3])
  ends[2]!()
  ends[3]!()
  expect((await outcomes).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
  ])
  expect(await queue.run(anybody, async () => 'free again')).toBe('free again')
})

test('L4: known ones come first and strangers come, networks and tenants in turn; the bounds are of each apart', async () => {
  const queue = hashingQueue(1, 6)
  const begun: string[] = []
  const ends: (() => void)[] = []
  const add = (lane: HashingLane, name: string) =>
    queue.run(lane, () => {
      begun.push(name)
      return new Promise<void>((resolve) => ends.push(resolve))
    })
  const works = [add({ stranger: 'x' }, 'first')]
  for (let n = 1; n <= 5; n++) works.push(add({ stranger: 'flood' }, `flood${n}`))
  works.push(add({ stranger: 'other' }, 'other'))
  expect([queue.isFullFor({ stranger: 'any' }), queue.isFullFor({ known: 'acme' })]).toEqual([true, false])
  for (let n = 1; n <= 4; n++) works.push(add({ known: 'acme' }, `acme${n}`))
  works.push(add({ known: 'globex' }, 'globex1'))
  expect(queue.isFullFor({ known: 'acme' })).toBe(false)
  works.push(add({ known: 'acme' }, 'acme5'))
  // What waits of one tenant keeps no other out, and no device: its own turn comes after one of each.
  const lanes = [{ known: 'acme' }, { known: 'globex' }, { known: 'device new' }]
  expect(lanes.map((lane) => queue.isFullFor(lane))).toEqual([true, false, false])
  for (let n = 0; n < works.length; n++) {
    await tick()
    ends[n]!()
  }
  await Promise.all(works)
  expect(begun).toEqual([
    ...['first', 'acme1', 'globex1', 'acme2', 'acme3', 'flood1', 'acme4', 'acme5'],
    ...['other', 'flood2', 'flood3', 'flood4', 'flood5'],
  ])
})

test('L4: passwords are hashed and compared no more than so many at once', async () => {
  let running = 0
  let most = 0
  const counted = async <T>(answer: T): Promise<T> => {
    most = Math.max(most, ++running)
    await tick()
    running--
    return answer
  }
  jest.spyOn(bcrypt, 'hash').mockImplementation(() => counted('hash'))
  jest.spyOn(bcrypt, 'compare').mockImplementation(() => counted(true))
  try {
    const answers = await Promise.all([
      ...Array.from({ length: 8 }, () => verifyPassword('a password', 'hash')),
      ...Array.from({ length: 8 }, () => hashPassword('a password')),
    ])
    expect(new Set(answers)).toEqual(new Set([true, 'hash']))
    expect(most).toBe(hashesAtOnce)
  } finally {
    jest.restoreAllMocks()
  }
})

test('A5: with a salt of fewer rounds than today a password costs what one without a salt does', async () => {
  const costs: number[] = []
  const cost = (text: string) => 2 ** Number(text.slice(4, 6))
  let sum = 0
  jest.spyOn(bcrypt, 'hash').mockImplementation(async (_, salt) => {
    sum += cost(String(salt))
    return 'hash'
  })
  jest.spyOn(bcrypt, 'compare').mockImplementation(async (_, hash) => {
    sum += cost(hash)
    return false
  })
  try {
    for (const salt of [null, `$2b$06$${'.'.repeat(22)}`, `$2b$10$${'.'.repeat(22)}`]) {
      sum = 0
      await hashWithSalt('a password', salt, 10)
      costs.push(sum)
    }
    expect(costs).toEqual([1024, 1024, 1024])
  } finally {
    jest.restoreAllMocks()
  }
})

test('L4: more passwords of one tenant than are done in ten seconds are refused, not kept', async () => {
  const ends: (() => void)[] = []
  jest.spyOn(bcrypt, 'hash').mockImplementation(async () => {
    await new Promise<void>((resolve) => ends.push(resolve))
    return 'hash'
  })
  try {
    const storm = Array.from({ length: 51 * hashesAtOnce + 1 }, () =>
      hashPassword('a password', 4, { known: 'tenant storm' }),
    )
    const outcomes = Promise.allSettled(storm)
    await tick()
    const other = hashPassword('a password', 4, { known: 'device other' })
    while (ends.length > 0) {
      ends.splice(0).forEach((end) => end())
      await tick()
    }
    const refused = (await outcomes).filter(({ status }) => status === 'rejected')
    expect(refused).toMatchObject([{ reason: { extensions: { code: 'OVERLOADED' } } }])
    expect(await other).toBe('hash')
  } finally {
    jest.restoreAllMocks()
  }
})
