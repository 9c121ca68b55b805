import {
  Kind,
  parse,
  print,
  stripIgnoredCharacters,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'
import type { OwnFields } from './alias-conflicts'
import type { FetchNode } from './query-plan'
import type { RequiredFields } from './required-fields'

type Required = NonNullable<FetchNode['requires']>[number]

/** Describes what a field requires: the place in the representation, and the name under which its value was fetched. */
type Needs = ReadonlyMap<string, string>

/**
 * Makes one fetch of each set of fields that can be asked for with one representation. A representation tells a
 * required field under its name alone, so fields that require one with different arguments are asked for apart.
 */
export function apart(fetch: FetchNode, own: OwnFields): FetchNode[] {
  const { required } = own
  if (required.size === 0 || !fetch.requires) return [fetch]
  const groups: { needs: Map<string, string>; fields: Set<string> }[] = [
    { needs: new Map(), fields: new Set() },
  ]
  const names = new Map<string, Set<string>>()
  const document = parse(fetch.operation, { noLocation: true })
  const see = (set: SelectionSetNode, type: string): void => {
    for (const node of set.selections) {
      if (node.kind === Kind.INLINE_FRAGMENT) see(node.selectionSet, node.typeCondition?.name.value ?? type)
      if (node.kind !== Kind.FIELD) continue
      if (node.name.value === '_entities') {
        see(node.selectionSet!, '')
        continue
      }
      const key = `${fetch.serviceName} ${type}.${node.name.value}`
      const needs = needsOf(own.requires.get(key) ?? [], required)
      for (const [place, name] of needs) names.set(place, (names.get(place) ?? new Set()).add(name))
      let group = groups.find((one) =>
        [...needs].every(([place, name]) => (one.needs.get(place) ?? name) === name),
      )
      if (!group) groups.push((group = { needs: new Map(), fields: new Set() }))
      for (const [place, name] of needs) group.needs.set(place, name)
      group.fields.add(key)
    }
  }
  for (const node of document.definitions)
    if (node.kind === Kind.OPERATION_DEFINITION) see(node.selectionSet, '')
  if (groups.length === 1) return [fetch]

  return groups.map(({ needs, fields }) => {
    const only = (set: SelectionSetNode, type: string): SelectionSetNode => ({
      ...set,
      selections: set.selections.flatMap((node): SelectionNode[] => {
        if (node.kind === Kind.INLINE_FRAGMENT) {
          const below = only(node.selectionSet, node.typeCondition?.name.value ?? type)
          return below.selections.length > 0 ? [{ ...node, selectionSet: below }] : []
        }
        if (node.kind !== Kind.FIELD) return [node]
        if (node.name.value === '_entities') return [{ ...node, selectionSet: only(node.selectionSet!, '') }]
        return fields.has(`${fetch.serviceName} ${type}.${node.name.value}`) ? [node] : []
      }),
    })
    const definitions = document.definitions.map((node) =>
      node.kind === Kind.OPERATION_DEFINITION ? { ...node, selectionSet: only(node.selectionSet, '') } : node,
    )
    const text = print({ ...document, definitions })
    return {
      ...fetch,
      operation: stripIgnoredCharacters(text),
      operationDocumentNode: undefined,
      requires: without(
        fetch.requires!,
        (place, name) => {
          return (names.get(place)?.size ?? 0) > 1 && needs.get(place) !== name
        },
        required,
      ),
    }
  })
}

function needsOf(sets: readonly SelectionSetNode[], required: RequiredFields): Needs {
  const needs = new Map<string, string>()
  const see = (set: SelectionSetNode, place: string): void => {
    for (const node of set.selections) {
      if (node.kind === Kind.INLINE_FRAGMENT) see(node.selectionSet, place)
      if (node.kind !== Kind.FIELD) continue
      const name = node.name.value
      const told = `${place}.${required.get(name)?.name ?? name}`
      needs.set(told, name)
      if (node.selectionSet) see(node.selectionSet, told)
    }
  }
  for (const set of sets) see(set, '')
  return needs
}

/** Returns what is required, without what is left out and what only that was below. */
function without(
  selections: readonly Required[],
  leavesOut: (place: string, name: string) => boolean,
  required: RequiredFields,
  place = '',
): Required[] {
  return selections.flatMap((one): Required[] => {
    if (one.kind === 'InlineFragment')
      return [{ ...one, selections: without(one.selections, leavesOut, required, place) }]
    const told = `${place}.${required.get(one.name)?.name ?? one.name}`
    if (leavesOut(told, one.name)) return []
    if (!one.selections) return [one]
    const below = without(one.selections, leavesOut, required, told)
    return below.length > 0 ? [{ ...one, selections: below }] : []
  })
}
