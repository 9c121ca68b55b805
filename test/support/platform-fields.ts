import { isOfPlatform } from '../../isolation/platform'
import { readDeclarations, type FieldDeclaration } from '../../kernel/access/access'
import { subgraphs } from '../../subgraphs'

const rootFields = (type: 'Query' | 'Mutation'): FieldDeclaration[] =>
  subgraphs.flatMap(({ typeDefs }) => [
    ...(readDeclarations(typeDefs).types.get(type)?.fields.values() ?? []),
  ])

/** The root fields that operators of the platform alone may ask for, by `Query.field` and `Mutation.field`. */
export const platformFields: ReadonlySet<string> = new Set(
  (['Query', 'Mutation'] as const).flatMap((type) =>
    rootFields(type)
      .filter(({ access }) => isOfPlatform(access))
      .map(({ field }) => `${type}.${field}`),
  ),
)

/** Tells whether somebody of a tenant can be allowed a root field: what walks all fields as such a one leaves out the others. */
export const isOfTenants =
  (type: 'Query' | 'Mutation') =>
  ({ name }: { name: string }): boolean =>
    !platformFields.has(`${type}.${name}`)

/** The mutations that operators do in a tenant that they entered (B1): about its rows, by the scope that bills. */
export const byEntry: ReadonlySet<string> = new Set(
  rootFields('Mutation')
    .filter(({ access }) =>
      access?.requirements.some(({ anyOf }) => anyOf.flat().includes('tenancy:platform:billing')),
    )
    .map(({ field }) => field),
)

/** Tells whether a mutation is about rows of a tenant, whoever may ask for it. */
export const isAboutTenants = ({ name }: { name: string }): boolean =>
  byEntry.has(name) || isOfTenants('Mutation')({ name })
