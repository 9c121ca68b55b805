import type { LoggedEvent } from '../../kernel/events/event-log'
import type { FollowedEvents } from '../../kernel/events/read-events'
import { ChangeFeeds, type ChangeSource, type Follower } from '../../gateway/live/change-feeds'
import type { Logger } from '../../kernel/process/log'

/** Whoever follows is told every change once and in order, or that some were missed; whatever comes in between (live 1, 12). */
const log = { warn: () => undefined } as unknown as Logger
const event = (position: number): LoggedEvent => ({
  position,
  id: String(position),
  aggregateType: 'Row',
  aggregateId: `row ${position}`,
  eventType: 'updated',
  payload: {},
  occurredAt: '2026-01-01T00:00:00.000Z',
})
const events = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, place) => event(from + place))
const page = (from: number, to: number): FollowedEvents => ({
  events: events(from, to),
  position: to,
  isReset: false,
})

/** What a follower is told: positions, and resets as `RESET to`. */
function follower(): Follower & { told: (number | string)[] } {
  const told: (number | string)[] = []
  return {
    told,
    position: 0,
    begin: () => undefined,
    take: ({ position }) => void told.push(position),
    missed: (position) => void told.push(`RESET ${position}`),
  }
}

/** Lets all that waits for promises run. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

/** A log of which each read waits until it is answered. */
class Steered implements ChangeSource {
  wake: () => void = () => undefined
  now = 5
  readonly asked: { after: number; answer: (page: FollowedEvents) => void }[] = []

  read(_tenant: string, after: number | null): Promise<FollowedEvents> {
    if (after === null) return Promise.resolve({ events: [], position: this.now, isReset: false })
    return new Promise((answer) => this.asked.push({ after, answer }))
  }

  async subscribe(_tenant: string, wake: () => void) {
    this.wake = wake
    return async () => undefined
  }
}

test('a change that the feed reads while a follower catches up is told to it too (live 1)', async () => {
  const source = new Steered()
  const feeds = new ChangeFeeds(source, log)
  const [first, second] = [follower(), follower()]
  const leave = [await feeds.follow('t', null, first)]
  await settled()
  source.asked.shift()!.answer({ events: [], position: 5, isReset: false })
  await settled()
  // Six is there when the second one asks; its own read is older than the feed's.
  source.now = 6
  const following = feeds.follow('t', 5, second)
  await settled()
  source.wake()
  await settled()
  expect(source.asked.map(({ after }) => after)).toEqual([5, 5])
  const [own, feed] = source.asked.splice(0)
  own!.answer({ events: [], position: 5, isReset: false })
  feed!.answer(page(6, 6))
  await settled()
  source.asked.shift()!.answer(page(6, 6))
  leave.push(await following)
  source.wake()
  await settled()
  source.asked.shift()!.answer(page(7, 7))
  await settled()
  expect(first.told).toEqual([6, 7])
  expect(second.told).toEqual([6, 7])
  leave.forEach((end) => end())
})

test('a page with a gap, or behind one, is told as a RESET and never passed over (live 1)', async () => {
  const source = new Steered()
  const feeds = new ChangeFeeds(source, log)
  const one = follower()
  const leave = await feeds.follow('t', null, one)
  await settled()
  source.asked.shift()!.answer({ events: [event(6), event(8)], position: 8, isReset: false })
  await settled()
  one.position = 3
  source.wake()
  await settled()
  source.asked.shift()!.answer(page(9, 9))
  await settled()
  expect(one.told).toEqual([6, 'RESET 8', 'RESET 9'])
  leave()
})

test('a log that has nothing of what was missed ends in a RESET, not in a loop (live 1)', async () => {
  const source = new Steered()
  const one = follower()
  const following = new ChangeFeeds(source, log).follow('t', 2, one)
  for (let read = 0; read < 4; read++) {
    await settled()
    source.asked.shift()?.answer({ events: [], position: 2, isReset: false })
  }
  ;(await following)()
  expect(one.told).toEqual(['RESET 5'])
})

/** A log with these positions, which counts how often pages are read. */
function logOf(last: number) {
  const source = {
    last,
    reads: 0,
    wake: () => undefined as void,
    async read(_tenant: string, after: number | null, most: number): Promise<FollowedEvents> {
      if (after === null) return { events: [], position: source.last, isReset: false }
      source.reads++
      await settled()
      if (after > source.last) return { events: [], position: source.last, isReset: true }
      return page(after + 1, Math.min(source.last, after + most))
    },
    subscribe: async (_tenant: string, wake: () => void) => {
      source.wake = wake
      return async () => undefined
    },
  }
  return source
}

test('whoever is more than 2,000 changes behind, or nowhere, reads again at once (live 12)', async () => {
  const source = logOf(5000)
  const feeds = new ChangeFeeds(source, log)
  const [far, nowhere, ahead, near] = [follower(), follower(), follower(), follower()]
  const anchor = await feeds.follow('t', null, follower())
  await settled()
  await settled()
  source.reads = 0
  let pages = 0
  const leave = [await feeds.follow('t', 2999, far), await feeds.follow('t', -1, nowhere)]
  expect(source.reads).toBe(0)
  leave.push(await feeds.follow('t', 6000, ahead))
  leave.push(await feeds.follow('t', 3000, near, () => void pages++))
  expect([far.told, nowhere.told, ahead.told]).toEqual(Array(3).fill(['RESET 5000']))
  expect(near.told).toEqual(events(3001, 5000).map(({ position }) => position))
  expect(pages).toBe(4)
  const refused = feeds.follow('t', 4000, follower(), () => {
    throw new Error('too much')
  })
  await expect(refused).rejects.toThrow('too much')
  ;[anchor, ...leave].forEach((end) => end())
})

test('many that come again at once read what they missed together (live 12)', async () => {
  const source = logOf(1400)
  const feeds = new ChangeFeeds(source, log)
  const all = Array.from({ length: 100 }, follower)
  const leave = await Promise.all(all.map((one) => feeds.follow('t', 400, one)))
  expect(source.reads).toBeLessThanOrEqual(5)
  for (const { told } of all) expect(told).toEqual(events(401, 1400).map(({ position }) => position))
  leave.forEach((end) => end())
})

test('nobody misses anything, whenever they come while it is written (live 1)', async () => {
  const source = logOf(0)
  const feeds = new ChangeFeeds(source, log)
  const came: { one: ReturnType<typeof follower>; after: number }[] = []
  const leave: Promise<() => void>[] = []
  for (let turn = 0; turn < 60; turn++) {
    const [after, one] = [source.last, follower()]
    came.push({ one, after })
    leave.push(feeds.follow('t', after, one))
    source.last += 1 + (turn % 3)
    source.wake()
    for (let rest = 0; rest < turn % 5; rest++) await (rest % 2 ? settled() : Promise.resolve())
  }
  const ends = await Promise.all(leave)
  for (let turn = 0; turn < 5; turn++) {
    source.wake()
    await settled()
  }
  for (const { one, after } of came)
    expect(one.told).toEqual(events(after + 1, source.last).map(({ position }) => position))
  ends.forEach((end) => end())
})
