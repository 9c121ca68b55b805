const speed = ({ requestsPerSecond }) => requestsPerSecond.median
const lightness = ({ cpuMs }) => 1 / cpuMs.median
/** With whatever stands behind the server: the same work on both sides. */
const wholeLightness = ({ cpuMs, cpuMsBehind }) => 1 / (cpuMs.median + (cpuMsBehind?.median ?? 0))

/** All that was burnt for a request: server, subgraphs, PostgreSQL. Steadier than requests/s where others use the machine. */
const allLightness = ({ cpuMs, cpuMsBehind, cpuMsPostgres }) =>
  1 / (cpuMs.median + (cpuMsBehind?.median ?? 0) + (cpuMsPostgres?.median ?? 0))

const ownAgainstGateway = 'our CPU with subgraphs, theirs of the gateway alone'
const ownAgainstAll = 'CPU, with subgraphs on both sides'

/** Holds what the product wants to reach: ours against whom, in which workload, measured how, the least and the aim. */
const goals = [
  ['federation-ours', 'federation-stock', 'federation', 'CPU of the gateway', lightness, 4, 8],
  ...[
    ['federation', 6, 13],
    ['federation-small', 7, 10],
  ].flatMap(([workload, least, aim]) => [
    ['ours-in-process', 'federation-stock', workload, ownAgainstGateway, lightness, least, aim],
    ['ours-in-process', 'federation-stock', workload, ownAgainstAll, wholeLightness, null, null],
  ]),
  // Without a goal: most of the work in the product's graph is that of its subgraphs, which both have.
  ...['nested-20', 'list-20'].flatMap((workload) => [
    ['ours', 'stock', workload, ownAgainstGateway, lightness, null, null],
    ['ours', 'stock', workload, ownAgainstAll, wholeLightness, null, null],
  ]),
  ['federation-ours', 'hive-rust', 'federation', 'CPU of the gateway', lightness, 1, 2],
  ['federation-ours', 'hive-rust', 'federation-4ms', 'CPU of the gateway', lightness, 1, 2],
  ['ours', 'postgraphile', 'list-20', 'requests/s', speed, 1.5, 2.5],
  ['ours', 'postgraphile', 'nested-20', 'requests/s', speed, 1, 1.5],
  ['ours', 'postgraphile', 'list-1000', 'requests/s', speed, 0.9, 1.5],
  ['ours', 'limit', 'list-20', 'requests/s', speed, 0.4, 0.6],
  ['ours', 'limit', 'nested-20', 'requests/s', speed, 0.3, 0.6],
  ['ours', 'limit', 'list-1000', 'requests/s', speed, 0.35, 0.6],
  ['ours', 'ours-unguarded', 'list-20', 'CPU', lightness, 0.9, 0.95],
  ['ours', 'ours-unguarded', 'nested-20', 'CPU', lightness, 0.9, 0.95],
]

/** Returns what was reached of the goals that this run measured, as a Markdown table; empty when it measured none. */
export function reached({ titles, results }) {
  const rows = goals.flatMap(([ours, other, workload, how, read, least, aim]) => {
    const of = (candidate) =>
      results.find((one) => one.workload === workload && one.candidate === candidate && one.cpuMs)
    const [one, two] = [of(ours), of(other)]
    if (!one || !two) return []
    const ratio = read(one) / read(two)
    const verdict = least === null ? '' : ratio >= aim ? 'aim reached' : ratio >= least ? 'reached' : 'missed'
    return [
      `| ${titles[other]} | ${workload} | ${how} | ${ratio.toFixed(2)} | ${(allLightness(one) / allLightness(two)).toFixed(2)} | ${least ?? '–'} | ${aim ?? '–'} | ${verdict} |`,
    ]
  })
  if (rows.length === 0) return ''
  const head = '| Against | Workload | Measured | Ours is better by | by all CPU | Least | Aim | |'
  return [head, '| --- | --- | --- | ---: | ---: | ---: | ---: | --- |', ...rows].join('\n')
}
