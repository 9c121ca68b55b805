import { anonymousTurns } from '../../gateway/operations/anonymous-turns'

describe('L4 anonymous callers take turns', () => {
  let now = 0
  beforeEach(() => {
    now = 0
    jest.useFakeTimers({ doNotFake: ['performance', 'nextTick', 'queueMicrotask'] })
  })
  afterEach(() => jest.useRealTimers())

  /** Lets time pass in steps of a millisecond. */
  async function pass(ms: number): Promise<void> {
    for (let n = 0; n < ms; n++) {
      now++
      await jest.advanceTimersByTimeAsync(1)
    }
  }

  test('one every 10 ms, addresses in turn', async () => {
    const turns = anonymousTurns(() => now)
    const order: string[] = []
    const take = (address: string, name: string) =>
      turns.take(address).then(() => order.push(`${now} ${name}`))
    for (let n = 1; n <= 3; n++) void take('10.0.0.1', `a${n}`)
    void take('10.0.0.2', 'b1')
    await jest.advanceTimersByTimeAsync(0)
    await pass(60)
    expect(order).toEqual(['0 a1', '10 a2', '20 b1', '30 a3'])
    await take('10.0.0.1', 'a4')
    expect(order.at(-1)).toBe('60 a4')
  })

  test('a turn that takes long is followed by a pause four times as long', async () => {
    const turns = anonymousTurns(() => now)
    const begun: number[] = []
    const take = () => turns.take(null).then(() => begun.push(now))
    await take()
    turns.took(25)
    void take()
    await pass(150)
    expect(begun).toEqual([0, 100])
  })

  test('one that is planned is followed by a pause of 40 ms', async () => {
    const turns = anonymousTurns(() => now)
    const begun: number[] = []
    const take = () =>
      turns.take(null).then(() => {
        begun.push(now)
        turns.took(1)
        turns.planned()
      })
    for (let n = 0; n < 4; n++) void take()
    await jest.advanceTimersByTimeAsync(0)
    await pass(150)
    expect(begun).toEqual([0, 40, 80, 120])
  })

  test('so many wait from one address, and so many from all; the next is told to come again', async () => {
    const turns = anonymousTurns(() => now)
    const code = (address: string) =>
      turns.take(address).then(
        () => 'begun',
        (error: { extensions: object }) => error.extensions,
      )
    const waiting = Array.from({ length: 51 }, () => code('10.0.0.1'))
    expect(await waiting[0]).toBe('begun')
    expect(await code('10.0.0.1')).toMatchObject({
      code: 'OVERLOADED',
      retryAfterSeconds: 1,
      http: { status: 503 },
    })
    for (let n = 0; n < 250; n++) waiting.push(code(`10.0.1.${n}`))
    expect(await code('10.0.2.1')).toMatchObject({ code: 'OVERLOADED' })
    await pass(3100)
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['begun']))
  })
})
