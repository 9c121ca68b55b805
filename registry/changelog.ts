import { removalDate, replacementIn } from './deprecations'
import { deprecation } from './diff/documented'
import { visibleTo, type SchemaModel } from './schema-model'
import type { Version } from './versions/store'

const headings: [string, (code: string, severity: string) => boolean][] = [
  ['Breaking', (code, severity) => severity === 'breaking' && !code.startsWith('ACCESS_')],
  ['Access', (code) => code.startsWith('ACCESS_')],
  ['May behave differently', (_code, severity) => severity === 'dangerous'],
  [
    'Deprecated',
    (code) => code === 'DEPRECATED' || code === 'DEPRECATION_CHANGED' || code === 'DEPRECATION_REMOVED',
  ],
  ['Added', (code) => code.endsWith('_ADDED')],
  ['Other', () => true],
]
/** Holds what readers of a changelog need not know. */
const untold = new Set([
  'DESCRIPTION_CHANGED',
  'TAG_ADDED',
  'TAG_REMOVED',
  'KEY_ADDED',
  'FIELD_RESOLVER_ADDED',
])

/**
 * The changelog of a variant, the newest version first, after what is deprecated now and until when it works.
 * @param graph the current supergraph
 */
export function changelog(versions: readonly Version[], graph: SchemaModel): string {
  return `${['# Changes of the schema', 'Written by `npm run schema -- publish`; do not edit.', ...deprecated(graph), ...[...versions].reverse().map(told)].join('\n\n')}\n`
}

function told(version: Version): string {
  const { publishedAt, note, author, rollbackOf } = version
  const title = `## Version ${version.version} · ${publishedAt.slice(0, 10)}`
  const lines = [`Published by ${author}${note ? `: ${note}` : ''}.`]
  if (rollbackOf !== null) lines.push('', `Brings back version ${rollbackOf}.`)
  const rest = new Set(version.changes.filter(({ code }) => !untold.has(code)))
  if (version.version === 1) lines.push('', 'The first version.')
  for (const [heading, belongs] of headings) {
    const items = [...rest].filter(({ code, severity }) => belongs(code, severity))
    for (const item of items) rest.delete(item)
    if (items.length > 0)
      lines.push('', `### ${heading}`, '', ...items.map(({ message }) => `- ${escaped(message)}`))
  }
  return `${title}\n\n${lines.join('\n')}`
}

function deprecated(graph: SchemaModel): string[] {
  const rows: { coordinate: string; until: string; instead: string }[] = []
  for (const type of visibleTo(graph).types.values()) {
    for (const member of [...type.fields.values(), ...type.inputFields.values(), ...type.values.values()]) {
      const coordinate = `${type.name}.${member.name}`
      const all = [
        { coordinate, of: member },
        ...('args' in member
          ? [...member.args.values()].map((of) => ({ coordinate: `${coordinate}(${of.name}:)`, of }))
          : []),
      ]
      for (const { coordinate, of } of all) {
        const reason = deprecation(of)
        if (reason !== null)
          rows.push({
            coordinate,
            until: removalDate(reason) ?? 'not said',
            instead: replacementIn(reason) ?? reason,
          })
      }
    }
  }
  if (rows.length === 0) return []
  const sorted = rows.sort((a, b) => (a.until + a.coordinate < b.until + b.coordinate ? -1 : 1))
  return [
    [
      '## Deprecated',
      '',
      '| What | Works until | Use instead |',
      '|---|---|---|',
      ...sorted.map(
        ({ coordinate, until, instead }) => `| \`${coordinate}\` | ${until} | ${escaped(instead)} |`,
      ),
    ].join('\n'),
  ]
}

function escaped(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/([\\`*_[\]<>|])/g, '\\$1')
}
