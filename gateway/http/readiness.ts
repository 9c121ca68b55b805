import type { Logger } from '../../kernel/process/log'

/** Describes what must answer before this process may be sent requests, by name: a database, a store, subgraphs. */
export type Checks = Readonly<Record<string, () => Promise<unknown>>>

const timeoutMs = 3000

/** Asks everything at once. The answer names what does not answer; why stands in the log. */
export async function ready(
  checks: Checks,
  log: Logger,
): Promise<{ ready: boolean; checks: Record<string, 'ok' | 'unavailable'> }> {
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
