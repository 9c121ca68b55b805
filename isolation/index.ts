import type { Config } from '../kernel/process/config'
import type { Logger } from '../kernel/process/log'
import { attackAbsence } from './attacks/absence'
import { attackCaches } from './attacks/caches'
import { attackCiphertexts } from './attacks/ciphertexts'
import { attackColumns } from './attacks/columns'
import { attackCursors } from './attacks/cursors'
import { attackEvents, attackMails } from './attacks/events'
import { attackExport, attackFiles } from './attacks/files'
import { attackMutations } from './attacks/mutations'
import { attackWithRaces, type RaceReport } from './attacks/races'
import { attackIds } from './attacks/reads'
import { attackOperators } from './attacks/operators'
import { attackReferences } from './attacks/references'
import { attackRights } from './attacks/rights'
import { attackStreams } from './attacks/streams'
import { attackSubgraphs } from './attacks/tokens'
import { openLab } from './lab'
import { addTwins, attacker, populate, stranger } from './population'
import { faultsOf, type IsolationReport } from './report'
import { copyOf, type Stage } from './stage'
import { showOwn } from './targets'
import { testWalls } from './walls'

export interface IsolationOptions {
  config: Config
  log: Logger
  /** Tenants besides the attacker and the stranger; default 20. */
  twins?: number
  /** Concurrent operations under faults; default 10,240. */
  races?: number
  print?: (line: string) => void
}

/**
 * Attacks the product on a migrated and empty stage along every path that the schemas have, and reports. The stage is
 * of no use afterwards.
 */
export async function proveIsolation(stage: Stage, options: IsolationOptions): Promise<IsolationReport> {
  const { config, log, print = () => undefined } = options
  const started = Date.now()
  const phases: IsolationReport['phases'] = []
  let sent = () => 0
  const phase = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const [from, before] = [Date.now(), sent()]
    const result = await work()
    const seconds = Math.round((Date.now() - from) / 100) / 10
    phases.push({ name, seconds, operations: sent() - before })
    print(`${name}: ${sent() - before} operations, ${seconds} s`)
    return result
  }

  const first = await phase('first tenants', () => populate(stage, 1))
  const small = await copyOf(stage)
  const others = await phase('further tenants', () => addTwins(stage, 2, options.twins ?? 20))
  const twins = [...first, ...others]
  const lab = await phase('start', () => openLab(stage, twins, { config, log }))
  sent = lab.operations
  const { rows: versions } = await lab.client.query<{ server_version: string }>('SHOW server_version')
  const postgres = versions[0]!.server_version
  const victims = [stranger, ...twins.slice(0, 1)]
  let refusedTokens: number
  let races: RaceReport
  try {
    await phase('what victims are shown', () =>
      Promise.all([attacker, ...victims].map((tenant) => showOwn(lab, tenant))),
    )
    // First of the attacks, because mutations suspend and demote the attacker's own colleagues.
    // This and the next ask the same twice, the trail among it.
    await phase('columns and rows within a tenant', () =>
      lab.unrecorded(() => attackColumns(lab, ['viewer', 'analyst', 'hr'])),
    )
    await phase('ids', () => lab.unrecorded(() => attackIds(lab, victims)))
    await phase('cursors', () => lab.unrecorded(() => attackCursors(lab, stranger)))
    await phase('caches', () => lab.unrecorded(() => attackCaches(lab, stranger)))
    await phase('references', () => attackReferences(lab, victims))
    refusedTokens = await phase('viewer tokens', () => attackSubgraphs(lab))
    await phase('door of the operators', () => attackOperators(lab, victims))
    await phase('rights of the roles', () => attackRights(lab, victims))
    await phase('encrypted values', () => attackCiphertexts(lab, victims))
    await phase('events and mails', async () => {
      await attackEvents(lab, victims)
      await attackMails(lab, victims)
    })
    await phase('streams', () => lab.unrecorded(() => attackStreams(lab, victims)))
    await phase('files and audit exports', async () => {
      await attackFiles(lab, victims)
      await attackExport(lab, victims)
    })
    await phase('mutations', () => attackMutations(lab, victims))
    races = await phase('races and faults', () =>
      attackWithRaces(lab, [attacker, stranger, ...twins], options.races ?? 10_240),
    )
    await phase('absence of the others', () => attackAbsence(lab, twins))
  } finally {
    await lab.close()
  }
  const walls = await phase('walls', () =>
    testWalls(small, first, { config, log }).finally(() => small.drop()),
  )
  const report = {
    startedAt: new Date(started).toISOString(),
    seconds: Math.round((Date.now() - started) / 100) / 10,
    node: process.version,
    postgres,
    operations: lab.operations(),
    ownRowsSeen: lab.witness.ownIds(),
    phases,
    coverage: lab.coverage.lines(),
    refusedTokens,
    races,
    walls,
    findings: lab.findings,
  }
  return { holds: faultsOf(report).length === 0, ...report }
}
