import { extname, join } from 'node:path'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { GraphQLError } from 'graphql'
import { ApiError, queryTooCostly } from '../../kernel/errors'
import type { Logger } from '../../kernel/process/log'
import { refusedForNow } from '../errors'
import { planQueue, type WaitingPlans } from './plan-queue'
import type { PlanMaker } from './plans'

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
/**
 * Plans for one supergraph in a thread of its own, one operation after the other, each tenant's in turn, so that planning
 * holds up nobody but those who wait for a plan, and one tenant's no other's. A thread that breaks or takes too long over an operation is replaced: that operation
 * fails, the others that wait are planned by the next thread.
 */
export function planThread(supergraph: string, options: ThreadOptions): PlanMaker {
  const { log, timeoutMs = 10_000 } = options
  const waiting = planQueue<Job>(options.waiting)
  let sent: Job[] = []
  let worker: Worker | null = null
  let timer: NodeJS.Timeout | undefined
  let numbers = 0
  let loaded = false
  let closed = false

  /** @returns when it has loaded the supergraph */
  function start(): Promise<void> {
    const started = new Worker(join(__dirname, `plan-worker${extname(__filename)}`), {
      // A plan that needs more than this ends the thread instead of the process.
      resourceLimits: { maxOldGenerationSizeMb: 1024 },
      ...options.worker,
      workerData: supergraph,
    })
    worker = started
    loaded = false
    started.unref()
    return new Promise((resolve, reject) => {
      started.on('message', (answered: Answered) => {
        if (worker !== started) return
        if ('loaded' in answered) {
          loaded = true
          pump(true)
          resolve()
        } else settle(answered)
      })
      const ended = (reason: unknown) => {
        reject(
          reason instanceof Error
            ? reason
            : new Error(`The planning thread ended with code ${String(reason)}`),
        )
        if (worker === started && !closed) replace(broken, reason)
      }
      started.once('error', ended)
      started.once('exit', ended)
    })
  }

  function settle(answered: Exclude<Answered, { loaded: true }>): void {
    const job = sent.find(({ number }) => number === answered.number)
    if (!job) return
    sent = sent.filter((other) => other !== job)
    if ('json' in answered) job.resolve(answered.json)
    else if (answered.extensions)
      job.reject(new GraphQLError(answered.message, { extensions: answered.extensions }))
    else job.reject(new Error(answered.message))
    pump(true)
  }

  /** Gives up the thread and the operation it was at. The next thread starts when there is something to plan. */
  function replace(because: () => GraphQLError, reason: unknown): void {
    const [at, ...rest] = sent
    log.error(
      { reason: reason instanceof Error ? reason.message : reason, waiting: rest.length + waiting.length },
      'the planning thread is replaced',
    )
    void worker?.terminate()
    worker = null
    sent = []
    waiting.putBack(rest)
    at?.reject(because())
    pump(true)
  }

  function pump(progress: boolean): void {
    while (!closed && sent.length < sentAhead) {
      const job = waiting.next(sent.length === 0)
      if (!job) break
      if (!worker) start().catch(() => undefined)
      sent.push(job)
      const { number, text, operationName } = job
      worker!.postMessage({ number, text, operationName } satisfies Asked)
      progress ||= sent.length === 1
    }
    if (!progress) return
    clearTimeout(timer)
    // Loading the supergraph takes as long as it does.
    if (loaded && sent.length > 0)
      timer = setTimeout(() => replace(tooLong, `no plan within ${timeoutMs} ms`), timeoutMs).unref()
  }

  const ready = start()
  ready.catch(() => undefined)
  return {
    ready,
    plan: (text, operationName, asker) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new Error('The planning thread is closed'))
        if (waiting.isFullFor(asker)) return reject(refusedForNow('OVERLOADED', retryAfterSeconds))
        waiting.add(asker, { number: ++numbers, text, operationName, resolve, reject })
        pump(false)
      }),
    async close() {
      closed = true
      clearTimeout(timer)
      const left = [...sent, ...waiting.clear()]
      sent = []
      for (const { reject } of left) reject(new Error('The planning thread is closed'))
      await worker?.terminate()
    },
  }
}

/** A full queue of one asker takes about as long. */
const retryAfterSeconds = 1

const broken = () =>
  new ApiError('INTERNAL_SERVER_ERROR', 'This operation could not be planned. Others are not affected.')
const tooLong = () => queryTooCostly('The operation takes too long to plan: split it')
