import { extname, join } from 'node:path'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { GraphQLError } from 'graphql'
import { ApiError, queryTooCostly } from '../../kernel/errors'
import type { Logger } from '../../kernel/process/log'
import type { PlanMaker } from './plans'

/** What the thread is asked: the plan of an operation. */
export interface Asked {
  number: number
  text: string
  operationName: string | undefined
}

/** What it answers: once that it is ready, then plans as JSON, or what the planner threw. */
export type Answered =
  | { loaded: true }
  | { number: number; json: string }
  | { number: number; message: string; extensions: Record<string, unknown> | null }

export interface ThreadOptions {
  log: Logger
  /** How many operations may wait to be planned. Default 1,000. */
  waiting?: number
  /** Milliseconds for one plan. Default 10,000: what takes longer would take as long for everybody. */
  timeoutMs?: number
  /** For tests: how a thread that is not compiled is run. */
  worker?: WorkerOptions
}

interface Job extends Asked {
  resolve: (json: string) => void
  reject: (error: unknown) => void
}

/** Sent before they are needed, so that the thread never waits for this one between two plans. */
const sentAhead = 2
/** How many operations of clients may pass one that is planned ahead. */
const mostPassed = 4

/**
 * Plans for one supergraph in a thread of its own, one operation after the other, so that planning holds up nobody but
 * those who wait for a plan. A thread that breaks or takes too long over an operation is replaced: that operation
 * fails, the others that wait are planned by the next thread.
 */
export function planThread(supergraph: string, options: ThreadOptions): PlanMaker {
  const { log, waiting: most = 1000, timeoutMs = 10_000 } = options
  const waiting: Job[] = []
  let later: Job[] = []
  let sent: Job[] = []
  let worker: Worker | null = null
  let timer: NodeJS.Timeout | undefined
  let numbers = 0
  let passed = 0
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
    waiting.unshift(...rest)
    at?.reject(because())
    pump(true)
  }

  function pump(progress: boolean): void {
    while (!closed && sent.length < sentAhead) {
      // A client may have come for what is planned ahead: it comes last, but it comes.
      const ahead = waiting.length === 0 ? sent.length === 0 : passed >= mostPassed
      const job = (ahead ? later.shift() : undefined) ?? waiting.shift()
      if (!job) break
      passed = ahead ? 0 : passed + 1
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
    plan: (text, operationName, urgent) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new Error('The planning thread is closed'))
        if (waiting.length >= most) return reject(busy())
        ;(urgent ? waiting : later).push({ number: ++numbers, text, operationName, resolve, reject })
        pump(false)
      }),
    async close() {
      closed = true
      clearTimeout(timer)
      const left = [...sent, ...waiting.splice(0), ...later]
      sent = later = []
      for (const { reject } of left) reject(new Error('The planning thread is closed'))
      await worker?.terminate()
    },
  }
}

const busy = () => new ApiError('RATE_LIMITED', 'Too many new operations at once. Try again in a moment.')
const broken = () =>
  new ApiError('INTERNAL_SERVER_ERROR', 'This operation could not be planned. Others are not affected.')
const tooLong = () => queryTooCostly('The operation takes too long to plan: split it')
