import { Kind, valueFromASTUntyped, type DocumentNode } from 'graphql'

/** Which names of a schema belong to federation, and what the imported ones are called where they are specified. */
export interface FederationNames {
  /** The specification's name of a directive: `@federation__key` and a renamed `@primary` are both `key`. */
  canonical(directive: string): string
  /** Tells whether a type or a root field is federation's own and no part of the API. */
  isFederations(name: string): boolean
  /** Tells whether a directive is federation's own and no part of the API. */
  isFederationDirective(name: string): boolean
}

/** Holds what every subgraph service answers besides its API. */
const serviceNames = new Set(['_Any', '_Entity', '_Service', '_FieldSet', '_entities', '_service'])
/** Directives of federation that a schema may use or define without linking them (version 1, and plain supergraphs). */
const federationDirectives = new Set([
  'link',
  'core',
  'key',
  'external',
  'requires',
  'provides',
  'extends',
  'shareable',
  'override',
  'inaccessible',
  'tag',
  'composeDirective',
  'interfaceObject',
  'authenticated',
  'requiresScopes',
  'policy',
  'cost',
  'listSize',
  'context',
  'fromContext',
])

/** Reads the schema's `@link` directives: https://specs.apollo.dev/link/v1.0 */
export function federationNames(document: DocumentNode): FederationNames {
  const prefixes = new Set(['join', 'link', 'core', 'federation'])
  const imported = new Map<string, string>()
  for (const node of document.definitions) {
    if (node.kind !== Kind.SCHEMA_DEFINITION && node.kind !== Kind.SCHEMA_EXTENSION) continue
    for (const applied of node.directives ?? []) {
      if (applied.name.value !== 'link' && applied.name.value !== 'core') continue
      const args = Object.fromEntries(
        (applied.arguments ?? []).map(({ name, value }) => [
          name.value,
          valueFromASTUntyped(value) as unknown,
        ]),
      )
      const spec = /([^/]+)\/v\d+\.\d+\/?$/.exec(String(args['url'] ?? args['feature'] ?? ''))?.[1]
      if (!spec) continue
      const local = typeof args['as'] === 'string' ? args['as'] : spec
      prefixes.add(local)
      // A specification's main directive carries its name: `@tag` of `tag/v0.3`, or what `as` calls it.
      if (local !== spec) imported.set(local, spec)
      for (const item of Array.isArray(args['import']) ? (args['import'] as unknown[]) : []) {
        const { name, as } =
          typeof item === 'string' ? { name: item, as: item } : (item as { name: string; as?: string })
        imported.set(bare(as ?? name), bare(name))
      }
    }
  }
  const separated = (name: string) => {
    const at = name.indexOf('__')
    return at > 0 && prefixes.has(name.slice(0, at)) ? [name.slice(0, at), name.slice(at + 2)] : null
  }
  return {
    canonical(directive) {
      const known = imported.get(directive)
      if (known) return known
      const parts = separated(directive)
      return parts && parts[0] !== 'join' ? (parts[1] ?? directive) : directive
    },
    isFederations: (name) => serviceNames.has(name) || separated(name) !== null,
    isFederationDirective: (name) => federationDirectives.has(name) || separated(name) !== null,
  }
}

function bare(name: string): string {
  return name.replace(/^@/, '')
}
