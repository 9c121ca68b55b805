import { requestBatch } from '../../kernel/reading/batch'
import type { SubgraphContext } from '../../kernel/context'
import { allOf, rejected, SyncPromise } from '../../kernel/execution/sync-promise'

/** Calls and what they got, in the order in which they came. */
function recorder() {
  const calls: unknown[] = []
  return { calls, take: (value: unknown) => void calls.push(value) }
}

describe('Later', () => {
  it('calls whoever waits at once, in the order in which they asked, and once', () => {
    const { calls, take } = recorder()
    const later = new SyncPromise<number>()
    later.observe((value) => take(['first', value]), take)
    void later.then((value) => take(['second', value]))
    expect(calls).toEqual([])
    later.fulfill(1)
    later.fulfill(2)
    later.reject(new Error('too late'))
    expect(calls).toEqual([
      ['first', 1],
      ['second', 1],
    ])
    void later.then((value) => take(['third', value]))
    expect(calls).toHaveLength(3)
    expect(calls[2]).toEqual(['third', 1])
  })

  it('becomes what a callback returns, also when that comes later or is a native promise', async () => {
    const inner = new SyncPromise<string>()
    const asked = new SyncPromise<number>()
    const outer = asked.then(() => inner)
    asked.fulfill(1)
    inner.fulfill('inner')
    expect(await outer).toBe('inner')
    expect(await asked.then((value) => Promise.resolve(value + 1))).toBe(2)
    expect(await asked.then()).toBe(1)
  })

  it('fails with what a callback throws, and passes failures by those that do not take them', async () => {
    const later = new SyncPromise<number>()
    const thrown = later.then(() => {
      throw new Error('thrown')
    })
    later.fulfill(1)
    await expect(thrown).rejects.toThrow('thrown')
    await expect(rejected(new Error('lost')).then((value) => value)).rejects.toThrow('lost')
    await expect(later.then(() => rejected(new Error('inner')))).rejects.toThrow('inner')
    await expect(later.then(() => Promise.reject(new Error('native')))).rejects.toThrow('native')
    expect(await rejected('reason').catch((reason) => `caught ${String(reason)}`)).toBe('caught reason')
  })

  it('runs what is to be done in the end, and fails with what that throws', async () => {
    const { calls, take } = recorder()
    const later = new SyncPromise<number>()
    later.fulfill(1)
    expect(await later.finally(() => take('done'))).toBe(1)
    await expect(rejected(new Error('lost')).finally(() => take('done'))).rejects.toThrow('lost')
    expect(calls).toEqual(['done', 'done'])
    const again = later.finally(() => {
      throw new Error('in the end')
    })
    await expect(again).rejects.toThrow('in the end')
  })

  it('may be awaited like any promise', async () => {
    const later = new SyncPromise<number>()
    setImmediate(() => later.fulfill(7))
    expect(await later).toBe(7)
  })
})

describe('allOf', () => {
  it('is a Later of the values in their order when all that is waited for is', () => {
    const { calls, take } = recorder()
    const [first, second] = [new SyncPromise<string>(), new SyncPromise<string>()]
    const all = allOf([first, 'there', second])
    void all.then(take)
    second.fulfill('b')
    expect(calls).toEqual([])
    first.fulfill('a')
    expect(calls).toEqual([['a', 'there', 'b']])
  })

  it('fails with the first failure', async () => {
    const [first, second] = [new SyncPromise<string>(), new SyncPromise<string>()]
    const all = allOf([first, second])
    second.reject(new Error('second'))
    first.reject(new Error('first'))
    await expect(all).rejects.toThrow('second')
  })

  it('takes native promises, and nothing to wait for', async () => {
    const later = new SyncPromise<number>()
    const all = allOf([Promise.resolve(1), later, 3])
    expect(all).toBeInstanceOf(Promise)
    later.fulfill(2)
    expect(await all).toEqual([1, 2, 3])
    expect(await allOf([1, null, undefined])).toEqual([1, null, undefined])
    expect(await allOf([])).toEqual([])
  })
})

describe('requestBatch', () => {
  const viewOf = () => ({ loaders: new Map() }) as unknown as SubgraphContext

  it('asks once for all keys of a turn, each once, and remembers them', async () => {
    const read = jest.fn((keys: readonly string[]) => Promise.resolve(keys.map((key) => key.toUpperCase())))
    const context = viewOf()
    const find = requestBatch(context, 'letters', read)
    expect(requestBatch(context, 'letters', read)).toBe(find)
    expect(await Promise.all([find('a'), find('b'), find('a')])).toEqual(['A', 'B', 'A'])
    expect(await find('a')).toBe('A')
    expect(read.mock.calls).toEqual([[['a', 'b']]])
    expect(requestBatch(viewOf(), 'letters', read)).not.toBe(find)
  })

  it('gathers what is asked for in answer to promises of the same turn', async () => {
    const read = jest.fn((keys: readonly string[]) => Promise.resolve(keys))
    const find = requestBatch(viewOf(), 'keys', read)
    const deep = Promise.resolve()
      .then(() => undefined)
      .then(() => find('b'))
    expect(await Promise.all([find('a'), deep])).toEqual(['a', 'b'])
    expect(read.mock.calls).toEqual([[['a', 'b']]])
  })

  it('asks for no more than a thousand keys at a time', async () => {
    const read = jest.fn((keys: readonly string[]) => Promise.resolve(keys))
    const find = requestBatch(viewOf(), 'keys', read)
    const keys = Array.from({ length: 2_001 }, (_, number) => `k${number}`)
    expect(await Promise.all(keys.map((key) => find(key)))).toEqual(keys)
    expect(read.mock.calls.map(([asked]) => asked.length)).toEqual([1_000, 1_000, 1])
  })

  it('fails all keys of a statement that failed, and asks again for them', async () => {
    const read = jest
      .fn((keys: readonly string[]) => Promise.resolve(keys))
      .mockRejectedValueOnce(new Error('the database is gone'))
    const find = requestBatch(viewOf(), 'keys', read)
    const settled = await Promise.allSettled([find('a'), find('b')])
    expect(settled.map((one) => one.status === 'rejected' && (one.reason as Error).message)).toEqual([
      'the database is gone',
      'the database is gone',
    ])
    expect(await find('a')).toBe('a')
    expect(read.mock.calls).toEqual([[['a', 'b']], [['a']]])
  })
})
