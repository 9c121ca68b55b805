import type { SchemaModel } from './schema-model'

/** `; did you mean A or B?` for names close to what was typed; empty when none is. */
export function didYouMean(typed: string, names: Iterable<string>): string {
  const word = typed.toLowerCase()
  const most = Math.max(2, Math.floor(word.length * 0.4))
  const near = [...new Set(names)]
    .map((name) => ({ name, distance: distance(word, name.toLowerCase()) }))
    .filter((candidate) => candidate.distance <= most)
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => name)
  return near.length > 0 ? `; did you mean ${near.join(' or ')}?` : ''
}

/** Optimal string alignment: insertions, deletions, replacements and swaps of neighbours. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, index) => index)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      const at = (from: number, column: number) => (from === i ? row : rows[from])?.[column] ?? 0
      let least = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(i - 2, j - 2) + 1)
      row.push(least)
    }
    rows.push(row)
  }
  return rows[a.length]?.[b.length] ?? 0
}

/**
 * Tells whether a schema has something at a coordinate: `User`, `User.email`, `Query.users(first:)`, `Plan.TRIAL`,
 * `@skip`.
 */
export function hasCoordinate(schema: SchemaModel, coordinate: string): boolean {
  const [, at, name = '', member, argument] = /^(@?)(\w+)(?:\.(\w+))?(?:\((\w+):\))?$/.exec(coordinate) ?? []
  if (at) {
    const standard = ['skip', 'include'].includes(name) && (argument ?? 'if') === 'if'
    const directive = schema.directives.get(name)
    return !member && (directive ? !argument || directive.args.has(argument) : standard)
  }
  const type = schema.types.get(name)
  if (!type || member === undefined) return (type !== undefined || builtIn.has(name)) && !argument && !member
  const field = type.fields.get(member)
  if (argument !== undefined) return field?.args.has(argument) ?? false
  return field !== undefined || type.inputFields.has(member) || type.values.has(member)
}

const builtIn = new Set(['Int', 'Float', 'String', 'Boolean', 'ID'])

/** Coordinates that may have been meant by one that a schema does not have. */
export function* coordinatesNear(schema: SchemaModel, coordinate: string): Generator<string> {
  const [, name = '', member] = /^(\w+)(?:\.(\w+))?/.exec(coordinate) ?? []
  for (const directive of schema.directives.values()) {
    yield `@${directive.name}`
    for (const argument of directive.args.keys()) yield `@${directive.name}(${argument}:)`
  }
  for (const type of schema.types.values()) {
    if (member === undefined) yield type.name
    if (member === undefined || (schema.types.has(name) && type.name !== name)) continue
    for (const members of [type.inputFields, type.values])
      for (const key of members.keys()) yield `${type.name}.${key}`
    for (const field of type.fields.values()) {
      yield `${type.name}.${field.name}`
      for (const argument of field.args.keys()) yield `${type.name}.${field.name}(${argument}:)`
    }
  }
}
