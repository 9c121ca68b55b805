import {
  execute,
  getVariableValues,
  Kind,
  OperationTypeNode,
  print,
  visit,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type FragmentDefinitionNode,
  type GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type VariableDefinitionNode,
} from 'graphql'
import { collectFields } from 'graphql/execution/collectFields'
import { isPromise } from './sync-promise'
import { executeFields, executeSerially, fieldPlans, type FieldPlan } from './fields'
import { collect, type Run, type Scope } from './run'

/** Says how many combinations of conditions one operation is compiled for. */
const maxVariants = 16

type Request = Pick<ExecutionArgs, 'document' | 'operationName' | 'variableValues' | 'contextValue'>

/** An operation of a document, with one compilation for each combination of its conditions. */
interface Operation {
  definition: OperationDefinitionNode
  /** Variables that hold what a gateway asks for, a list of `_Any`: it may hold anything but null. */
  representations: readonly string[]
  /** All others. */
  variables: readonly VariableDefinitionNode[]
  fragments: Record<string, FragmentDefinitionNode>
  /** The variables that decide what is selected. */
  conditions: readonly string[]
  variants: Map<string, Variant>
}
interface Variant {
  scope: Scope
  plans: readonly FieldPlan[]
}

/**
 * Executes valid documents over a schema like graphql-js's `execute`, with the same answers, and prepares each
 * document once: which fields an object has, how each is answered and completed. What is prepared lives as long as
 * the document.
 *
 * graphql-js itself executes what is not worth it or means something else here: introspection, subscriptions, a
 * response key `__proto__`, conditions that are no booleans, and an operation that is not there.
 */
export function compiledExecution(
  schema: GraphQLSchema,
): (request: Request) => ExecutionResult | Promise<ExecutionResult> {
  const operations = new WeakMap<DocumentNode, Map<string | undefined, Operation | null>>()

  function operationOf({ document, operationName }: Request): Operation | null {
    let named = operations.get(document)
    if (!named) operations.set(document, (named = new Map()))
    const name = operationName ?? undefined
    let operation = named.get(name)
    if (operation === undefined) {
      operation = readOperation(schema, document, name)
      // Names come from clients: only those that the document has are kept.
      if (operation || name === undefined) named.set(name, operation)
    }
    return operation
  }

  return (request) => {
    const { variableValues } = request
    const operation = typeof variableValues === 'object' || !variableValues ? operationOf(request) : null
    if (!operation) return execute({ schema, ...request })
    const { errors, coerced } = readVariables(schema, operation, variableValues ?? {})
    if (errors) return { errors }
    const variant = variantOf(schema, operation, coerced)
    if (!variant) return execute({ schema, ...request })
    const run: Run = {
      scope: variant.scope,
      context: request.contextValue,
      rootValue: undefined,
      variables: coerced,
      args: new Map(),
      errors: [],
      failed: new Set(),
    }
    return answer(run, variant.plans)
  }
}

function answer(run: Run, plans: readonly FieldPlan[]): ExecutionResult | Promise<ExecutionResult> {
  const respond = (data: Record<string, unknown> | null): ExecutionResult =>
    run.errors.length === 0 ? { data } : { errors: run.errors, data }
  const lost = (error: unknown) => {
    collect(run, error as GraphQLError, undefined)
    return respond(null)
  }
  try {
    const isMutation = run.scope.operation.operation === OperationTypeNode.MUTATION
    const data = isMutation
      ? executeSerially(plans, run, undefined)
      : executeFields(plans, run, undefined, undefined)
    return isPromise(data) ? (data as Promise<Record<string, unknown>>).then(respond, lost) : respond(data)
  } catch (error) {
    return lost(error)
  }
}

/** As graphql-js reads variables, but without looking at each of hundreds of representations. */
function readVariables(
  schema: GraphQLSchema,
  { definition, representations, variables }: Operation,
  given: Record<string, unknown>,
): ReturnType<typeof getVariableValues> {
  const all = () => getVariableValues(schema, definition.variableDefinitions ?? [], given, { maxErrors: 50 })
  if (!representations.every((name) => isPlainList(given[name]))) return all()
  const { errors, coerced } = getVariableValues(schema, variables, given)
  if (errors) return all()
  for (const name of representations) coerced[name] = given[name]
  return { coerced }
}

const isPlainList = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => typeof one === 'object' && one !== null)

/** The operation when it is one that is compiled, or null. */
function readOperation(schema: GraphQLSchema, document: DocumentNode, name?: string): Operation | null {
  const fragments = Object.create(null) as Record<string, FragmentDefinitionNode>
  const found: OperationDefinitionNode[] = []
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue
    if (name === undefined || definition.name?.value === name) found.push(definition)
  }
  const [definition, ...others] = found
  if (!definition || others.length > 0 || !schema.getRootType(definition.operation)) return null
  if (definition.operation === OperationTypeNode.SUBSCRIPTION) return null
  const conditions = conditionsOf(document)
  if (!conditions) return null
  const all = definition.variableDefinitions ?? []
  const variables = all.filter(({ type }) => print(type) !== '[_Any!]!')
  const representations = all
    .filter((one) => !variables.includes(one))
    .map(({ variable }) => variable.name.value)
  return { definition, representations, variables, fragments, conditions, variants: new Map() }
}

/** The variables of all conditions of a document, or null when something in it is left to graphql-js. */
function conditionsOf(document: DocumentNode): string[] | null {
  const conditions = new Set<string>()
  let isForeign = false
  visit(document, {
    Field({ name, alias }) {
      if (name.value === '__schema' || name.value === '__type' || alias?.value === '__proto__')
        isForeign = true
    },
    Directive({ name, arguments: given }) {
      if (name.value !== 'skip' && name.value !== 'include') return
      for (const { value } of given ?? []) if (value.kind === Kind.VARIABLE) conditions.add(value.name.value)
    },
  })
  return isForeign ? null : [...conditions].sort()
}

function variantOf(
  schema: GraphQLSchema,
  { definition, fragments, conditions, variants }: Operation,
  variables: Record<string, unknown>,
): Variant | null {
  const key = conditions.map((name) => variables[name]).join()
  const known = variants.get(key)
  if (known) return known
  if (variants.size >= maxVariants) return null
  // A variable of another operation of the document has no value here, and decides nothing.
  const values: Record<string, boolean> = {}
  for (const name of conditions) {
    const value = variables[name]
    if (typeof value === 'boolean') values[name] = value
    else if (definition.variableDefinitions?.some(({ variable }) => variable.name.value === name)) return null
  }
  const scope: Scope = { schema, operation: definition, fragments, conditions: values }
  const type = schema.getRootType(definition.operation)!
  const collected = collectFields(schema, fragments, values, type, definition.selectionSet)
  const variant = { scope, plans: fieldPlans(scope, type, collected) }
  variants.set(key, variant)
  return variant
}
