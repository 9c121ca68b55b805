import type { Services } from './context'
import type { Database } from './connection/database'

/** Work that a subgraph does by itself, beside requests. It may run in several processes at once. */
export interface Job {
  /** For the log. */
  name: string
  /** Milliseconds from the end of one run to the next, below 2^31: the longest that a timer waits. */
  everyMs: number
  run(database: Database, services: JobServices): Promise<void>
}

/** Describes what jobs use of the process. */
export type JobServices = Pick<Services, 'clock' | 'log'>
