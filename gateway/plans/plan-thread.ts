import { extname, join } from 'node:path'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { GraphQLError } from 'graphql'
import { ApiError, queryTooCostly } from '../../kernel/errors'
import type { Logger } from '../../kernel/process/log'
import { refusedForNow } from '../errors'
import { planQueue, type WaitingPlans } from './plan-queue'
import type { Asker, PlanMaker } from './plans'

/** Describes what the thread is asked: the plan of an operation. */
export interface Asked {
  number: number
  text: string
  operationName: string | undefined
}

/** Describes what it answers: once that it is ready, then plans as JSON, or what the planner threw. */
export type Answered =
  | { loaded: true }
  | { number: number; json: string }
  | { number: number; message: string; extensions: Record<string, unknown> | null }

export interface ThreadOptions {
  log: Logger
  /** Says how many operations may wait to be planned: of one asker and of all. */
  waiting?: Partial<WaitingPlans>
  /** Milliseconds for one plan. Default 10,000: what takes longer would take as long for everybody. */
  timeoutMs?: number
  /** For tests: how a thread that is not compiled is run. */
  worker?: WorkerOptions
}

export interface Job extends Asked {
  resolve: (json: string) => void
  reject: (error: unknown) => void
}

/** Sent before they are needed, so that the thread never waits for this one between two plans. */
const sentAhead = 2
/** A full queue of one asker takes about as long. */
const retryAfterSeconds = 1

/**
 * Plans for one supergraph in a thread of its own, one operation after the other, each tenant's in turn, so that planning
 * holds up nobody but those who wait for a plan, and one tenant's no other's. A thread that breaks or takes too long over
 * an operation is replaced: that operation fails, the others that wait are planned by the next thread.
 */
export function planThread(supergraph: string, options: ThreadOptions): PlanMaker {
  return new PlanningThread(supergraph, options)
}

class PlanningThread implements PlanMaker {
  readonly ready: Promise<void>
  readonly #waiting: ReturnType<typeof planQueue<Job>>
  #sent: Job[] = []
  #worker: Worker | null = null
  #timer: NodeJS.Timeout | undefined
  #numbers = 0
  #loaded = false
  #closed = false

  constructor(
    private readonly supergraph: string,
    private readonly options: ThreadOptions,
  ) {
    this.#waiting = planQueue<Job>(options.waiting)
    this.ready = this.#start()
    this.ready.catch(() => undefined)
  }

  plan(text: string, operationName: string | undefined, asker: Asker): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error('The planning thread is closed'))
      if (this.#waiting.isFullFor(asker)) return reject(refusedForNow('OVERLOADED', retryAfterSeconds))
      this.#waiting.add(asker, { number: ++this.#numbers, text, operationName, resolve, reject })
      this.#pump(false)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    const left = [...this.#sent, ...this.#waiting.clear()]
    this.#sent = []
    for (const { reject } of left) reject(new Error('The planning thread is closed'))
    await this.#worker?.terminate()
  }

  /** @returns when it has loaded the supergraph */
  #start(): Promise<void> {
    const started = new Worker(join(__dirname, `plan-worker${extname(__filename)}`), {
      // A plan that needs more than this ends the thread instead of the process.
      resourceLimits: { maxOldGenerationSizeMb: 1024 },
      ...this.options.worker,
      workerData: this.supergraph,
    })
    this.#worker = started
    this.#loaded = false
    started.unref()
    return new Promise((resolve, reject) => {
      started.on('message', (answered: Answered) => {
        if (this.#worker !== started) return
        if ('loaded' in answered) {
          this.#loaded = true
          this.#pump(true)
          resolve()
        } else this.#settle(answered)
      })
      const ended = (reason: unknown) => {
        reject(
          reason instanceof Error
            ? reason
            : new Error(`The planning thread ended with code ${String(reason)}`),
        )
        if (this.#worker === started && !this.#closed) this.#replace(broken, reason)
      }
      started.once('error', ended)
      started.once('exit', ended)
    })
  }

  #settle(answered: Exclude<Answered, { loaded: true }>): void {
    const job = this.#sent.find(({ number }) => number === answered.number)
    if (!job) return
    this.#sent = this.#sent.filter((other) => other !== job)
    if ('json' in answered) job.resolve(answered.json)
    else if (answered.extensions)
      job.reject(new GraphQLError(answered.message, { extensions: answered.extensions }))
    else job.reject(new Error(answered.message))
    this.#pump(true)
  }

  /** Gives up the thread and the operation it was at. The next thread starts when there is something to plan. */
  #replace(because: () => GraphQLError, reason: unknown): void {
    const [at, ...rest] = this.#sent
    this.options.log.error(
      {
        fault: reason instanceof Error ? reason.message : reason,
        waiting: rest.length + this.#waiting.length,
      },
      'the planning thread is replaced',
    )
    void this.#worker?.terminate()
    this.#worker = null
    this.#sent = []
    this.#waiting.putBack(rest)
    at?.reject(because())
    this.#pump(true)
  }

  /** @param progress whether the thread begins with something now */
  #pump(progress: boolean): void {
    while (!this.#closed && this.#sent.length < sentAhead) {
      const job = this.#waiting.next(this.#sent.length === 0)
      if (!job) break
      if (!this.#worker) this.#start().catch(() => undefined)
      this.#sent.push(job)
      const { number, text, operationName } = job
      this.#worker!.postMessage({ number, text, operationName } satisfies Asked)
      progress ||= this.#sent.length === 1
    }
    if (!progress) return
    clearTimeout(this.#timer)
    // Loading the supergraph takes as long as it does.
    if (this.#loaded && this.#sent.length > 0) this.#limit()
  }

  /** Gives the thread its time for one plan. */
  #limit(): void {
    const { timeoutMs = 10_000 } = this.options
    const late = () => this.#replace(tooLong, `no plan within ${timeoutMs} ms`)
    this.#timer = setTimeout(late, timeoutMs).unref()
  }
}

const broken = () =>
  new ApiError('INTERNAL_SERVER_ERROR', 'This operation could not be planned. Others are not affected.')
const tooLong = () => queryTooCostly('The operation takes too long to plan: split it')
