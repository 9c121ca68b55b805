import { Kind, type ValueNode } from 'graphql'

/**
 * Counts the items of all lists in an argument.
 *
 * @param sizes receives the names of the variables that lists may stand in
 */
export function itemsIn(
  node: ValueNode,
  variables: Readonly<Record<string, unknown>>,
  sizes: Set<string>,
): number {
  if (node.kind === Kind.VARIABLE) {
    sizes.add(node.name.value)
    return itemsInValue(variables[node.name.value])
  }
  if (node.kind === Kind.OBJECT)
    return node.fields.reduce((sum, { value }) => sum + itemsIn(value, variables, sizes), 0)
  if (node.kind !== Kind.LIST) return 0
  return node.values.reduce((sum, value) => sum + itemsIn(value, variables, sizes), node.values.length)
}

/** Counts the items of all lists in a value of a variable; as deep as variables may be. */
export function itemsInValue(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inner: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  let items = Array.isArray(value) ? inner.length : 0
  for (const one of inner) if (typeof one === 'object' && one !== null) items += itemsInValue(one)
  return items
}
