/** Tells whether a value is to be waited for, as graphql-js decides it. */
export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  )
}

type Fulfilled<T, R> = ((value: T) => R | PromiseLike<R>) | null | undefined
type Rejected<R> = ((reason: unknown) => R | PromiseLike<R>) | null | undefined

/** Describes what waits for a value, and what becomes of its callback's result; null when nothing does. */
interface Waiting<T> {
  fulfilled: Fulfilled<T, unknown>
  rejected: Rejected<unknown>
  next: SyncPromise<unknown> | null
}

/**
 * A promise whose callbacks run at once when its value is there, or is there already: the rows of one statement answer
 * hundreds of fields, and a native promise for each step of each of them cost more than reading the rows. A failure
 * that nobody waits for ends no process.
 */
export class SyncPromise<T> implements Promise<T> {
  #state: 'pending' | 'fulfilled' | 'rejected' = 'pending'
  #value: unknown
  #waiting: Waiting<T>[] | null = null

  get [Symbol.toStringTag](): string {
    return 'Later'
  }

  /** Gives the value; only what is given first counts. */
  fulfill(value: T): void {
    this.#settle('fulfilled', value)
  }

  /** Says why there will be no value. */
  reject(reason: unknown): void {
    this.#settle('rejected', reason)
  }

  then<F = T, R = never>(fulfilled?: Fulfilled<T, F>, rejected?: Rejected<R>): SyncPromise<F | R> {
    const next = new SyncPromise<F | R>()
    this.#wait({ fulfilled, rejected, next: next as SyncPromise<unknown> })
    return next
  }

  /** Like {@link then} for callbacks whose results nobody looks at. They must not throw. */
  observe(fulfilled: (value: T) => void, rejected: (reason: unknown) => void): void {
    this.#wait({ fulfilled, rejected, next: null })
  }

  catch<R = never>(rejected?: Rejected<R>): SyncPromise<T | R> {
    return this.then(undefined, rejected)
  }

  finally(ended?: (() => void) | null): SyncPromise<T> {
    return this.then(
      (value) => {
        ended?.()
        return value
      },
      (reason: unknown) => {
        ended?.()
        throw reason
      },
    )
  }

  #settle(state: 'fulfilled' | 'rejected', value: unknown): void {
    if (this.#state !== 'pending') return
    this.#state = state
    this.#value = value
    const waiting = this.#waiting
    this.#waiting = null
    if (waiting) for (const one of waiting) this.#tell(one)
  }

  #wait(waiting: Waiting<T>): void {
    if (this.#state === 'pending') (this.#waiting ??= []).push(waiting)
    else this.#tell(waiting)
  }

  #tell({ fulfilled, rejected, next }: Waiting<T>): void {
    const isFulfilled = this.#state === 'fulfilled'
    const callback = (isFulfilled ? fulfilled : rejected) as ((value: unknown) => unknown) | null | undefined
    if (!next) callback?.(this.#value)
    else if (callback) next.#become(callback, this.#value)
    else next.#settle(isFulfilled ? 'fulfilled' : 'rejected', this.#value)
  }

  /** Takes over what a callback returns or throws. */
  #become(callback: (value: unknown) => unknown, value: unknown): void {
    try {
      const result = callback(value)
      const settled = (known: unknown) => this.fulfill(known as T)
      const failed = (reason: unknown) => this.reject(reason)
      if (result instanceof SyncPromise) result.observe(settled, failed)
      else if (isPromise(result)) result.then(settled, failed)
      else settled(result)
    } catch (error) {
      this.reject(error)
    }
  }
}

/** The promise of a value that could not even be asked for: it fails where it is waited for, not where it is asked. */
export function rejected(reason: unknown): SyncPromise<never> {
  const later = new SyncPromise<never>()
  later.reject(reason)
  return later
}

/**
 * All values in their order, like `Promise.all`. Where every one of them that is to be waited for is a {@link SyncPromise}, the
 * list is one too, and comes as soon as the last of them.
 */
export function allOf(values: readonly unknown[]): Promise<unknown[]> {
  const waiting: number[] = []
  for (let i = 0; i < values.length; i++) {
    if (values[i] instanceof SyncPromise) waiting.push(i)
    else if (isPromise(values[i])) return Promise.all(values)
  }
  const list = [...values]
  const all = new SyncPromise<unknown[]>()
  let left = waiting.length
  if (left === 0) all.fulfill(list)
  for (const i of waiting) {
    ;(values[i] as SyncPromise<unknown>).observe(
      (value) => {
        list[i] = value
        if (--left === 0) all.fulfill(list)
      },
      (reason) => all.reject(reason),
    )
  }
  return all
}
