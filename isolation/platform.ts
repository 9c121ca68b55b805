import { GraphQLSchema, parse } from 'graphql'
import { platformScope, readDeclarations, type Access } from '../kernel/access/access'
import type { RunningServer } from '../product/server'
import type { Field } from './documents'

/** A root field that operators of the platform alone may ask for. */
export interface PlatformField {
  operation: 'query' | 'mutation'
  field: Field
}

const isOfPlatform = (access: Access | null | undefined): boolean =>
  access?.requirements.some(({ anyOf }) =>
    anyOf.every((group) => group.some((scope) => scope.startsWith(platformScope))),
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
