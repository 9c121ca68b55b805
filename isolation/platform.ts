import { GraphQLSchema, parse } from 'graphql'
import { platformScope, readDeclarations, type Access } from '../kernel/access/access'
import type { RunningServer } from '../product/server'
import type { Field } from './documents'
import type { Role } from './rights'

/** A root field that operators of the platform alone may ask for. */
export interface PlatformField {
  operation: 'query' | 'mutation'
  field: Field
}

/** Scopes that no role of a tenant has, and nobody there can give: accounts that the platform makes have them. */
const accountScopes: ReadonlySet<string> = new Set(['tenancy:usage:write'])

/** Tells whether what an element declares can be met by operators alone, and by accounts of the platform. */
export const isOfPlatform = (access: Access | null | undefined): boolean =>
  access?.requirements.some(({ anyOf }) =>
    anyOf.every((group) =>
      group.some((scope) => scope.startsWith(platformScope) || accountScopes.has(scope)),
    ),
  ) ?? false

const declarationsOf = ({ subgraphs }: Pick<RunningServer, 'subgraphs'>) =>
  [...subgraphs.values()].map(({ sdl }) => readDeclarations(parse(sdl)))

/** Tells whether a type is shown to operators alone. */
export function isPlatformType(name: string, server: Pick<RunningServer, 'subgraphs'>): boolean {
  return declarationsOf(server).some(({ types }) => isOfPlatform(types.get(name)?.access))
}

/** The API without what operators alone may ask, and that: they come from what the subgraphs declare. */
export function withoutOperators(
  whole: GraphQLSchema,
  server: Pick<RunningServer, 'subgraphs'>,
): { api: GraphQLSchema; platformFields: PlatformField[] } {
  const platformFields: PlatformField[] = []
  for (const declarations of declarationsOf(server)) {
    for (const [operation, root] of [
      ['query', whole.getQueryType()],
      ['mutation', whole.getMutationType()],
    ] as const) {
      const fields = root?.getFields() ?? {}
      for (const { field, access } of declarations.types.get(root?.name ?? '')?.fields.values() ?? []) {
        if (!isOfPlatform(access) || !fields[field]) continue
        platformFields.push({ operation, field: fields[field] })
        delete fields[field]
      }
    }
  }
  // Types that nothing leads to any more are left out.
  return { api: new GraphQLSchema({ ...whole.toConfig(), types: [] }), platformFields }
}

/** Functions and views of the platform as the roles of the product reach them, aimed at a victim: `$1` is its id. */
export const platformSql: Readonly<Record<string, { role: Role; text: string }>> = {
  'list of tenants': { role: 'tenancy', text: 'SELECT id FROM tenancy.platform_tenants WHERE id = $1' },
  'status of the own tenant': {
    role: 'tenancy',
    text: "SELECT tenancy.set_tenant_status('SUSPENDED', $1::uuid::text, now(), NULL)",
  },
  'deletion of the own tenant': {
    role: 'tenancy',
    text: "SELECT tenancy.set_tenant_status('CANCELLED', $1::uuid::text, now(), now() + interval '8 days')",
  },
  'entry into the own tenant': {
    role: 'tenancy',
    text: "SELECT tenancy.enter_tenant($1, gen_random_uuid(), 'x', false, now(), now() + interval '1 hour')",
  },
  'deletion of a tenant that is not due': {
    role: 'tenancy',
    text: 'SELECT WHERE tenancy.delete_due_tenant($1)',
  },
  'a tenant of one’s own': {
    role: 'identity',
    text: "SELECT shared.add_tenant('a' || $1::uuid::text, 'x', false)",
  },
  'end of an operator’s session': {
    role: 'identity',
    text: 'SELECT identity.end_operator_session($1, true, now())',
  },
}

/** Names what the attack on the operators' door tries besides their fields. */
export const operatorDoors: readonly string[] = [...Object.keys(platformSql), 'forged tokens']
