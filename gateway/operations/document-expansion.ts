import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type SelectionSetNode,
} from 'graphql'
import { queryTooCostly } from '../../kernel/errors'
import type { DocumentBounds } from './bounds'

/** Says how much a selection set is once its fragments are resolved. */
interface Size {
  fields: number
  spreads: number
  depth: number
}

/**
 * Checks what a document is with its fragments resolved: first how much, which is found without resolving any of them
 * twice; only what is within bounds is then gone through as the answer will be, place by place.
 *
 * @returns the first bound it goes beyond, or null
 */
export function expansionFault(document: DocumentNode, bounds: DocumentBounds): GraphQLError | null {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions)
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  try {
    const sizes = new Sizes(fragments)
    const places = new Places(fragments, bounds)
    let selections = 0
    for (const definition of document.definitions) {
      if (definition.kind !== Kind.OPERATION_DEFINITION) continue
      const size = sizes.ofSet(definition.selectionSet)
      withinSize(size, bounds)
      selections += size.fields
      if (selections > 5 * bounds.selections)
        beyond(`The operations select ${selections} fields`, 5 * bounds.selections)
      places.walk([definition.selectionSet], definition.operation)
    }
    // Validation goes through those that no operation reaches as well.
    for (const [name, { selectionSet }] of fragments) {
      if (sizes.reached.has(name)) continue
      withinSize(sizes.ofFragment(name), bounds)
      places.walk([selectionSet])
    }
    return null
  } catch (error) {
    if (error instanceof GraphQLError) return error
    throw error
  }
}

function withinSize({ fields, spreads, depth }: Size, bounds: DocumentBounds): void {
  if (depth > bounds.depth) beyond(`The operation is ${depth} levels deep`, bounds.depth)
  if (fields > bounds.selections) beyond(`The operation selects ${fields} fields`, bounds.selections)
  if (spreads > bounds.spreads) beyond(`The operation spreads fragments ${spreads} times`, bounds.spreads)
}

function beyond(what: string, most: number): never {
  throw queryTooCostly(`${what}, at most ${most}: split it`)
}

/** Sizes of selection sets; each fragment is measured once. */
class Sizes {
  /** Names of the fragments that were measured. */
  readonly reached = new Map<string, Size | 'under way'>()

  constructor(private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>) {}

  ofSet(set: SelectionSetNode): Size {
    const total: Size = { fields: 0, spreads: 0, depth: 0 }
    for (const selection of set.selections) {
      const isField = selection.kind === Kind.FIELD
      const isSpread = selection.kind === Kind.FRAGMENT_SPREAD
      const size = isSpread
        ? this.ofFragment(selection.name.value)
        : selection.selectionSet && this.ofSet(selection.selectionSet)
      total.fields += (size?.fields ?? 0) + Number(isField)
      total.spreads += (size?.spreads ?? 0) + Number(isSpread)
      total.depth = Math.max(total.depth, (size?.depth ?? 0) + Number(isField))
    }
    return total
  }

  ofFragment(name: string): Size {
    const fragment = this.fragments.get(name)
    const known = this.reached.get(name)
    if (known === 'under way')
      throw new GraphQLError(`Cannot spread fragment "${name}" within itself.`, {
        nodes: fragment,
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      })
    if (known) return known
    // A fragment that does not exist is for validation to tell.
    if (!fragment) return { fields: 0, spreads: 0, depth: 0 }
    this.reached.set(name, 'under way')
    const size = this.ofSet(fragment.selectionSet)
    this.reached.set(name, size)
    return size
  }
}

/** Goes through the places of an answer: what is selected for one place, wherever it is written, is looked at together. */
class Places {
  private pairs = 0

  constructor(
    private readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>,
    private readonly bounds: DocumentBounds,
  ) {}

  /** @param root the kind of operation at whose root these stand */
  walk(sets: readonly SelectionSetNode[], root?: OperationTypeNode): void {
    const { bounds } = this
    const selected = new Map<string, FieldNode[]>()
    let nested = 0
    for (const set of sets) nested = Math.max(nested, this.collect(set, selected, 0))
    if (root) this.countRoot(root, selected)
    const names = new Map<string, number>()
    for (const [name, nodes] of selected) {
      if (nodes.length > bounds.repetitions)
        beyond(`"${brief(name)}" is selected ${nodes.length} times in one place`, bounds.repetitions)
      // Once for each fragment without a name around them.
      this.pairs += ((nodes.length * (nodes.length - 1)) / 2) * (1 + nested)
      if (this.pairs > bounds.pairs) beyond('The document selects too many names repeatedly', bounds.pairs)
      const field = nodes[0]!.name.value
      const aliases = (names.get(field) ?? 0) + 1
      names.set(field, aliases)
      if (aliases > bounds.aliases)
        beyond(`"${brief(field)}" is selected under ${aliases} names in one place`, bounds.aliases)
    }
    for (const nodes of selected.values()) {
      const inner = nodes.flatMap(({ selectionSet }) => selectionSet ?? [])
      if (inner.length > 0) this.walk(inner)
    }
  }

  private countRoot(root: OperationTypeNode, selected: ReadonlyMap<string, readonly FieldNode[]>): void {
    const { rootFields, mutations } = this.bounds
    if (selected.size > rootFields)
      beyond(`The operation has ${selected.size} fields at its root`, rootFields)
    if (root !== OperationTypeNode.MUTATION) return
    const asked = [...selected.values()].filter(([node]) => node!.name.value !== '__typename').length
    if (asked > mutations) beyond(`The operation has ${asked} mutations`, mutations)
  }

  /** @returns how many fragments without a name are around the innermost field */
  private collect(set: SelectionSetNode, into: Map<string, FieldNode[]>, around: number): number {
    let most = around
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value
        const known = into.get(name)
        if (known) known.push(selection)
        else into.set(name, [selection])
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        most = Math.max(most, this.collect(selection.selectionSet, into, around + 1))
      } else {
        const fragment = this.fragments.get(selection.name.value)
        if (fragment) most = Math.max(most, this.collect(fragment.selectionSet, into, around))
      }
    }
    return most
  }
}

function brief(name: string): string {
  return name.length > 40 ? `${name.slice(0, 40)}…` : name
}
