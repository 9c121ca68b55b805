import { anonymousAsker, everybody, type Asker } from './plans'

/** Says how many operations may wait to be planned; what is planned ahead of anybody's asking is not counted. */
export interface WaitingPlans {
  perTenant: number
  /** Of all anonymous callers together. */
  anonymous: number
  /** Of everybody. */
  total: number
}

export const defaultWaiting: WaitingPlans = { perTenant: 100, anonymous: 20, total: 1000 }

/** Says how many operations of tenants may pass one of those that come last. */
const mostPassed = 4

/**
 * The order in which operations are planned: tenants in turn, one of each; when no tenant waits, what is planned ahead
 * and what anonymous callers wait for, in turn. Those come last, but they come: after every fourth of tenants.
 */
export interface PlanQueue<T> {
  readonly length: number
  isFullFor(asker: Asker): boolean
  add(asker: Asker, item: T): void
  /** Puts what was taken, and not planned, before everything else. */
  putBack(items: readonly T[]): void
  /** @param idle nothing is being planned: only then something of those that come last is taken by itself */
  next(idle: boolean): T | undefined
  /** Empties the queue, and returns what waited. */
  clear(): T[]
}

export function planQueue<T>(limits: Partial<WaitingPlans> = {}): PlanQueue<T> {
  const most = { ...defaultWaiting, ...limits }
  let first: T[] = []
  /** In the order of their turns. */
  const tenants = new Map<string, T[]>()
  let ofTenants = 0
  let last: { ahead: T[]; anonymous: T[] } = { ahead: [], anonymous: [] }
  let lastTurn: 'ahead' | 'anonymous' = 'anonymous'
  let passed = 0

  function ofNextTenant(): T | undefined {
    for (const [tenant, items] of tenants) {
      const item = items.shift()
      tenants.delete(tenant)
      if (items.length > 0) tenants.set(tenant, items)
      ofTenants--
      passed++
      return item
    }
    return undefined
  }

  function ofLast(): T | undefined {
    const other = lastTurn === 'ahead' ? 'anonymous' : 'ahead'
    const turn = last[other].length > 0 ? other : lastTurn
    const item = last[turn].shift()
    if (item !== undefined) [lastTurn, passed] = [turn, 0]
    return item
  }

  return {
    get length() {
      return first.length + ofTenants + last.anonymous.length
    },
    isFullFor(asker) {
      if (asker === null) return false
      if (asker === anonymousAsker) return last.anonymous.length >= most.anonymous
      if (ofTenants >= most.total) return true
      return asker !== everybody && (tenants.get(asker)?.length ?? 0) >= most.perTenant
    },
    add(asker, item) {
      if (asker === null) last.ahead.push(item)
      else if (asker === anonymousAsker) last.anonymous.push(item)
      else {
        const items = tenants.get(asker)
        if (items) items.push(item)
        else tenants.set(asker, [item])
        ofTenants++
      }
    },
    putBack: (items) => void first.unshift(...items),
    next(idle) {
      const again = first.shift()
      if (again !== undefined) return again
      const isTurnOfLast = ofTenants === 0 ? idle : passed >= mostPassed
      return (isTurnOfLast ? ofLast() : undefined) ?? ofNextTenant()
    },
    clear() {
      const all = [...first, ...[...tenants.values()].flat(), ...last.anonymous, ...last.ahead]
      first = []
      tenants.clear()
      ofTenants = 0
      last = { ahead: [], anonymous: [] }
      return all
    },
  }
}
