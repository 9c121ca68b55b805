import { platformScope, readDeclarations } from '../../kernel/access/access'
import { subgraphs } from '../../subgraphs'

/** The root fields that operators of the platform alone may ask for, by `Query.field` and `Mutation.field`. */
export const platformFields: ReadonlySet<string> = new Set(
  subgraphs.flatMap(({ typeDefs }) => {
    const { types } = readDeclarations(typeDefs)
    return ['Query', 'Mutation'].flatMap((type) =>
      [...(types.get(type)?.fields.values() ?? [])]
        .filter(({ access }) =>
          access?.requirements.some(({ anyOf }) =>
            anyOf.every((group) => group.some((scope) => scope.startsWith(platformScope))),
          ),
        )
        .map(({ field }) => `${type}.${field}`),
    )
  }),
)

/** Tells whether somebody of a tenant can be allowed a root field: what walks all fields as such a one leaves out the others. */
export const isOfTenants =
  (type: 'Query' | 'Mutation') =>
  ({ name }: { name: string }): boolean =>
    !platformFields.has(`${type}.${name}`)

/** The mutations that operators do in a tenant that they entered (B1): about its rows, by a scope of the platform. */
export const byEntry: ReadonlySet<string> = new Set([
  ...['draftInvoice', 'updateInvoice', 'issueInvoice', 'voidInvoice', 'discardInvoice'],
  ...['draftCreditNote', 'issueCreditNote', 'applyCreditNote', 'voidCreditNote', 'discardCreditNote'],
  ...['recordPayment', 'allocatePayment', 'refundPayment', 'reversePayment'],
])

/** Tells whether a mutation is about rows of a tenant, whoever may ask for it. */
export const isAboutTenants = ({ name }: { name: string }): boolean =>
  byEntry.has(name) || isOfTenants('Mutation')({ name })
