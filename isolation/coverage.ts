import { isObjectType, type GraphQLSchema } from 'graphql'
import { subscriptionRoot } from './documents'
import type { Surface } from './surface'

/** Holds what can be attacked, by kind. */
export const kinds = [
  'root field',
  'field',
  'id argument',
  'connection',
  'filter',
  'order',
  'cursor',
  'entity key',
  'mutation',
  'id in an input',
  'unique key',
  'idempotency key',
  'persisted document',
  'crossed session',
  'crossed key',
  'restricted field',
  'subscription',
  'encrypted column',
  'right of a role',
  'beside the graph',
  'operator door',
] as const
export type Kind = (typeof kinds)[number]

/**
 * Combinations of owners, of the tenant, user and session that a token names; without `attacker attacker attacker` and its
 * like, which are right.
 */
export const crossedSessions: readonly string[] = [
  'victim attacker attacker',
  'victim victim attacker',
  'attacker victim attacker',
  'attacker attacker victim',
  'attacker victim victim',
  'victim attacker victim',
]

/** Combinations of owners, of the tenant, key and secret that an API key names, without those that are right. */
export const crossedKeys: readonly string[] = crossedSessions

export interface CoverageLine {
  kind: Kind
  total: number
  attacked: number
  /** Holds what was not attacked: the run fails when there is anything. */
  missing: string[]
  /** Holds what no victim was shown anything by, so that there was nothing to steal: the run fails here too. */
  bare: string[]
}

/** Attacks that prove something only beside a victim who gets an answer of the same place. */
const withVictim: ReadonlySet<Kind> = new Set<Kind>([
  'field',
  'id argument',
  'connection',
  'filter',
  'order',
  'cursor',
  'entity key',
  'id in an input',
  'persisted document',
  'restricted field',
  'subscription',
  'encrypted column',
  'right of a role',
  'beside the graph',
])

/** Holds what leads to tenants' data without an operation of the graph, besides the tables themselves. */
const besideTheGraph: readonly string[] = ['event log', 'mail', 'file', 'audit export']

const setPerKind = () => new Map<Kind, Set<string>>(kinds.map((kind) => [kind, new Set<string>()]))

/** Describes what there is, said by the schemas before the attack, against what was attacked, said by the attacks. */
export class Coverage {
  readonly #expected = setPerKind()
  readonly #attacked = setPerKind()
  readonly #shown = setPerKind()
  readonly #unread = new Set<string>()

  expect(kind: Kind, names: Iterable<string>): void {
    for (const name of names) this.#expected.get(kind)!.add(name)
  }

  attacked(kind: Kind, name: string): void {
    this.#attacked.get(kind)!.add(name)
  }

  /** Notes that a tenant saw there something of its own: what the attacker must not see can be seen. */
  shown(kind: Kind, name: string): void {
    this.#shown.get(kind)!.add(name)
  }

  /** Expects fields that no query reads: payloads of mutations are shown to who sends them, and to nobody else. */
  expectUnread(names: Iterable<string>): void {
    for (const name of names) {
      this.expect('field', [name])
      this.#unread.add(name)
    }
  }

  lines(): CoverageLine[] {
    return kinds.map((kind) => {
      const expected = [...this.#expected.get(kind)!]
      const missing = expected.filter((name) => !this.#attacked.get(kind)!.has(name)).sort()
      const bare = expected.filter(
        (name) => withVictim.has(kind) && !this.#shown.get(kind)!.has(name) && !this.#unread.has(name),
      )
      return {
        kind,
        total: expected.length,
        attacked: expected.length - missing.length,
        missing,
        bare: bare.sort(),
      }
    })
  }
}

/**
 * Everything the schemas and the catalogue expose. An attack that does not know of a new kind of thing leaves it uncovered.
 * @param stored encrypted columns, and rights of the roles, by name
 */
export function expectedCoverage(
  api: GraphQLSchema,
  surface: Surface,
  stored: { encrypted: readonly string[]; rights: readonly string[] },
): Coverage {
  const coverage = new Coverage()
  coverage.expect('encrypted column', stored.encrypted)
  coverage.expect('right of a role', stored.rights)
  coverage.expect('beside the graph', besideTheGraph)
  const fieldsOf = (type: unknown) => (isObjectType(type) ? Object.values(type.getFields()) : [])
  coverage.expect(
    'root field',
    fieldsOf(api.getQueryType()).map(({ name }) => name),
  )
  coverage.expect(
    'subscription',
    fieldsOf(subscriptionRoot(api)).map(({ name }) => name),
  )
  coverage.expect(
    'mutation',
    surface.mutations.map(({ field }) => field.name),
  )
  coverage.expect(
    'id in an input',
    surface.mutations.flatMap(({ field, ids }) => ids.map((id) => `${field.name} ${id.path.join('.')}`)),
  )
  coverage.expect(
    'unique key',
    surface.mutations.flatMap(({ field, uniques }) =>
      uniques.map((one) => `${field.name} ${one.path.join('.')}`),
    ),
  )
  coverage.expect(
    'idempotency key',
    surface.mutations.filter(({ isRepeatable }) => isRepeatable).map(({ field }) => field.name),
  )
  coverage.expect('persisted document', [
    ...fieldsOf(api.getQueryType()).map(({ name }) => `Query.${name}`),
    ...surface.idArguments.map(({ name }) => name),
  ])
  coverage.expect('crossed session', crossedSessions)
  coverage.expect('crossed key', crossedKeys)
  coverage.expect(
    'id argument',
    surface.idArguments.map(({ name }) => name),
  )
  coverage.expect(
    'connection',
    surface.connections.map(({ name }) => name),
  )
  coverage.expect(
    'cursor',
    surface.connections.map(({ name }) => name),
  )
  coverage.expect(
    'filter',
    surface.connections.flatMap(({ name, filters }) =>
      filters.map((filter) => `${name} ${filter.path.join('.')}`),
    ),
  )
  coverage.expect(
    'order',
    surface.connections.flatMap(({ name, orders }) => orders.map((order) => `${name} ${order}`)),
  )
  coverage.expect(
    'entity key',
    surface.keys.map(({ name }) => name),
  )
  coverage.expect('restricted field', surface.restricted)
  for (const type of surface.objects) {
    const fields = Object.keys(type.getFields()).map((field) => `${type.name}.${field}`)
    if (surface.paths.has(type.name)) coverage.expect('field', fields)
    else coverage.expectUnread(fields)
  }
  return coverage
}
