import type { DocumentNode } from 'graphql'
import type { Approval } from './versions/approvals'
import { sorted, type Change } from './change'
import type { Compose, CompositionProblem } from './composition/composed'
import { contractSchema, type Contract } from './composition/contracts'
import { apiChanges, diff } from './diff'
import { verdictOf, type JudgedChange } from './verdict'
import { lint, type LintFinding } from './lint'
import { locator } from './composition/locations'
import { operationFaults, type OperationFault, type OperationFile } from './usage/operations'
import type { SchemaModel } from './schema-model'
import type { SubgraphSource } from './composition/subgraph-files'
import { readBase, readSupergraph } from './composition/supergraph-text'
import { usageIndex, type Usage } from './usage/usage'

export interface CheckInput {
  subgraphs: readonly SubgraphSource[]
  /** Holds what clients have today; null when there is nothing yet. */
  base: { label: string; document: DocumentNode } | null
  contracts: readonly Contract[]
  /** The contracts of the base; those of now when not given. */
  baseContracts?: readonly Contract[]
  approvals: readonly Approval[]
  usage: Usage | null
  /** Days without use after which something counts as unused. */
  days: number
  /** `YYYY-MM-DD` */
  today: string
  strict: boolean
  /** Operations of this repository, which must stay valid. */
  operations: readonly OperationFile[]
  /** Tells whether the house rules are asked. */
  lint: boolean
  /**
   * Holds what an approval of a change is written with: the options that find it again, and a day; null when nothing
   * is.
   */
  approve: CheckReport['approve']
  /** Committed files that are made of the supergraph: each says whether it is what it would be now. */
  artefacts: readonly { file: string; isCurrent: (supergraph: string) => boolean }[]
}

export interface CheckReport {
  passed: boolean
  base: string | null
  problems: CompositionProblem[]
  changes: JudgedChange[]
  findings: LintFinding[]
  operations: OperationFault[]
  /** Says how an approval is written: options of "schema approve", and a last day to propose. */
  approve: { options: string; until: string } | null
  /** Committed files that the supergraph has left behind. */
  stale: string[]
  /** Approvals that cover no change of this check: void, run out or done with. */
  idleApprovals: Approval[]
  usage: { from: string | null; days: number; operations: number } | null
  supergraph: string | null
}

/**
 * Everything that must hold before a schema change lands.
 * @param compose may work in a thread of its own: it is called first, and everything that can goes on meanwhile
 */
export async function check(input: CheckInput, compose: Compose): Promise<CheckReport> {
  const composing = compose(input.subgraphs)
  const before = input.base && readBase(input.base.document)
  const find = before && input.usage && usageIndex(input.usage, before)
  const findings = input.lint ? lint(input.subgraphs) : []
  const { supergraph, problems } = await composing
  const usage = input.usage && {
    from: input.usage.from,
    days: input.days,
    operations: input.usage.operations.length,
  }
  const report = {
    base: input.base?.label ?? null,
    problems,
    changes: [],
    findings: [],
    operations: [],
    stale: [],
    approve: input.approve,
    idleApprovals: [],
    usage,
    supergraph,
  }
  if (supergraph === null) return { ...report, passed: false }

  const after = readSupergraph(supergraph)
  const locate = locator(input.subgraphs.map(({ typeDefs }) => typeDefs))
  const found = before
    ? allChanges(before, after, input.baseContracts ?? input.contracts, input.contracts)
    : []
  const changes = verdictOf(found, { ...input, base: before ?? after, find, locate })
  const contractProblems = input.contracts.flatMap((contract) =>
    contractSchema(after, contract).faults.map(({ coordinate, message }) => ({
      code: 'CONTRACT_INVALID',
      message,
      location: locate(coordinate),
      fix: 'Tag what it needs, or exclude what leads there.',
    })),
  )
  const operations = operationFaults(after, input.operations)
  const stale = input.artefacts.filter(({ isCurrent }) => !isCurrent(supergraph)).map(({ file }) => file)
  const covering = new Set(changes.map(({ approval }) => approval))
  return {
    ...report,
    problems: contractProblems,
    changes,
    findings,
    operations,
    stale,
    idleApprovals: input.approvals.filter((approval) => !covering.has(approval)),
    passed:
      contractProblems.length === 0 &&
      operations.length === 0 &&
      stale.length === 0 &&
      changes.every(({ blocked }) => blocked === null) &&
      findings.every(({ severity }) => severity !== 'error'),
  }
}

/** The changes of the graph, and those only the clients of a contract notice. */
export function allChanges(
  before: SchemaModel,
  after: SchemaModel,
  contractsBefore: readonly Contract[],
  contractsAfter: readonly Contract[],
): (Change & { contracts: string[] })[] {
  const key = ({ code, coordinate, from, to }: Change) => JSON.stringify([code, coordinate, from, to])
  const found = new Map<string, Change & { contracts: string[] }>()
  for (const change of diff(before, after)) found.set(key(change), { ...change, contracts: [] })
  for (const contract of contractsBefore) {
    const now = contractsAfter.find(({ name }) => name === contract.name)
    if (!now) {
      const { name } = contract
      const removed: Change = {
        code: 'CONTRACT_REMOVED',
        severity: 'breaking',
        coordinate: name,
        message: `The contract ${name} was removed`,
        affects: [],
      }
      found.set(key(removed), { ...removed, contracts: [name] })
      continue
    }
    for (const change of apiChanges(
      contractSchema(before, contract).schema,
      contractSchema(after, now).schema,
    )) {
      const known = found.get(key(change))
      if (known) known.contracts.push(contract.name)
      else
        found.set(key(change), {
          ...change,
          message: `${change.message}, in the contract ${contract.name}`,
          contracts: [contract.name],
        })
    }
  }
  for (const { name } of contractsAfter) {
    if (contractsBefore.some((contract) => contract.name === name)) continue
    const added: Change = {
      code: 'CONTRACT_ADDED',
      severity: 'safe',
      coordinate: name,
      message: `The contract ${name} was added`,
      affects: [],
    }
    found.set(key(added), { ...added, contracts: [name] })
  }
  return sorted([...found.values()])
}
