import { Pool } from 'undici'
import { percentile } from './statistics.mjs'

/**
 * @typedef Target
 * @property {string} candidate
 * @property {string} url
 * @property {(index: number) => { body: string, headers: Record<string, string> }} request the request with this
 *   number; no two under way have the same authorization
 * @property {(text: Buffer) => boolean} accepts whether an answer is the expected one
 */

/** Sends requests to one target over a fixed number of connections. */
function client(target, connections) {
  const { origin, pathname } = new URL(target.url)
  const pool = new Pool(origin, { connections, pipelining: 1, headersTimeout: 60_000, bodyTimeout: 60_000 })
  let sent = 0
  function send() {
    const { body, headers } = target.request(sent++)
    return new Promise((resolve, reject) => {
      const chunks = []
      let status = 0
      pool.dispatch(
        { path: pathname, method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } },
        {
          onRequestStart: () => undefined,
          onResponseStart: (_controller, code) => {
            status = code
          },
          onResponseData: (_controller, chunk) => chunks.push(chunk),
          onResponseEnd: () => {
            const text = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
            if (status === 200 && target.accepts(text)) resolve()
            else reject(new Error(`${target.candidate}: HTTP ${status}: ${text.toString('utf8', 0, 400)}`))
          },
          onResponseError: (_controller, error) => reject(error),
        },
      )
    })
  }
  return { send, close: () => pool.close() }
}

/**
 * Closed loop: so many clients, each of which sends its next request when the last one is answered.
 * @returns answered and failed requests, seconds, and latencies in milliseconds
 */
export async function closedLoop(target, { concurrency, seconds }) {
  const { send, close } = client(target, concurrency)
  const latencies = []
  const failures = []
  const started = performance.now()
  const end = started + seconds * 1000
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() < end) {
        const before = performance.now()
        await send().then(
          () => latencies.push(performance.now() - before),
          (error) => failures.push(error),
        )
        tolerate(failures)
      }
    }),
  )
  const elapsed = (performance.now() - started) / 1000
  await close()
  return { requests: latencies.length, failed: failures.length, seconds: elapsed, ...percentiles(latencies) }
}

/**
 * Open loop: requests leave at a fixed rate, whether or not earlier ones are answered. Latency counts from the moment
 * at which a request should have left, so a server that stalls pays for everyone who had to wait.
 */
export async function openLoop(target, { rate, seconds }) {
  const { send, close } = client(target, 64)
  const latencies = []
  const started = performance.now()
  const total = Math.max(1, Math.round(rate * seconds))
  const answers = []
  const failures = []
  for (let index = 0; index < total; index++) {
    const due = started + (index * 1000) / rate
    const wait = due - performance.now()
    if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait))
    answers.push(
      send().then(
        () => latencies.push(performance.now() - due),
        (error) => failures.push(error),
      ),
    )
    tolerate(failures)
  }
  await Promise.all(answers)
  await close()
  return {
    rate,
    requests: total,
    failed: failures.length,
    failure: failures[0]?.message,
    ...percentiles(latencies),
  }
}

/**
 * A connection that was kept too long may break with a request on it; stock's client does not send that one again. A few
 * such failures are told in the result, and are no answers; with more of them there is nothing to measure.
 */
function tolerate(failures) {
  if (failures.length > 32) throw failures.at(-1)
}

/** One request, answered as text: to compare answers before anything is timed. */
export async function answerOf(target, index = 0) {
  const { body, headers } = target.request(index)
  const response = await fetch(target.url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  const text = await response.text()
  if (response.status !== 200)
    throw new Error(`${target.candidate}: HTTP ${response.status}: ${text.slice(0, 600)}`)
  return text
}

function percentiles(latencies) {
  const sorted = latencies.toSorted((a, b) => a - b)
  return { p50: percentile(sorted, 0.5), p95: percentile(sorted, 0.95), p99: percentile(sorted, 0.99) }
}
