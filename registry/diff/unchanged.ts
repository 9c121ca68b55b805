import type { SchemaModel, TypeModel } from '../schema-model'

/**
 * The types that both schemas write in the same words, where the words mean the same: nothing about them can differ,
 * so comparing them part by part, which takes longer than reading the schema, is left out. None where it cannot tell.
 */
export function unchangedTypes(from: SchemaModel, to: SchemaModel): ReadonlySet<string> {
  const unchanged = new Set<string>()
  if (from.context === null || from.context !== to.context) return unchanged
  for (const [name, type] of from.types) {
    const kept = to.types.get(name)
    if (kept && (kept === type || sameText(type, kept))) unchanged.add(name)
  }
  return unchanged
}

function sameText(before: TypeModel, after: TypeModel): boolean {
  return (
    before.nodes.length === after.nodes.length &&
    before.nodes.every(({ loc }, index) => {
      const kept = after.nodes[index]?.loc
      if (!loc || !kept || loc.end - loc.start !== kept.end - kept.start) return false
      return loc.source.body.slice(loc.start, loc.end) === kept.source.body.slice(kept.start, kept.end)
    })
  )
}
