import { Kind, parse, visit, type ConstDirectiveNode, type ValueNode } from 'graphql'

/** Describes what `@listSize` says of a field. */
export interface ListSize {
  assumedSize?: number
  slicingArguments: string[]
  /** Fields of the returned object that hold the list; empty: the field itself is the list. */
  sizedFields: string[]
}

/** Describes what the schema says about cost: `@cost` and `@listSize`, by `Type`, and by `Type.field`. */
export interface CostModel {
  weights: ReadonlyMap<string, number>
  listSizes: ReadonlyMap<string, ListSize>
}

/** Reads `@cost` and `@listSize` from a composed supergraph, where they survive as plain directives. */
export function costModel(supergraph: string): CostModel {
  const weights = new Map<string, number>()
  const listSizes = new Map<string, ListSize>()
  const read = (key: string, directives: readonly ConstDirectiveNode[] | undefined) => {
    for (const directive of directives ?? []) {
      const values = Object.fromEntries(
        (directive.arguments ?? []).map((a) => [a.name.value, literal(a.value, {})]),
      )
      if (directive.name.value === 'cost' && typeof values.weight === 'number')
        weights.set(key, values.weight)
      if (directive.name.value === 'listSize') {
        listSizes.set(key, {
          assumedSize: typeof values.assumedSize === 'number' ? values.assumedSize : undefined,
          slicingArguments: names(values.slicingArguments),
          sizedFields: names(values.sizedFields),
        })
      }
    }
  }
  const object = (node: {
    name: { value: string }
    directives?: readonly ConstDirectiveNode[]
    fields?: readonly { name: { value: string }; directives?: readonly ConstDirectiveNode[] }[]
  }) => {
    read(node.name.value, node.directives)
    for (const field of node.fields ?? []) read(`${node.name.value}.${field.name.value}`, field.directives)
  }
  visit(parse(supergraph), { ObjectTypeDefinition: object, InterfaceTypeDefinition: object })
  return { weights, listSizes }
}

function names(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** Numbers, strings, lists of them and variables: all that sizes and weights are made of. */
export function literal(node: ValueNode, variables: Readonly<Record<string, unknown>>): unknown {
  if (node.kind === Kind.INT || node.kind === Kind.FLOAT) return Number(node.value)
  if (node.kind === Kind.STRING) return node.value
  if (node.kind === Kind.LIST) return node.values.map((value) => literal(value, variables))
  if (node.kind === Kind.VARIABLE) return variables[node.name.value] ?? undefined
  return undefined
}
