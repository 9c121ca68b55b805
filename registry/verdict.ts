import { approvalOf, type Approval } from './versions/approvals'
import { changeHash, type Affected, type Change } from './change'
import { deprecation } from './diff/documented'
import { removalDate, replacementIn } from './deprecations'
import type { Location } from './composition/locations'
import type { SchemaModel } from './schema-model'
import type { OperationUsage, Usage } from './usage/usage'

/** A change with everything that decides whether it may be published. */
export interface JudgedChange extends Change {
  hash: string
  /** The contracts whose clients notice it. */
  contracts: readonly string[]
  location: Location | null
  /** Operations of the time looked at that it affects; null when no usage is known or it cannot tell. */
  usedBy: readonly OperationUsage[] | null
  /** Breaking, and nobody used it in the time looked at, all of which was recorded. */
  unused: boolean
  /** Holds what takes its place, as the deprecation said. */
  replacement: string | null
  /** Why it may not be published as it is; null when it may. */
  blocked: string | null
  approval: Approval | null
}

export interface Judging {
  base: SchemaModel
  usage: Usage | null
  /** Finds the operations that a change affects. */
  find: ((affected: readonly Affected[]) => OperationUsage[]) | null
  /** Length of the time looked at. */
  days: number
  approvals: readonly Approval[]
  /** `YYYY-MM-DD` */
  today: string
  /** Changes that are merely dangerous are blocked as well. */
  strict: boolean
  locate: (coordinate: string) => Location | null
}

/** Decides for each change whether it may be published: by who uses it, what was promised and who approved. */
export function verdictOf(
  changes: readonly (Change & { contracts?: readonly string[] })[],
  judging: Judging,
): JudgedChange[] {
  const { base, usage, find, days, today } = judging
  const since = daysBefore(today, days)
  const complete = usage !== null && (usage.from === null || usage.from <= since)
  return changes.map((change) => {
    const hash = changeHash(change)
    const usedBy =
      find && change.severity !== 'safe' && change.affects.length > 0 ? find(change.affects) : null
    const reason = deprecationOf(base, change.coordinate)
    const promised = change.severity === 'breaking' && reason !== null ? removalDate(reason) : null
    const early = promised !== null && promised > today
    const { severity } = change
    const unused = severity === 'breaking' && usedBy?.length === 0 && complete && !early
    const approval = approvalOf(judging.approvals, hash, today)
    let blocked: string | null = null
    if (change.code === 'ACCESS_WIDENED' || change.code === 'ACCESS_CHANGED')
      blocked = 'shows data to more people: it needs an approval'
    else if (unused) blocked = null
    else if (severity === 'breaking' && early) blocked = `its deprecation promised it until ${promised}`
    else if (severity === 'breaking' && usedBy && usedBy.length > 0)
      blocked = `${counted(usedBy.length, 'operation')} of the last ${days} days would suffer`
    else if (severity === 'breaking' && usedBy && !complete)
      blocked = `usage is recorded since ${usage?.from ?? 'today'} only, not for ${days} days`
    else if (severity === 'breaking')
      blocked = usage ? 'usage cannot tell whom it affects' : 'nothing is known about who uses it'
    else if (change.code === 'FIELD_MAY_CONFLICT' && usedBy && usedBy.length > 0)
      blocked = `${counted(usedBy.length, 'operation')} of the last ${days} days would be refused if both stand in one place`
    else if (severity === 'dangerous' && judging.strict && usedBy?.length !== 0)
      blocked = 'dangerous changes are blocked by --strict'
    return {
      ...change,
      unused,
      message: unused ? `${change.message}; nobody used it in ${days} days` : change.message,
      hash,
      contracts: change.contracts ?? [],
      location: judging.locate(change.coordinate),
      usedBy,
      replacement: reason === null ? null : replacementIn(reason),
      blocked: approval ? null : blocked,
      approval: blocked ? approval : null,
    }
  })
}

/** `YYYY-MM-DD` so many days before another. */
export function daysBefore(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10)
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function deprecationOf(schema: SchemaModel, coordinate: string): string | null {
  const [, typeName = '', member, argument] = /^(\w+)(?:\.(\w+))?(?:\((\w+):\))?$/.exec(coordinate) ?? []
  const type = schema.types.get(typeName)
  const field =
    member === undefined
      ? undefined
      : (type?.fields.get(member) ?? type?.inputFields.get(member) ?? type?.values.get(member))
  const of = argument !== undefined && field && 'args' in field ? field.args.get(argument) : field
  return of ? deprecation(of) : null
}
