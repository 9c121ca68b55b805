import {
  executeSync,
  GraphQLError,
  Kind,
  type DocumentNode,
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLSchema,
  type OperationDefinitionNode,
} from 'graphql'
import type { Step } from './fetch'
import { unsendableIn, withoutValues } from './opaque-values'
import { compilePlan } from './plan'
import type { GatewayRequest, QueryPlan } from './query-plan'
import { collectFields, resolveConditions, fragmentsOf, isWithin, type Fragments } from './selections'
import { separateAliases, unusedPrefix, type OwnFields } from './alias-conflicts'
import { compileShape, type Shape } from './complete-result'

/** Describes what operations are prepared for: one version of the supergraph. */
export interface Graph {
  /** Holds what clients see. */
  schema: GraphQLSchema
  supergraph: GraphQLSchema
  own: OwnFields
}

/** An operation ready to run. */
export interface Runnable {
  fetch: Step
  shape: Shape
  /** Returns what in the variables cannot be sent to a subgraph as it was given; null when all can. */
  unsendable: (variables: Readonly<Record<string, unknown>>) => GraphQLError | null
}

/** Says how to run an operation: so, not at all because of an error, or as ApolloGateway does. */
export type Prepared = Runnable | GraphQLError | 'stock'

/**
 * Plans and compiles an operation. Left to ApolloGateway's own execution: subscriptions and `@defer`.
 *
 * Conditions are decided before anything is planned. The planner can take them into the plan, but an entity that lacks
 * what a skipped field requires then gets none of the fields that are fetched together with it, and an object of which
 * everything is skipped becomes null.
 *
 * @param conditions the values of the variables in `@skip` and `@include`
 * @param plan asks the planner
 * @throws what the planner throws
 */
export async function prepare(
  request: Pick<GatewayRequest, 'document' | 'operation'>,
  conditions: ReadonlyMap<string, boolean>,
  graph: Graph,
  plan: (operation: { document: DocumentNode }) => Promise<QueryPlan>,
): Promise<Prepared> {
  const { schema, supergraph, own } = graph
  const document = resolveConditions(request.document, conditions)
  const fragments = fragmentsOf(document)
  const operation = operationOf(document, request.operation)
  const root = schema.getRootType(operation.operation)
  if (!root) return 'stock'
  const prefix = unusedPrefix(document)
  const separated = separateAliases(document, own, prefix)
  const { variables, restored, ...opaque } = withoutValues(
    separated.document,
    operationOf(separated.document, operation),
    { schema, own, prefix },
  )
  const queryPlan = await plan(opaque)
  const required = [...own.required].map(([name, field]) => [name, field.name] as const)
  const names = new Map([...required, ...separated.keys, ...variables])
  const fetch = compilePlan(queryPlan, { supergraph, names, variables, own, restored })
  if (!fetch) return 'stock'
  const selections = { set: operation.selectionSet, parent: root }
  const shape = compileShape(root, selections, { schema, fragments, fetchedAs: separated.fetchedAs })
  const introspect = introspection(operation, fragments, schema, root)
  return {
    fetch: introspect ? (run) => fetch(run).then(() => introspect(run)) : fetch,
    shape,
    unsendable: unsendableIn(operation, schema),
  }
}

/** The operation of a changed document that was this one. */
function operationOf(document: DocumentNode, { name }: OperationDefinitionNode): OperationDefinitionNode {
  const operations = document.definitions.filter(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  )
  return operations.find((operation) => operation.name?.value === name?.value)!
}

/** Returns what of an operation asks for the schema itself, as graphql-js answers it; null when nothing does. */
function introspection(
  operation: OperationDefinitionNode,
  fragments: Fragments,
  schema: GraphQLSchema,
  root: GraphQLObjectType,
): Step | null {
  const applies = (condition: GraphQLCompositeType) => isWithin(schema, root, condition)
  const fields = collectFields([{ set: operation.selectionSet, parent: root }], schema, fragments, applies)
  const selections = [...fields.values()]
    .flat()
    .map(({ node }) => node)
    .filter(({ name }) => name.value === '__schema' || name.value === '__type')
  if (selections.length === 0) return null
  const asked: OperationDefinitionNode = {
    ...operation,
    selectionSet: { kind: Kind.SELECTION_SET, selections },
  }
  const document = { kind: Kind.DOCUMENT, definitions: [asked, ...fragments.values()] } as const
  return async ({ data, variables }) => {
    const answer = executeSync({ schema, document, variableValues: variables })
    if (answer.errors) throw answer.errors[0]!
    Object.assign(data, answer.data)
  }
}
