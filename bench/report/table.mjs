import { reached } from './goals.mjs'

const number = (value, digits = 0) =>
  value === null || value === undefined
    ? '–'
    : value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits })
const spread = (value, digits = 0) =>
  value ? `${number(value.median, digits)} (${number(value.min, digits)}–${number(value.max, digits)})` : '–'
const digitsFor = (value) => (value < 1 ? 3 : value < 100 ? 2 : 0)

/** The result of a run as Markdown: one table per workload, ratios to the first candidate. */
export function markdown(result) {
  const { measuredAt, command, machine, settings, leftOut, titles, results } = result
  const lines = [
    `Measured ${measuredAt.slice(0, 16).replace('T', ' ')} UTC with \`${command}\` at ${machine.commit}: ${machine.cores} × ${machine.cpu}, ` +
      `Node ${machine.node}, load average before ${machine.loadBefore.toFixed(1)}; ${settings.rounds} rounds of ${settings.seconds} s. ` +
      'Medians, in brackets the least and the greatest of the rounds.',
    ...Object.entries(leftOut).map(([name, why]) => `Left out: ${titles[name]}: ${why}.`),
  ]
  const goals = reached(result)
  if (goals) lines.push('### Against the goals', goals)
  for (const workload of new Set(results.map((one) => one.workload))) {
    const of = results.filter((one) => one.workload === workload)
    const [first] = of
    const rate = first.openLoop
      ? ` Latency at ${number(first.openLoop.rate)} requests/s in an open loop.`
      : ''
    lines.push(
      `### ${first.title} (\`${workload}\`)`,
      `${number(first.answerBytes)} bytes, ${first.concurrency} clients.${rate} CPU in milliseconds per request.`,
      [
        '| Candidate | requests/s | ratio | CPU of the server | CPU of subgraphs | CPU of PostgreSQL | p50 / p99 ms | open loop p50 / p99 ms | peak MiB | calls | SQL |',
        '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
        ...of.map((one) => row(one, first, titles)),
      ].join('\n'),
    )
  }
  return `${lines.join('\n\n')}\n`
}

function row(one, first, titles) {
  const cpu = (value) => (value ? spread(value, digitsFor(value.median)) : '–')
  const { latencyMs, openLoop } = one
  const cells = [
    titles[one.candidate],
    spread(one.requestsPerSecond),
    number(one.requestsPerSecond.median / first.requestsPerSecond.median, 2),
    cpu(one.cpuMs),
    cpu(one.cpuMsBehind),
    cpu(one.cpuMsPostgres),
    `${number(latencyMs.p50.median, 1)} / ${number(latencyMs.p99.median, 1)}`,
    openLoop ? `${number(openLoop.p50, 1)} / ${number(openLoop.p99, 1)}` : '–',
    number(one.peakMiB),
    number(one.calls),
    number(one.statements),
  ]
  return `| ${cells.join(' | ')} |`
}
