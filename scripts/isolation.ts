import { writeFileSync } from 'node:fs'
import { proveIsolation } from '../isolation'
import { statementTimeoutMs } from '../isolation/attacks/races'
import { faultsOf, reportPage } from '../isolation/report'
import { openStage } from '../isolation/stage'

/** `npm run isolation`: attacks an instance of its own and writes what it found. Exit code 1: isolation is not proved. */
async function main(): Promise<void> {
  // Few connections, so that requests must share them and wait.
  const stage = await openStage({
    DATABASE_CONNECTIONS: '14',
    STATEMENT_TIMEOUT_MS: String(statementTimeoutMs),
  })
  try {
    const report = await proveIsolation(stage, {
      config: stage.config,
      log: stage.log,
      print: (line) => console.log(line),
    })
    writeFileSync('isolation-report.json', `${JSON.stringify(report, null, 2)}\n`)
    writeFileSync('isolation-report.html', reportPage(report))
    for (const { kind, total, attacked } of report.coverage)
      console.log(`${kind}: ${attacked} of ${total} attacked`)
    for (const { wall, stillHolds, noticedBy } of report.walls)
      console.log(
        `without a wall (${wall}): ${stillHolds ? 'the others hold' : 'rows are seen'}, noticed by ${noticedBy.join(', ') || 'nobody'}`,
      )
    console.log(`races: ${JSON.stringify(report.races)}`)
    const faults = faultsOf(report)
    for (const fault of faults.slice(0, 50)) console.error(fault.slice(0, 1_000))
    console.log(
      report.holds
        ? `Isolation holds: ${report.operations} operations, no foreign row. isolation-report.html tells more.`
        : `Isolation is not proved: ${faults.length} faults. isolation-report.html tells more.`,
    )
    if (!report.holds) process.exitCode = 1
  } finally {
    await stage.close()
  }
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
