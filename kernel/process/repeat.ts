import type { Logger } from './log'

/**
 * Runs work every `everyMs`, counted from the end of one run to the begin of the next, the first time after `everyMs`. A
 * failure is logged and the work tried again at its next time.
 * @param name for the log
 * @returns takes no further runs and waits for the one under way
 */
export function repeat(
  name: string,
  everyMs: number,
  log: Logger,
  work: () => Promise<unknown>,
): () => Promise<void> {
  let underWay: Promise<unknown> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let ended = false
  const wait = () => {
    // A process that has nothing else to do may end.
    if (!ended) timer = setTimeout(() => void (underWay = run()), everyMs).unref()
  }
  const run = async () => {
    try {
      await work()
    } catch (error) {
      log.error({ work: name, err: error }, 'what runs beside requests failed and will be tried again')
    }
    wait()
  }
  wait()
  return async () => {
    ended = true
    clearTimeout(timer)
    await underWay
  }
}
