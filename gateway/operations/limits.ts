import {
  GraphQLError,
  Kind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql'
import { measurer } from './cost'
import type { CostModel } from './cost-model'

/** Describes what one request may ask for. Nothing beyond a limit reaches the planner or a subgraph. */
export interface Limits {
  /** Bytes of a request body. */
  maxBodyBytes: number
  /** Lexical tokens of a document. */
  maxTokens: number
  /** Levels of fields, fragments resolved. */
  maxDepth: number
  /** Fields selected, fragments resolved. */
  maxSelections: number
  /** Estimated objects touched, see {@link measurer}. */
  maxCost: number
  /** Levels of lists and objects in the variables. */
  maxVariableDepth: number
  /** The largest page a subgraph gives; larger ones are refused there. */
  pageLimit: number
}

/** Several times what the product's own screens and GraphiQL ask for; two full nested pages pass, three do not. */
export const defaultLimits: Limits = {
  maxBodyBytes: 1024 * 1024,
  maxTokens: 5000,
  maxDepth: 20,
  maxSelections: 2000,
  maxCost: 50_000,
  maxVariableDepth: 32,
  pageLimit: 100,
}

/**
 * The limits of one operation, to be asked for each request, because a size may be a variable: the measure belongs to
 * the request and not to the document.
 *
 * @returns a function of the request's variables that gives the operation's cost, and throws GraphQLError with status
 *   400 beyond a limit
 */
export function limitsOf(
  schema: GraphQLSchema,
  model: CostModel,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  limits: Limits,
): (variables: Readonly<Record<string, unknown>>) => number {
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition)
  }
  const measured = measurer(schema, model, operation, fragments, limits.pageLimit)
  return (variables) => {
    if (deeper(variables, limits.maxVariableDepth)) {
      throw refusal(
        'BAD_USER_INPUT',
        `The variables are nested more than ${limits.maxVariableDepth} levels deep`,
      )
    }
    const is = measured(variables)
    if (is.depth > limits.maxDepth) {
      throw refusal(
        'QUERY_TOO_COSTLY',
        `The operation is ${is.depth} levels deep, at most ${limits.maxDepth}: split it`,
      )
    }
    if (is.selections > limits.maxSelections) {
      throw refusal(
        'QUERY_TOO_COSTLY',
        `The operation selects ${is.selections} fields, at most ${limits.maxSelections}: split it`,
      )
    }
    if (is.cost > limits.maxCost) {
      const cost = Math.ceil(is.cost)
      throw refusal(
        'QUERY_TOO_COSTLY',
        `The operation costs ${cost}, at most ${limits.maxCost}: ask for smaller pages or nest fewer lists`,
      )
    }
    return is.cost
  }
}

/** @returns the refusal of a request that names no operation of its document, or an operation of no kind we have */
export function operationFault(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode | undefined,
  name: string | undefined,
): GraphQLError | null {
  if (!operation) return refusal('BAD_USER_INPUT', unknownOperation(name))
  const { operation: kind } = operation
  const isThere = Boolean(schema.getRootType(kind))
  if (kind === 'subscription' && isThere) return refusal('BAD_USER_INPUT', asStream)
  if (isThere) return null
  return refusal('BAD_USER_INPUT', `The schema has no ${kind} type`)
}

const asStream = 'A subscription is answered as a stream: send it with accept: text/event-stream'

function unknownOperation(name: string | undefined): string {
  return name
    ? `The document has no operation named "${name}"`
    : 'The document has several operations: name one in operationName'
}

function refusal(code: 'BAD_USER_INPUT' | 'QUERY_TOO_COSTLY', message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status: 400 } } })
}

/**
 * Tells whether a JSON value has more levels than allowed; without recursion, since that is what deep values attack.
 */
function deeper(value: unknown, levels: number): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true
    level = level.flatMap((item) => (item !== null && typeof item === 'object' ? Object.values(item) : []))
  }
  return false
}
