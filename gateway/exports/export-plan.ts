import {
  getNamedType,
  isObjectType,
  Kind,
  parseType,
  print,
  visit,
  type ArgumentNode,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionNode,
  type VariableDefinitionNode,
} from 'graphql'
import { badUserInput } from '../../kernel/errors'
import { fragmentsOf } from '../execution/selections'

/** One list that an operation asks for, as it is read page by page. */
export interface ExportPlan {
  /** The operation that reads one page; its variables are the client's and {@link pageVariables}. */
  query: string
  /** Leads to the list in the answer. */
  path: readonly string[]
  /** Name of the field, such as `transactions`. */
  field: string
  /** Type of the rows. */
  type: GraphQLObjectType
  /** Holds what of a row is selected. */
  rows: FieldNode
  fragments: ReadonlyMap<string, FragmentDefinitionNode>
  /** Counts the rows that the operation asks for; null: all. */
  first: number | null
  after: string | null
  /** Names the other arguments that the list is asked with. */
  arguments: readonly string[]
  pageVariables: { first: string; after: string; count: string }
}

/** Keys of what a page is asked for besides its rows. */
export const pageKeys = { info: 'exportPage', total: 'exportTotal' } as const

const paging: ReadonlySet<string> = new Set(['first', 'after', 'last', 'before'])

/**
 * Finds the one list of a validated operation, at the root or below single objects, and makes the operation that reads a page of it.
 *
 * @throws ApiError when the operation is no query of a single list whose rows stand under `nodes`
 */
export function exportPlan(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): ExportPlan {
  const root = schema.getQueryType()
  if (operation.operation !== 'query' || !root) throw badUserInput('An export is made of a query')
  const { path, list, listType } = findList(root, operation)
  const { rows, type } = rowsOf(list, listType)
  const value = valueIn(variables, operation)
  const given = new Map(list.arguments?.map((argument) => [argument.name.value, argument]))
  for (const name of ['last', 'before'])
    if (given.has(name) && value(given.get(name)!) != null)
      throw badUserInput(`An export reads forwards: leave out ${name}`)
  const pageVariables = namesBeside(operation, { first: 'first', after: 'after', count: 'count' })
  const page = pageOf(list, rows, pageVariables, Boolean(listType.getFields()['totalCount']))
  const fragments = fragmentsOf(document)
  return {
    query: print(pageDocument(operation, list, page, fragments, pageVariables)),
    path,
    field: list.name.value,
    type,
    rows,
    fragments,
    first: whole(given.has('first') ? value(given.get('first')!) : null),
    after: text(given.has('after') ? value(given.get('after')!) : null),
    arguments: [...given.keys()].filter((name) => !paging.has(name)),
    pageVariables,
  }
}

const oneList = 'An export is of one list: select one field whose rows stand under nodes'

/** Goes down the only field of each level to the first that is a list in pages. */
function findList(root: GraphQLObjectType, operation: OperationDefinitionNode) {
  const path: string[] = []
  let type = root
  let selections = operation.selectionSet.selections
  for (;;) {
    const [node] = selections
    if (selections.length !== 1 || node?.kind !== Kind.FIELD) throw badUserInput(oneList)
    const field = type.getFields()[node.name.value]
    const next = field && getNamedType(field.type)
    if (!isObjectType(next) || !node.selectionSet) throw badUserInput(oneList)
    path.push(node.alias?.value ?? node.name.value)
    const { nodes, pageInfo } = next.getFields()
    if (nodes && pageInfo) return { path, list: node, listType: next }
    type = next
    selections = node.selectionSet.selections
  }
}

function rowsOf(list: FieldNode, listType: GraphQLObjectType): { rows: FieldNode; type: GraphQLObjectType } {
  const selections = list.selectionSet!.selections
  const found = selections.filter(
    (node): node is FieldNode => node.kind === Kind.FIELD && node.name.value === 'nodes',
  )
  const isOther = (node: SelectionNode) => node.kind !== Kind.FIELD || node.name.value === 'edges'
  const [rows] = found
  if (found.length !== 1 || !rows || rows.alias || selections.some(isOther)) throw badUserInput(oneList)
  const type = getNamedType(listType.getFields()['nodes']!.type)
  if (!isObjectType(type)) throw badUserInput(oneList)
  return { rows, type }
}

/** Reads the value of an argument, whether it is written out or comes as a variable. */
function valueIn(variables: Readonly<Record<string, unknown>>, operation: OperationDefinitionNode) {
  return ({ value }: ArgumentNode): unknown => {
    if (value.kind === Kind.INT) return Number(value.value)
    if (value.kind === Kind.STRING) return value.value
    if (value.kind !== Kind.VARIABLE) return null
    const name = value.name.value
    if (variables[name] !== undefined) return variables[name]
    const declared = operation.variableDefinitions?.find(({ variable }) => variable.name.value === name)
    const otherwise = declared?.defaultValue
    if (otherwise?.kind === Kind.INT) return Number(otherwise.value)
    return otherwise?.kind === Kind.STRING ? otherwise.value : null
  }
}

function whole(value: unknown): number | null {
  if (value == null) return null
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1)
    throw badUserInput('first must be a whole number from 1')
  return value
}

function text(value: unknown): string | null {
  if (value == null || typeof value === 'string') return value ?? null
  throw badUserInput('after must be a cursor')
}

/** Names for further variables that the operation does not have. */
function namesBeside<T extends Record<string, string>>(operation: OperationDefinitionNode, names: T): T {
  const taken = new Set(operation.variableDefinitions?.map(({ variable }) => variable.name.value))
  const free = (name: string): string => (taken.has(name) ? free(`${name}_`) : name)
  return Object.fromEntries(Object.entries(names).map(([key, name]) => [key, free(`export_${name}`)])) as T
}

const name = (value: string) => ({ kind: Kind.NAME, value }) as const
const variable = (value: string) => ({ kind: Kind.VARIABLE, name: name(value) }) as const
const argument = (of: string, value: string): ArgumentNode => ({
  kind: Kind.ARGUMENT,
  name: name(of),
  value: variable(value),
})
const leaf = (value: string): FieldNode => ({ kind: Kind.FIELD, name: name(value) })

function pageOf(
  list: FieldNode,
  rows: FieldNode,
  { first, after, count }: ExportPlan['pageVariables'],
  isCounted: boolean,
): FieldNode {
  const others = list.arguments?.filter((one) => !paging.has(one.name.value)) ?? []
  const info: FieldNode = {
    ...leaf('pageInfo'),
    alias: name(pageKeys.info),
    selectionSet: { kind: Kind.SELECTION_SET, selections: [leaf('hasNextPage'), leaf('endCursor')] },
  }
  const total: FieldNode = {
    ...leaf('totalCount'),
    alias: name(pageKeys.total),
    directives: [{ kind: Kind.DIRECTIVE, name: name('include'), arguments: [argument('if', count)] }],
  }
  return {
    ...list,
    arguments: [...others, argument('first', first), argument('after', after)],
    selectionSet: { kind: Kind.SELECTION_SET, selections: [rows, info, ...(isCounted ? [total] : [])] },
  }
}

/** The operation with the page in place of its list, and of variables and fragments those that it uses. */
function pageDocument(
  operation: OperationDefinitionNode,
  list: FieldNode,
  page: FieldNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  { first, after, count }: ExportPlan['pageVariables'],
): DocumentNode {
  const paged = visit(operation, { Field: (node) => (node === list ? page : undefined) })
  const used = new Set<string>()
  const spread = new Map<string, FragmentDefinitionNode>()
  const note = (node: OperationDefinitionNode['selectionSet'] | FragmentDefinitionNode): void =>
    void visit(node, {
      Variable: (of) => void used.add(of.name.value),
      FragmentSpread: ({ name: { value } }) => {
        const fragment = fragments.get(value)
        if (!fragment || spread.has(value)) return
        spread.set(value, fragment)
        note(fragment)
      },
    })
  note(paged.selectionSet)
  for (const directive of operation.directives ?? [])
    visit(directive, { Variable: (of) => void used.add(of.name.value) })
  const defined = (of: string, type: string): VariableDefinitionNode => ({
    kind: Kind.VARIABLE_DEFINITION,
    variable: variable(of),
    type: parseType(type),
  })
  const kept = operation.variableDefinitions?.filter((one) => used.has(one.variable.name.value)) ?? []
  const own = [
    defined(first, 'Int'),
    defined(after, 'String'),
    ...(used.has(count) ? [defined(count, 'Boolean!')] : []),
  ]
  return {
    kind: Kind.DOCUMENT,
    definitions: [{ ...paged, variableDefinitions: [...kept, ...own] }, ...spread.values()],
  }
}
