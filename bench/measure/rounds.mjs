import { answerOf, closedLoop, openLoop } from './load.mjs'
import { summary } from './statistics.mjs'
import { compareAnswers } from '../targets.mjs'

/**
 * Measures one workload: answers are compared, counted and warmed up, then every candidate takes its turn in every
 * round, then all get requests at one fixed rate.
 *
 * @param job.targets the candidates, in the order of a round
 * @param job.servers by candidate, see processes.mjs
 * @param job.behind the server behind a candidate whose cost is told apart, or null
 * @param job.postgres PostgreSQL's processes, or null
 * @returns one result per candidate
 */
export async function measure(job) {
  const { workload, targets, servers, behind, postgres, rounds, seconds, concurrency, say } = job
  const sizes = await compareAnswers(workload, targets)
  say(
    `${workload.name}: ${targets.length} candidates give the same answer of ${Math.min(...Object.values(sizes))} bytes`,
  )
  const counts = {}
  for (const target of targets) {
    await warmUp(target, concurrency)
    counts[target.candidate] = await countsOf(target, servers[target.candidate], behind(target.candidate))
    servers[target.candidate].resetPeak()
  }
  const measured = new Map(targets.map(({ candidate }) => [candidate, []]))
  for (let round = 1; round <= rounds; round++) {
    const speeds = []
    for (const target of targets) {
      await leadIn(target, concurrency)
      const parts = [servers[target.candidate], behind(target.candidate), postgres]
      const before = parts.map((part) => part?.cpuMs() ?? null)
      const loop = await closedLoop(target, { concurrency, seconds })
      const [own, behindIt, database] = parts.map((part, place) =>
        before[place] === null ? null : (part.cpuMs() - before[place]) / loop.requests,
      )
      const perSecond = loop.requests / loop.seconds
      measured.get(target.candidate).push({ perSecond, own, behindIt, database, ...loop })
      speeds.push(`${target.candidate} ${perSecond.toFixed(0)}`)
    }
    say(`${workload.name} round ${round} of ${rounds}, requests/s: ${speeds.join(' · ')}`)
  }
  const results = targets.map(({ candidate }) => {
    const given = measured.get(candidate)
    const over = (read) => summary(given.map(read))
    return {
      workload: workload.name,
      title: workload.title,
      candidate,
      concurrency,
      requestsPerSecond: over((one) => one.perSecond),
      cpuMs: over((one) => one.own),
      cpuMsBehind: over((one) => one.behindIt),
      cpuMsPostgres: over((one) => one.database),
      latencyMs: { p50: over((one) => one.p50), p95: over((one) => one.p95), p99: over((one) => one.p99) },
      failed: given.reduce((sum, one) => sum + one.failed, 0),
      peakMiB: servers[candidate].peakMiB(),
      answerBytes: sizes[candidate],
      ...counts[candidate],
    }
  })
  if (job.openLoop) await addOpenLoop(results, targets, seconds, rounds, say)
  return results
}

/** Subgraph calls and statements of one request: the least of three, since servers also do things of their own. */
async function countsOf(target, server, behind) {
  const counters = [behind, server.canAnswer ? server : null].filter(Boolean)
  const read = () => Promise.all(counters.map((counter) => counter.ask('counts')))
  const counts = []
  await answerOf(target, 1)
  for (let request = 2; request < 5; request++) {
    const before = await read()
    await answerOf(target, request)
    const after = await read()
    counts.push({
      // Where the subgraphs are apart they count themselves, whoever calls them.
      calls: after[0].calls - before[0].calls,
      statements: after.reduce(
        (sum, { statements }, place) => sum + statements - before[place].statements,
        0,
      ),
    })
  }
  return {
    calls: Math.min(...counts.map(({ calls }) => calls)),
    statements: Math.min(...counts.map(({ statements }) => statements)),
  }
}

/**
 * Runs until the code is compiled, for servers run for days and rounds for seconds: at least 6,000 requests, but for no
 * longer than 30 seconds. After 2,000 ours still gained half of its speed in the rounds.
 */
async function warmUp(target, concurrency) {
  let requests = 0
  for (let seconds = 0; seconds < 30 && requests < 6000; seconds++)
    requests += (await closedLoop(target, { concurrency, seconds: 1 })).requests
}

/**
 * Returns what is not counted of a turn, after the others' turns: ours asks once a minute whether a session still
 * holds, which no peer does, and Node discards code that idles. As many requests as there are sessions, for at most two
 * seconds.
 */
async function leadIn(target, concurrency) {
  let requests = 0
  for (let part = 0; part < 4 && requests < 128; part++)
    requests += (await closedLoop(target, { concurrency, seconds: 0.5 })).requests
}

/** All candidates at the same rate: half of what the slowest of them reached. */
async function addOpenLoop(results, targets, seconds, rounds, say) {
  const rate = Math.max(1, Math.min(...results.map(({ requestsPerSecond }) => requestsPerSecond.median)) / 2)
  for (const [place, target] of targets.entries()) {
    const { p50, p95, p99 } = await openLoop(target, { rate, seconds: Math.max(seconds * rounds * 0.4, 1) })
    results[place].openLoop = { rate, p50, p95, p99 }
  }
  say(
    `${results[0].workload} at ${rate.toFixed(0)} requests/s, 99th percentile in ms: ${results.map(({ candidate, openLoop }) => `${candidate} ${openLoop.p99.toFixed(1)}`).join(' · ')}`,
  )
}
