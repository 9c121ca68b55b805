import {
  getNamedType,
  GraphQLError,
  isInputObjectType,
  isInputType,
  isScalarType,
  isSpecifiedScalarType,
  Kind,
  parse,
  parseType,
  print,
  stripIgnoredCharacters,
  typeFromAST,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type ArgumentNode,
  type DefinitionNode,
  type DocumentNode,
  type FieldNode,
  type FloatValueNode,
  type GraphQLArgument,
  type GraphQLInputType,
  type GraphQLSchema,
  type IntValueNode,
  type NamedTypeNode,
  type OperationDefinitionNode,
  type ValueNode,
  type VariableDefinitionNode,
  type VariableNode,
} from 'graphql'
import type { OwnFields } from './alias-conflicts'
import type { FetchNode } from './query-plan'
import { signatureOf, type RequiredFields } from './required-fields'
import { fragmentsOf } from './selections'

/** An operation without the values that a client wrote into it, for the planner. */
export interface Opaque {
  document: DocumentNode
  /** The client's variables by the names under which they are sent, where these are others. */
  variables: ReadonlyMap<string, string>
  /** A fetch of the operation's plan, with the values and the definitions of variables as the client wrote them. */
  restored(fetch: FetchNode): FetchNode
}

/** The variable of a subgraph operation that has the entities. */
const representations = 'representations'

/**
 * Takes the values out of an operation before it is planned: a plan does not depend on them, and the planner reads them
 * in its own way. It throws for some that are valid, takes for ever over deep ones, and rounds numbers. What the client
 * wrote stands in the operations for subgraphs unchanged. Variables are renamed whose names the gateway uses itself or
 * every JavaScript object has.
 *
 * @param prefix what no name in the document begins with
 * @throws GraphQLError for a number that is none in a double's range
 */
export function withoutValues(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  { schema, own, prefix }: { schema: GraphQLSchema; own: OwnFields; prefix: string },
): Opaque {
  const values = new Map<string, ValueNode>()
  const byText = new Map<string, string>()
  const added: VariableDefinitionNode[] = []
  const variables = new Map<string, string>()
  const sentAs = new Map<string, string>()
  for (const { variable } of operation.variableDefinitions ?? []) {
    const name = variable.name.value
    if (name !== representations && !(name in {})) continue
    sentAs.set(name, `${prefix}_${name}`)
    variables.set(`${prefix}_${name}`, name)
  }
  const sent = <T extends VariableDefinitionNode | ValueNode>(node: T): T =>
    visit(node, {
      Variable: ({ name }) => (sentAs.has(name.value) ? variableOf(sentAs.get(name.value)!) : undefined),
    }) as T
  const definitions = new Map<string, VariableDefinitionNode>()
  for (const definition of operation.variableDefinitions ?? []) {
    const own = sent(definition)
    definitions.set(own.variable.name.value, own)
  }

  function hide(argument: ArgumentNode, known: readonly GraphQLArgument[] | undefined): ArgumentNode {
    const { name, value } = argument
    const type = known?.find((one) => one.name === name.value)?.type
    if (value.kind === Kind.VARIABLE || !type) return { ...argument, value: sent(value) }
    const text = `${String(type)} ${print(value)}`
    let hidden = byText.get(text)
    if (!hidden) {
      byText.set(text, (hidden = `${prefix}_value${values.size}`))
      values.set(hidden, sent(value))
      added.push({
        kind: Kind.VARIABLE_DEFINITION,
        variable: variableOf(hidden),
        type: parseType(String(type)),
      })
    }
    return { ...argument, value: variableOf(hidden) }
  }

  // A field that the gateway requires too is planned with its values: the planner has to see that it is the same.
  const isOwn = (node: FieldNode) => own.signatures.get(node.name.value)?.has(signatureOf(node)) ?? false
  const info = new TypeInfo(schema)
  const hidden: DocumentNode = visit(
    reachable(document, operation),
    visitWithTypeInfo(info, {
      FloatValue: inRange,
      IntValue: inRange,
      Field: {
        leave: (node) =>
          isOwn(node)
            ? undefined
            : { ...node, arguments: node.arguments?.map((one) => hide(one, info.getFieldDef()?.args)) },
      },
      Directive: {
        leave: (node) => ({
          ...node,
          arguments: node.arguments?.map((one) => hide(one as ArgumentNode, info.getDirective()?.args)),
        }),
      },
    }),
  )
  const forPlanner: DocumentNode = {
    ...hidden,
    definitions: hidden.definitions.map((node) =>
      node.kind === Kind.OPERATION_DEFINITION
        ? { ...node, variableDefinitions: [...[...definitions.values()].map(withoutDefault), ...added] }
        : node,
    ),
  }
  const isSame =
    values.size === 0 &&
    sentAs.size === 0 &&
    own.required.size === 0 &&
    [...definitions.values()].every(({ defaultValue, directives }) => !defaultValue && !directives?.length)

  const restored = (fetch: FetchNode) => (isSame ? fetch : restore(fetch, values, definitions, own.required))
  return { document: forPlanner, variables, restored }
}

/**
 * A fetch with the values that were taken out, the fields that only the planner knows by their own names, and variables
 * defined as the client did.
 */
function restore(
  fetch: FetchNode,
  values: ReadonlyMap<string, ValueNode>,
  definitions: ReadonlyMap<string, VariableDefinitionNode>,
  required: RequiredFields,
): FetchNode {
  const uses = new Set<string>()
  const use = {
    Variable: ({ name }: VariableNode) => void uses.add(name.value),
    VariableDefinition: () => false,
  }
  const planned = new Map<string, VariableDefinitionNode>()
  const whole: DocumentNode = visit(parse(fetch.operation, { noLocation: true }), {
    VariableDefinition(node) {
      planned.set(node.variable.name.value, node)
      return null
    },
    Argument: {
      leave(node) {
        const value = node.value.kind === Kind.VARIABLE ? values.get(node.value.name.value) : undefined
        return value ? { ...node, value } : undefined
      },
    },
    Field: {
      leave(node) {
        const field = required.get(node.name.value)
        if (!field) return undefined
        const { arguments: given } = field
        return {
          ...node,
          alias: node.alias ?? node.name,
          name: { kind: Kind.NAME, value: field.name },
          arguments: given,
        }
      },
    },
  })
  visit(whole, use)
  const definitionsUsed = [...uses].flatMap((name) => definitions.get(name) ?? planned.get(name) ?? [])
  const complete: DocumentNode = {
    ...whole,
    definitions: whole.definitions.map((node) =>
      node.kind === Kind.OPERATION_DEFINITION ? { ...node, variableDefinitions: definitionsUsed } : node,
    ),
  }
  return {
    ...fetch,
    operation: stripIgnoredCharacters(print(complete)),
    operationDocumentNode: undefined,
    variableUsages: [...uses].filter((name) => definitions.has(name)),
  }
}

function variableOf(name: string): VariableNode {
  return { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: name } }
}

/** A definition for the planner: with its default, a variable fits where null is none. */
function withoutDefault({ variable, type, defaultValue }: VariableDefinitionNode): VariableDefinitionNode {
  const isNullable = type.kind !== Kind.NON_NULL_TYPE
  const kind = Kind.VARIABLE_DEFINITION
  return { kind, variable, type: defaultValue && isNullable ? { kind: Kind.NON_NULL_TYPE, type } : type }
}

function inRange(node: FloatValueNode | IntValueNode): void {
  if (Number.isFinite(Number(node.value))) return
  const shown = node.value.length > 40 ? `${node.value.slice(0, 40)}…` : node.value
  throw new GraphQLError(`The number ${shown} is out of range: it must be one that a double can hold`, {
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
  })
}

/** The operation and the fragments that it uses, without others of the document. */
function reachable(document: DocumentNode, operation: OperationDefinitionNode): DocumentNode {
  const fragments = fragmentsOf(document)
  const definitions: DefinitionNode[] = [operation]
  for (const definition of definitions) {
    visit(definition, {
      FragmentSpread({ name }) {
        const fragment = fragments.get(name.value)
        if (fragment && !definitions.includes(fragment)) definitions.push(fragment)
      },
    })
  }
  return { kind: Kind.DOCUMENT, definitions }
}

/**
 * Finds numbers that JSON can write and not read, as `1e400`, in the variables whose scalars only a subgraph knows.
 * Sent on, they would be null.
 */
export function unsendableIn(
  { variableDefinitions = [] }: OperationDefinitionNode,
  schema: GraphQLSchema,
): (variables: Readonly<Record<string, unknown>>) => GraphQLError | null {
  const names = variableDefinitions
    .filter(({ type }) => {
      const known = typeFromAST(schema, type as NamedTypeNode)
      return isInputType(known) && holdsCustomScalar(known)
    })
    .map(({ variable }) => variable.name.value)
  if (names.length === 0) return () => null
  return (variables) => {
    const name = names.find((one) => Object.hasOwn(variables, one) && !isSendable(variables[one]))
    if (name === undefined) return null
    return new GraphQLError(`Variable "$${name}" holds a number that is out of range`, {
      extensions: { code: 'BAD_USER_INPUT' },
    })
  }
}

function holdsCustomScalar(type: GraphQLInputType, seen = new Set<unknown>()): boolean {
  const named = getNamedType(type)
  if (seen.has(named)) return false
  seen.add(named)
  if (!isInputObjectType(named)) return isScalarType(named) && !isSpecifiedScalarType(named)
  return Object.values(named.getFields()).some((field) => holdsCustomScalar(field.type, seen))
}

function isSendable(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (value === null || typeof value !== 'object') return true
  return Object.values(value).every(isSendable)
}
