import {
  getNamedType,
  isCompositeType,
  isInputObjectType,
  isListType,
  isNonNullType,
  Kind,
  typeFromAST,
  type ArgumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql'
import { mostGroups } from '../../kernel/schema/summary-forms'
import { itemsIn, itemsInValue } from './cost-arguments'
import { literal, type CostModel, type ListSize } from './cost-model'

/** The measure of one operation, before anything is planned or fetched. */
export interface OperationMeasure {
  /** Estimated number of objects touched, weighted by `@cost`, lists multiplied by their size. */
  cost: number
  /** Levels of fields, fragments resolved. */
  depth: number
  /** Fields selected, fragments resolved and aliases counted. */
  selections: number
}

/** A plain list of unknown length is taken to have this many items. */
const defaultListSize = 10
/** A write costs more than a read: it locks, audits and waits for the disk. */
const mutationWeight = 10
/** The whole schema is an answer of some hundred kilobytes, whatever of it is selected. */
const introspectionWeight = 10_000
/** So many items in the lists of a field's arguments cost nothing. */
const freeItems = 10
/** Each further one is read, compared and often hashed, whatever is found. */
const itemWeight = 2
const slicingArguments = ['first', 'last', 'limit']

/** Says how many measures of one operation are kept, each for other sizes in the variables. */
const maxMeasures = 100

/** {@link measure} of one operation for many requests: measured once for all that ask for the same sizes. */
export function measurer(
  schema: GraphQLSchema,
  model: CostModel,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  pageLimit: number,
): (variables: Readonly<Record<string, unknown>>) => OperationMeasure {
  const sizes = new Set<string>()
  const known = new Map<string, OperationMeasure>()
  return (variables) => {
    // The first measure finds out which variables are sizes.
    let key = known.size > 0 ? sizesIn(variables, sizes) : undefined
    let is = key === undefined ? undefined : known.get(key)
    if (!is) {
      is = measure(schema, model, operation, fragments, variables, pageLimit, sizes)
      key ??= sizesIn(variables, sizes)
      if (known.size >= maxMeasures) known.clear()
      known.set(key, is)
    }
    return is
  }
}

/** A text that is the same for variables whose values count as the same sizes. */
function sizesIn(variables: Readonly<Record<string, unknown>>, names: ReadonlySet<string>): string {
  let key = ''
  for (const name of names) {
    const value = variables[name]
    if (typeof value === 'number') key += `${value} `
    else if (typeof value === 'object' && value !== null) key += `${itemsInValue(value)} items `
    else key += value === null ? 'null ' : `${typeof value} `
  }
  return key
}

/**
 * Measures a validated operation (so without fragment cycles). Linear in the document: each fragment is measured
 * once per list size it is spread under, however often it is spread.
 *
 * @param pageLimit the largest page a subgraph gives: a larger `first` is refused there and costs no more than this. A summary
 *   has its own limit, the same everywhere
 * @param sizes receives the names of the variables that sizes were read from: nothing else of them counts
 */
export function measure(
  schema: GraphQLSchema,
  model: CostModel,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  variables: Readonly<Record<string, unknown>>,
  pageLimit = Infinity,
  sizes = new Set<string>(),
): OperationMeasure {
  const root = schema.getRootType(operation.operation)
  const withDefaults = { ...variables }
  for (const { variable, defaultValue } of operation.variableDefinitions ?? []) {
    if (defaultValue && withDefaults[variable.name.value] === undefined) {
      withDefaults[variable.name.value] = literal(defaultValue, {})
    }
  }
  const measuring = new Measuring({ schema, model, fragments, variables: withDefaults, pageLimit, sizes })
  return root ? measuring.selections(root, operation.selectionSet, null) : nothing
}

interface MeasuringOptions {
  schema: GraphQLSchema
  model: CostModel
  fragments: ReadonlyMap<string, FragmentDefinitionNode>
  variables: Readonly<Record<string, unknown>>
  pageLimit: number
  sizes: Set<string>
}

/** One walk through an operation. */
class Measuring {
  readonly #fragments = new Map<string, OperationMeasure>()

  constructor(private readonly options: MeasuringOptions) {}

  selections(parent: GraphQLNamedType, set: SelectionSetNode, inherited: Inherited | null): OperationMeasure {
    const { schema } = this.options
    const total = { ...nothing }
    for (const selection of set.selections) {
      let part: OperationMeasure
      if (selection.kind === Kind.FIELD) part = this.#field(parent, selection, inherited)
      else if (selection.kind === Kind.FRAGMENT_SPREAD) part = this.#fragment(selection.name.value, inherited)
      else {
        const type = selection.typeCondition ? typeFromAST(schema, selection.typeCondition) : parent
        part = type ? this.selections(type, selection.selectionSet, inherited) : nothing
      }
      total.cost += part.cost
      total.depth = Math.max(total.depth, part.depth)
      total.selections += part.selections
    }
    return total
  }

  #field(parent: GraphQLNamedType, node: FieldNode, inherited: Inherited | null): OperationMeasure {
    const { schema, model } = this.options
    const name = node.name.value
    if (name === '__typename') return { cost: 0, depth: 1, selections: 1 }
    if (name === '__schema' || name === '__type')
      return { cost: introspectionWeight, depth: 1, selections: 1 }
    const field = 'getFields' in parent ? parent.getFields()[name] : undefined
    if (!field || !('type' in field) || !('args' in field)) return { cost: 0, depth: 1, selections: 1 }
    const type = getNamedType(field.type)
    const listSize = model.listSizes.get(`${parent.name}.${name}`)
    const ownSize = this.#pageSize(field, node, listSize)
    const isList = returnsList(field.type)
    const size = !isList ? 1 : (inheritedSize(inherited, name) ?? ownSize ?? defaultListSize)
    const children =
      node.selectionSet && isCompositeType(type)
        ? this.selections(
            type,
            node.selectionSet,
            isList || ownSize === undefined ? null : { size: ownSize, fields: listSize?.sizedFields ?? [] },
          )
        : nothing
    const weight =
      model.weights.get(`${parent.name}.${name}`) ??
      model.weights.get(type.name) ??
      (isCompositeType(type) ? 1 : 0)
    return {
      cost:
        size * (weight + children.cost) +
        this.#items(field, node) +
        (parent === schema.getMutationType() ? mutationWeight : 0),
      depth: 1 + children.depth,
      selections: 1 + children.selections,
    }
  }

  /** The cost of the lists in a field's arguments. */
  #items(field: GraphQLField<unknown, unknown>, node: FieldNode): number {
    const { sizes, variables } = this.options
    let items = 0
    for (const { name, value } of node.arguments ?? []) {
      const type = field.args.find((argument) => argument.name === name.value)?.type
      if (!type || !mayHoldList(type)) continue
      items += itemsIn(value, variables, sizes)
    }
    return itemWeight * Math.max(0, items - freeItems)
  }

  #fragment(name: string, inherited: Inherited | null): OperationMeasure {
    const { schema, fragments } = this.options
    const key = inherited ? `${name} ${inherited.size} ${inherited.fields.join()}` : name
    const fragment = fragments.get(name)
    const type = fragment && typeFromAST(schema, fragment.typeCondition)
    const measured =
      this.#fragments.get(key) ?? (type ? this.selections(type, fragment.selectionSet, inherited) : nothing)
    this.#fragments.set(key, measured)
    return measured
  }

  /** The number of items a page holds; undefined for a field that is no page. */
  #pageSize(field: GraphQLField<unknown, unknown>, node: FieldNode, listSize?: ListSize): number | undefined {
    const names = listSize?.slicingArguments.length ? listSize.slicingArguments : slicingArguments
    const isPage = field.args.some((argument) => names.includes(argument.name))
    const most = listSize?.sizedFields.includes('groups') ? mostGroups : this.options.pageLimit
    return (
      this.#sliced(field, node, names, most) ??
      listSize?.assumedSize ??
      (isPage ? defaultListSize : undefined)
    )
  }

  /** The number of items a field's slicing arguments ask for, by value or default. */
  #sliced(
    field: GraphQLField<unknown, unknown>,
    node: FieldNode,
    names: string[],
    most: number,
  ): number | undefined {
    const { sizes, variables } = this.options
    const items = names.flatMap((name) => {
      const definition = field.args.find((argument) => argument.name === name)
      if (!definition) return []
      const given = node.arguments?.find((argument: ArgumentNode) => argument.name.value === name)
      if (given?.value.kind === Kind.VARIABLE) sizes.add(given.value.name.value)
      const value = (given && literal(given.value, variables)) ?? definition.defaultValue
      return typeof value === 'number' ? [Math.min(Math.max(value, 0), most)] : []
    })
    return items.length > 0 ? Math.max(...items) : undefined
  }
}

const nothing: OperationMeasure = { cost: 0, depth: 0, selections: 0 }

/** The page size a connection field hands down to its list fields. */
interface Inherited {
  size: number
  /** The list fields it counts for; empty: every list field of the connection. */
  fields: string[]
}

function inheritedSize(inherited: Inherited | null, field: string): number | undefined {
  if (!inherited || (inherited.fields.length > 0 && !inherited.fields.includes(field))) return undefined
  return inherited.size
}

/** Tells whether a value may have lists in it. What JSON holds is one value. */
function mayHoldList(type: GraphQLInputType): boolean {
  return isInputObjectType(getNamedType(type)) || returnsList(type)
}

function returnsList(type: GraphQLOutputType | GraphQLInputType): boolean {
  return isNonNullType(type) ? returnsList(type.ofType) : isListType(type)
}
