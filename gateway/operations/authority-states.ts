import { LRUCache } from 'lru-cache'
import type { KeyValue } from '../../kernel/store/key-value'
import type { Logger } from '../../kernel/process/log'
import { revoked } from '../../kernel/sign-in/session-cache'

export interface AuthorityStateOptions {
  /** Null: the source is asked each time. */
  cache: KeyValue | null
  log: Logger
}

const cachedForMs = 60_000
/** Says how many texts of states are kept read; the text of a state stays the same until something about it changes. */
const mostRead = 1000

/**
 * Rights of those who bear sessions or keys: from the cache where there is one, else from its source. That somebody may do
 * nothing is not remembered, so nobody fills the cache with what does not exist.
 */
export class AuthorityStates<State extends { scopes: ReadonlySet<string> }> {
  readonly #read = new LRUCache<string, State>({ max: mostRead })

  constructor(private readonly options: AuthorityStateOptions) {}

  /**
   * @param key of the cache, which whoever ends the session or key marks
   * @param stored asks the source; null for what may not be used
   */
  async of(key: string, requestId: string, stored: () => Promise<State | null>): Promise<State | null> {
    const { cache, log } = this.options
    if (!cache) return stored()
    let known: string | null
    try {
      known = await cache.get(key)
    } catch (error) {
      log.warn({ requestId, error: String(error) }, 'the session cache does not answer: asking the database')
      return stored()
    }
    if (known === revoked) return stored()
    if (known !== null) return this.#stateFrom(known)
    const state = await stored()
    if (state) await this.#remember(cache, key, state, requestId)
    return state
  }

  /** Of the same text always the same state, so that nothing is read twice and sets of scopes can be told apart. */
  #stateFrom(text: string): State {
    let state = this.#read.get(text)
    if (!state) {
      const { scopes, ...rest } = JSON.parse(text) as Omit<State, 'scopes'> & { scopes: string[] }
      this.#read.set(text, (state = { ...rest, scopes: new Set(scopes) } as unknown as State))
    }
    return state
  }

  /** Only where nothing stands: what ended since it was read has left its mark there. */
  async #remember(store: KeyValue, key: string, state: State, requestId: string): Promise<void> {
    try {
      const text = JSON.stringify({ ...state, scopes: [...state.scopes] })
      await store.set(key, text, { ttlMs: cachedForMs, onlyIfAbsent: true })
    } catch (error) {
      this.options.log.warn({ requestId, error: String(error) }, 'the session cache does not answer')
    }
  }
}
