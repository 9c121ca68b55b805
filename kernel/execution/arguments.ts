import { getArgumentValues, Kind, visit, type FieldNode, type GraphQLField } from 'graphql'
import type { Run } from './run'

/** The arguments of a field in a request: an object of the caller's own. Throws what graphql-js says of wrong ones. */
export type ReadArguments = (run: Run) => Record<string, unknown>

/** Says how the arguments of a field are read: before any request, where they depend on none. */
export function argumentReader(definition: GraphQLField<unknown, unknown>, node: FieldNode): ReadArguments {
  if (definition.args.length === 0) return () => ({})
  const constant = hasVariables(node) ? null : plainArguments(definition, node)
  if (constant) return () => ({ ...constant })
  return (run) => {
    let read = run.args.get(node)
    if (!read) run.args.set(node, (read = getArgumentValues(definition, node, run.variables)))
    return { ...read }
  }
}

/**
 * Arguments that requests can share, or null: an object or a list in them would be the same for all tenants, and a
 * resolver that changed it would change it for the others.
 */
function plainArguments(
  definition: GraphQLField<unknown, unknown>,
  node: FieldNode,
): Record<string, unknown> | null {
  try {
    const values = getArgumentValues(definition, node)
    return Object.values(values).some((value) => typeof value === 'object' && value !== null) ? null : values
  } catch {
    return null // thrown again where the field is executed, as the error of that place
  }
}

function hasVariables(node: FieldNode): boolean {
  let found = false
  for (const argument of node.arguments ?? [])
    visit(argument, {
      [Kind.VARIABLE]() {
        found = true
      },
    })
  return found
}
