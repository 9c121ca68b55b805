import { planQueue } from '../../../gateway/plans/plan-queue'
import { anonymousAsker, everybody } from '../../../gateway/plans/plans'

function all(queue: ReturnType<typeof planQueue<string>>): string[] {
  const order: string[] = []
  for (let next = queue.next(true); next !== undefined; next = queue.next(true)) order.push(next)
  return order
}

describe('L4 operations wait to be planned', () => {
  test('each tenant’s in turn, however many one has', () => {
    const queue = planQueue<string>()
    for (let n = 1; n <= 4; n++) queue.add('acme', `acme ${n}`)
    queue.add('globex', 'globex 1')
    queue.add('initech', 'initech 1')
    queue.add('globex', 'globex 2')
    expect(all(queue)).toEqual(['acme 1', 'globex 1', 'initech 1', 'acme 2', 'globex 2', 'acme 3', 'acme 4'])
    expect(queue.length).toBe(0)
  })

  test('those of anonymous callers, and what nobody waits for, last, but after every fourth of tenants', () => {
    const queue = planQueue<string>()
    for (let n = 1; n <= 3; n++) queue.add(anonymousAsker, `anonymous ${n}`)
    for (let n = 1; n <= 2; n++) queue.add(null, `ahead ${n}`)
    for (let n = 1; n <= 9; n++) queue.add('acme', `acme ${n}`)
    expect(all(queue).map((name) => name.replace('acme ', ''))).toEqual([
      ...['1', '2', '3', '4', 'ahead 1', '5', '6', '7', '8', 'anonymous 1', '9'],
      ...['ahead 2', 'anonymous 2', 'anonymous 3'],
    ])
  })

  test('those that come last only when nothing is planned', () => {
    const queue = planQueue<string>()
    queue.add(anonymousAsker, 'anonymous')
    expect([queue.next(false), queue.next(true)]).toEqual([undefined, 'anonymous'])
  })

  test('no more than a share of each; a full one stops nobody else', () => {
    const queue = planQueue<string>({ perTenant: 2, anonymous: 1, total: 4 })
    const full = () =>
      ['acme', 'globex', anonymousAsker, everybody, null].map((asker) => queue.isFullFor(asker))
    queue.add('acme', 'a')
    queue.add('acme', 'b')
    expect(full()).toEqual([true, false, false, false, false])
    queue.add(anonymousAsker, 'c')
    expect(full()).toEqual([true, false, true, false, false])
    for (let n = 0; n < 2; n++) queue.add(everybody, 'd')
    expect(full()).toEqual([true, true, true, true, false])
    expect(queue.length).toBe(5)
    expect(queue.clear().sort()).toEqual(['a', 'b', 'c', 'd', 'd'])
    expect(full()).toEqual([false, false, false, false, false])
  })

  test('what was taken and not planned comes first', () => {
    const queue = planQueue<string>()
    queue.add('acme', 'b')
    queue.putBack(['a'])
    expect(all(queue)).toEqual(['a', 'b'])
  })
})
