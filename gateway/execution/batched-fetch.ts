import {
  Kind,
  parse,
  print,
  stripIgnoredCharacters,
  visit,
  type DefinitionNode,
  type FieldNode,
  type OperationDefinitionNode,
  type VariableDefinitionNode,
} from 'graphql'
import type { FetchNode } from './query-plan'

/** One operation that asks for the entities of several fetches. */
export interface BatchedFetch {
  operation: string
  /** For each fetch, the response key of its entities, which is the name of the variable with their representations. */
  keys: readonly string[]
}

/**
 * Joins entity fetches of one subgraph into one operation. All of a request's variables mean the same in each of
 * them, so only the representations get names of their own, and fragments, which each fetch has its own of.
 *
 * @returns null where they cannot be joined: directives on the operation, or anything but `_entities` in it
 */
export function batchFetches(fetches: readonly FetchNode[]): BatchedFetch | null {
  const used = new Set(fetches.flatMap(({ variableUsages }) => variableUsages ?? []))
  // Refused where it is executed, fetch by fetch.
  if (used.has('representations')) return null
  let prefix = 'entities'
  while ([...used].some((name) => name.startsWith(prefix))) prefix += '_'

  const variables = new Map<string, VariableDefinitionNode>()
  const selections: FieldNode[] = []
  const fragments: DefinitionNode[] = []
  for (const [index, { operation }] of fetches.entries()) {
    const key = `${prefix}${index}`
    const document = parse(operation, { noLocation: true })
    for (const definition of document.definitions) {
      const own = visit(definition, {
        Variable: (node) => (node.name.value === 'representations' ? named(node, key) : undefined),
        FragmentSpread: (node) => named(node, `${key}_${node.name.value}`),
        FragmentDefinition: (node) => named(node, `${key}_${node.name.value}`),
      })
      if (own.kind !== Kind.OPERATION_DEFINITION) {
        fragments.push(own)
        continue
      }
      const entities = entitiesOf(own)
      if (!entities) return null
      selections.push({ ...entities, alias: { kind: Kind.NAME, value: key } })
      for (const variable of own.variableDefinitions ?? [])
        variables.set(variable.variable.name.value, variable)
    }
  }
  const [{ operationName }] = fetches as [FetchNode]
  const whole: OperationDefinitionNode = {
    kind: Kind.OPERATION_DEFINITION,
    operation: 'query' as OperationDefinitionNode['operation'],
    name: operationName ? { kind: Kind.NAME, value: operationName } : undefined,
    variableDefinitions: [...variables.values()],
    selectionSet: { kind: Kind.SELECTION_SET, selections },
  }
  const operation = print({ kind: Kind.DOCUMENT, definitions: [whole, ...fragments] })
  return {
    operation: stripIgnoredCharacters(operation),
    keys: fetches.map((_, index) => `${prefix}${index}`),
  }
}

function named<T extends { name: { value: string } }>(node: T, value: string): T {
  return { ...node, name: { ...node.name, value } }
}

function entitiesOf({ directives, selectionSet }: OperationDefinitionNode): FieldNode | null {
  const [field, ...others] = selectionSet.selections
  if (directives?.length || others.length > 0 || field?.kind !== Kind.FIELD) return null
  return field.name.value === '_entities' && !field.alias ? field : null
}
