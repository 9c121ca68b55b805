import bcrypt from 'bcrypt'
import { hashingQueue } from '../../kernel/sign-in/hashing-queue'
import { hashPassword, hashesAtOnce, verifyPassword } from '../../kernel/sign-in/password'

const tick = () => new Promise(setImmediate)

test('L4: so many at once, the rest in the order of their coming, also after one that failed', async () => {
  const queue = hashingQueue(2, 2)
  const begun: number[] = []
  const ends: ((error?: Error) => void)[] = []
  const works = Array.from({ length: 4 }, (_, n) =>
    queue.run(() => {
      begun.push(n)
      return new Promise<number>((resolve, reject) =>
        ends.push((error) => (error ? reject(error) : resolve(n))),
      )
    }),
  )
  const outcomes = Promise.allSettled(works)
  await tick()
  expect([begun, queue.isFull]).toEqual([[0, 1], true])
  ends[1]!(new Error('no'))
  await tick()
  expect([begun, queue.isFull]).toEqual([[0, 1, 2], false])
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
  expect(await queue.run(async () => 'free again')).toBe('free again')
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
