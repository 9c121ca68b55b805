import type { Clock } from '../../kernel/clock'
import type { Logger } from '../../kernel/process/log'

/** Describes what must answer before this process may be sent requests, by name: a database, a store, subgraphs. */
export type Checks = Readonly<Record<string, () => Promise<unknown>>>

/** Says whether requests may be sent here, and which checks hold. */
export interface Readiness {
  ready: boolean
  checks: Record<string, 'ok' | 'unavailable'>
}

const timeoutMs = 3000
/** Says how long an answer counts: whoever asks more often, anybody can, costs the database nothing. */
const keptMs = 1000

/**
 * The readiness of this process, asked of the checks once for all who ask within a second.
 *
 * @param checks read each time they are asked: subgraphs come and go with the supergraph
 */
export function readiness(checks: Checks, log: Logger, clock: Clock): () => Promise<Readiness> {
  let asking: Promise<Readiness> | undefined
  let known: { at: number; state: Readiness } | undefined
  const ask = async () => {
    const state = await ready(checks, log)
    known = { at: clock.now().getTime(), state }
    asking = undefined
    return state
  }
  return async () => {
    const age = known ? clock.now().getTime() - known.at : -1
    return known && age >= 0 && age < keptMs ? known.state : (asking ??= ask())
  }
}

/** Asks everything at once. The answer names what does not answer; why stands in the log. */
async function ready(checks: Checks, log: Logger): Promise<Readiness> {
  const states = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await answers(name, check, log)] as const),
  )
  return {
    ready: states.every(([, ok]) => ok),
    checks: Object.fromEntries(states.map(([name, ok]) => [name, ok ? 'ok' : 'unavailable'])),
  }
}

async function answers(name: string, check: () => Promise<unknown>, log: Logger): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    await Promise.race([check(), late])
    return true
  } catch (error) {
    log.warn({ check: name, error: error instanceof Error ? error.message : String(error) }, 'not ready')
    return false
  } finally {
    clearTimeout(timer)
  }
}
