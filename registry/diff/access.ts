import { deniesMore, describeAccess, requirementOf, type Requirement } from '../access'
import type { Change } from '../change'
import type { FieldModel, SchemaModel, TypeModel } from '../schema-model'

/**
 * Differences in who may read what. A field asks for what its type asks for and what it declares itself, so moving
 * a directive from a type to all its fields is no change.
 * @param unchanged types to pass over
 */
export function accessChanges(from: SchemaModel, to: SchemaModel, unchanged: ReadonlySet<string>): Change[] {
  const changes: Change[] = []
  for (const before of from.types.values()) {
    if (unchanged.has(before.name)) continue
    const after = to.types.get(before.name)
    if (!after || after.kind !== before.kind) continue
    const whole = changeOf(before.name, requirementOf(before), requirementOf(after))
    const fields = fieldAccess(before, after)
    const all = fields.every(({ change }) => change?.code === whole?.code)
    // A type that opens or closes as a whole is one change, not one for each of its fields.
    if (whole && all) changes.push(whole)
    else changes.push(...fields.flatMap(({ change }) => change ?? []))
  }
  return changes
}

function fieldAccess(before: TypeModel, after: TypeModel): { change: Change | null }[] {
  const pairs: [FieldModel, FieldModel][] = []
  for (const field of before.fields.values()) {
    const kept = after.fields.get(field.name)
    if (kept) pairs.push([field, kept])
  }
  return pairs.map(([field, kept]) => ({
    change: changeOf(
      `${before.name}.${field.name}`,
      requirementOf(before, field),
      requirementOf(after, kept),
    ),
  }))
}

function changeOf(coordinate: string, before: Requirement, after: Requirement): Change | null {
  const [loses, gains] = [deniesMore(before, after), deniesMore(after, before)]
  if (!loses && !gains) return null
  const [from, to] = [describeAccess(before), describeAccess(after)]
  const code = loses && gains ? 'ACCESS_CHANGED' : loses ? 'ACCESS_NARROWED' : 'ACCESS_WIDENED'
  const who = {
    ACCESS_CHANGED: 'other people',
    ACCESS_NARROWED: 'fewer people',
    ACCESS_WIDENED: 'more people',
  }[code]
  return {
    code,
    // Usage says who reads it now, not who could read it from now on: widening stands whoever uses the field.
    severity: code === 'ACCESS_WIDENED' ? 'dangerous' : 'breaking',
    coordinate,
    message: `${coordinate} may be read by ${who}: ${from} before, ${to} now`,
    from,
    to,
    affects: code === 'ACCESS_NARROWED' ? [coordinate, `~${coordinate}`] : [],
  }
}
