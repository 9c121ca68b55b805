import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** A server that dies more often within a minute needs a person. */
const restartsPerMinute = 5

export interface KeptRunning {
  /** Null while it is being started again, and once it is lost. */
  child(): ChildProcess | null
  /** Restarts end here. Resolves to what still runs. */
  release(): Promise<ChildProcess | null>
}

/**
 * Starts a child again whenever it ends by itself, at once and then with growing pauses.
 * @param report.lost it died too often, or could not be started again: nothing more is tried
 */
export function keepRunning(
  first: ChildProcess,
  report: {
    restart(): Promise<ChildProcess>
    ended(): void
    restarted(): void
    failed(error: Error): void
    lost(error: Error): void
  },
): KeptRunning {
  let child: ChildProcess | null = first
  let released = false
  let restarting: Promise<void> = Promise.resolve()
  const deaths: number[] = []

  const watch = (one: ChildProcess) => {
    one.once('exit', () => {
      if (released) return
      child = null
      report.ended()
      restarting = again()
    })
  }
  const again = async () => {
    deaths.push(Date.now())
    const recent = deaths.filter((at) => at > Date.now() - 60_000).length
    if (recent > restartsPerMinute) return report.lost(new Error('PostgreSQL dies again and again'))
    for (const pauseMs of [0, 250, 1000, 4000]) {
      await sleep(pauseMs)
      if (released) return
      try {
        child = await report.restart()
        watch(child)
        return report.restarted()
      } catch (error) {
        report.failed(error as Error)
      }
    }
    report.lost(new Error('PostgreSQL died and could not be started again'))
  }
  watch(first)
  return {
    child: () => child,
    release: async () => {
      released = true
      await restarting
      return child
    },
  }
}
