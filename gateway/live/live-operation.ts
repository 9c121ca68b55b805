import { createHash } from 'node:crypto'
import {
  getArgumentValues,
  getNamedType,
  getVariableValues,
  GraphQLError,
  isNonNullType,
  isObjectType,
  Kind,
  print,
  visit,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'
import type { LoggedEvent } from '../../kernel/events/event-log'
import { badUserInput } from '../../kernel/errors'
import { mostItems } from '../../kernel/schema/list-bound'
import {
  collectFields,
  conditionsOf,
  fragmentsOf,
  isWithin,
  resolveConditions,
  responseKey,
  type Fragments,
} from '../execution/selections'

/** Describes a field of `Subscription` that can be streamed: it shows one row of a type. */
export interface LiveField {
  /** The field of its type that shows the row, and the field of `Query` that shows it by its id. */
  shownBy: string
  /** The type of the row. */
  type: string
}

/** The field that tells of everything. */
const changesField = 'changes'
/**
 * The fields of `Subscription` that can be streamed, by name: those whose type has a field that `Query` has as well, with one
 * argument `id`. What such a field shows of a row is what a query shows of it.
 */
export function liveFields(schema: GraphQLSchema): ReadonlyMap<string, LiveField> {
  const query = schema.getQueryType()?.getFields() ?? {}
  const fields = new Map<string, LiveField>()
  for (const { name, type } of Object.values(schema.getSubscriptionType()?.getFields() ?? {})) {
    const message = getNamedType(type)
    if (!isObjectType(message)) continue
    const shown = Object.values(message.getFields()).find((field) => {
      const named = getNamedType(field.type)
      const byId = query[field.name]
      return isObjectType(named) && byId && getNamedType(byId.type) === named && takesIdAlone(byId.args)
    })
    if (shown) fields.set(name, { shownBy: shown.name, type: getNamedType(shown.type).name })
  }
  return fields
}

const takesIdAlone = (args: readonly { name: string; type: unknown }[]): boolean =>
  args.length === 1 && args[0]!.name === 'id' && isNonNullType(args[0]!.type)

/** An ordinary query that shows one row by its id. */
export interface RowQuery {
  /** The field of `Query` that shows the row. */
  field: string
  document: DocumentNode
  operation: OperationDefinitionNode
  source: string
  queryHash: string
  /** The variable that takes the id. */
  idVariable: string
  /** The response keys under which it shows the row. */
  keys: readonly string[]
}

/** A subscription that can be streamed: what it follows, the query for a row, and how its messages are made. */
export interface LiveOperation {
  /** The response key of its root field. */
  rootKey: string
  ids: ReadonlySet<string> | null
  after: string | null
  /** The query for a row of a type; null for a type that is not followed. */
  queryFor(type: string): RowQuery | null
  /** Types that the client named, whose refusal is the refusal of the stream. */
  named: readonly string[]
  /** The message about a change; `row` is what the query answered. */
  changed(event: LoggedEvent, cursor: string, row: Readonly<Record<string, unknown>>): object
  /** The message that changes were missed. */
  reset(cursor: string): object
}

/**
 * Makes a stream of a validated subscription.
 * @throws GraphQLError BAD_USER_INPUT when it cannot be streamed, or names too much
 */
export function liveOperation(
  schema: GraphQLSchema,
  checked: DocumentNode,
  given: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): LiveOperation {
  const { errors, coerced } = getVariableValues(schema, given.variableDefinitions ?? [], variables, {
    maxErrors: 5,
  })
  if (errors) throw new GraphQLError(errors[0]!.message, { extensions: { code: 'BAD_USER_INPUT' } })
  const conditions = new Map(conditionsOf(checked).map((name) => [name, coerced[name] === true]))
  const document = resolveConditions(checked, conditions)
  const operation = document.definitions.find(
    (node): node is OperationDefinitionNode =>
      node.kind === Kind.OPERATION_DEFINITION && node.name?.value === given.name?.value,
  )!
  const fragments = fragmentsOf(document)
  const root = schema.getSubscriptionType()!
  const [selected, ...others] = [...fieldsOf(schema, [operation.selectionSet], root, fragments)]
  if (!selected || others.length > 0) throw badUserInput('A stream has exactly one root field')
  const [rootKey, nodes] = selected
  const field = root.getFields()[nodes[0]!.name.value]!
  const live = liveFields(schema)
  const message = getNamedType(field.type) as GraphQLObjectType
  const sets = nodes.flatMap(({ selectionSet }) => selectionSet ?? [])
  const fields = [...fieldsOf(schema, sets, message, fragments)]
  const args = getArgumentValues(field, nodes[0]!, coerced)
  const after = typeof args['after'] === 'string' ? args['after'] : null
  if (field.name === changesField && !live.has(field.name))
    return changes(rootKey, named(args['types'], 'types'), after, fields, live)
  const { shownBy, type } = live.get(field.name) ?? {}
  if (!shownBy || !type) throw badUserInput(`${root.name}.${field.name} is not streamed here`)
  const ids = named(args['ids'], 'ids')
  const query = rowQuery(
    shownBy,
    fields.filter(([, [node]]) => node!.name.value === shownBy),
    {
      operation,
      fragments,
    },
  )
  return {
    rootKey,
    ids: ids && new Set(ids.map((id) => id.toLowerCase())),
    after,
    queryFor: (asked) => (asked === type ? query : null),
    named: [type],
    changed: (_event, cursor, row) => ({
      [rootKey]: messageOf(fields, (name, key) =>
        name === shownBy ? row[key] : { kind: 'CHANGED', cursor, __typename: message.name }[name],
      ),
    }),
    reset: (cursor) => ({
      [rootKey]: messageOf(
        fields,
        (name) => ({ kind: 'RESET', cursor, __typename: message.name })[name] ?? null,
      ),
    }),
  }
}

/** A stream that tells of rows of several types, and shows none. */
function changes(
  rootKey: string,
  types: readonly string[] | null,
  after: string | null,
  fields: readonly [string, readonly FieldNode[]][],
  live: ReadonlyMap<string, LiveField>,
): LiveOperation {
  const byType = new Map([...live.values()].map((one) => [one.type, one.shownBy]))
  const unknown = types?.find((type) => !byType.has(type))
  if (unknown !== undefined)
    throw badUserInput(
      `types: nothing tells of "${unknown}". There are ${[...byType.keys()].sort().join(', ')}`,
    )
  const followed = types ? new Set(types) : null
  const queries = new Map<string, RowQuery>()
  const __typename = 'Change'
  return {
    rootKey,
    ids: null,
    after,
    named: [...(followed ?? [])],
    queryFor(type) {
      const shownBy = byType.get(type)
      if (!shownBy || (followed && !followed.has(type))) return null
      let query = queries.get(type)
      if (!query) queries.set(type, (query = rowQuery(shownBy, [], null)))
      return query
    },
    changed: ({ aggregateType: type, aggregateId: id, payload }, cursor) => {
      const { version = null } = payload as { version?: number }
      const values: Record<string, unknown> = { kind: 'CHANGED', cursor, type, id, version, __typename }
      return { [rootKey]: messageOf(fields, (name) => values[name]) }
    },
    reset: (cursor) => ({
      [rootKey]: messageOf(fields, (name) => ({ kind: 'RESET', cursor, __typename })[name] ?? null),
    }),
  }
}

function messageOf(
  fields: readonly [string, readonly FieldNode[]][],
  valueOf: (name: string, key: string) => unknown,
): object {
  return Object.fromEntries(fields.map(([key, [node]]) => [key, valueOf(node!.name.value, key)]))
}

/** @throws GraphQLError BAD_USER_INPUT for more than any list may have */
function named(list: unknown, argument: string): string[] | null {
  if (!Array.isArray(list)) return null
  if (list.length > mostItems)
    throw badUserInput(`${argument}: has more than ${mostItems} items: send them in several requests`)
  return list.map(String)
}

/** The fields of selection sets on an object type, by response key. */
function fieldsOf(
  schema: GraphQLSchema,
  sets: readonly SelectionSetNode[],
  parent: GraphQLObjectType,
  fragments: Fragments,
): Map<string, FieldNode[]> {
  const found = collectFields(
    sets.map((set) => ({ set, parent })),
    schema,
    fragments,
    (condition) => isWithin(schema, parent, condition),
  )
  return new Map([...found].map(([key, selected]) => [key, selected.map(({ node }) => node)]))
}

/**
 * The query for a row by its id: what the selections say of it, or else whether it is there.
 * @param of the subscription that the selections are of
 */
function rowQuery(
  field: string,
  selected: readonly [string, readonly FieldNode[]][],
  of: { operation: OperationDefinitionNode; fragments: Fragments } | null,
): RowQuery {
  const definitions = of?.operation.variableDefinitions ?? []
  let idVariable = 'changedId'
  while (definitions.some(({ variable }) => variable.name.value === idVariable)) idVariable += '_'
  const name = (value: string) => ({ kind: Kind.NAME, value }) as const
  const variable = { kind: Kind.VARIABLE, name: name(idVariable) } as const
  const rowOf = (key: string, selectionSet: SelectionSetNode): FieldNode => ({
    kind: Kind.FIELD,
    alias: name(key),
    name: name(field),
    arguments: [{ kind: Kind.ARGUMENT, name: name('id'), value: variable }],
    selectionSet,
  })
  const typename: SelectionSetNode = {
    kind: Kind.SELECTION_SET,
    selections: [{ kind: Kind.FIELD, name: name('__typename') }],
  }
  const nodes = selected.flatMap(([key, fields]) =>
    fields.map((node) => rowOf(key, node.selectionSet ?? typename)),
  )
  const selections: SelectionNode[] = nodes.length > 0 ? nodes : [rowOf(field, typename)]
  const used = reached(selections, of?.fragments ?? new Map<string, FragmentDefinitionNode>())
  const id: NonNullable<OperationDefinitionNode['variableDefinitions']>[number] = {
    kind: Kind.VARIABLE_DEFINITION,
    variable,
    type: { kind: Kind.NON_NULL_TYPE, type: { kind: Kind.NAMED_TYPE, name: name('ID') } },
  }
  const operation: OperationDefinitionNode = {
    kind: Kind.OPERATION_DEFINITION,
    operation: 'query' as OperationDefinitionNode['operation'],
    ...(of?.operation.name && { name: of.operation.name }),
    variableDefinitions: [id, ...definitions.filter((one) => used.variables.has(one.variable.name.value))],
    selectionSet: { kind: Kind.SELECTION_SET, selections },
  }
  const document: DocumentNode = { kind: Kind.DOCUMENT, definitions: [operation, ...used.fragments] }
  const source = print(document)
  const queryHash = createHash('sha256').update(source).digest('hex')
  const keys = [...new Set(selections.map((node) => responseKey(node as FieldNode)))]
  return { field, document, operation, source, queryHash, idVariable, keys }
}

/** The fragments and variables that selections need. */
function reached(selections: readonly SelectionNode[], all: Fragments) {
  const variables = new Set<string>()
  const fragments = new Map<string, FragmentDefinitionNode>()
  const look = (node: SelectionNode | FragmentDefinitionNode): void => {
    visit(node, {
      Variable: ({ name }) => void variables.add(name.value),
      FragmentSpread({ name }) {
        const fragment = all.get(name.value)
        if (!fragment || fragments.has(name.value)) return
        fragments.set(name.value, fragment)
        look(fragment)
      },
    })
  }
  selections.forEach(look)
  return { variables, fragments: [...fragments.values()] }
}
