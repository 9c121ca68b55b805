import type { ApolloGateway, Experimental_DidResolveQueryPlanCallback } from '@apollo/gateway'
import { GraphQLError, type DocumentNode, type GraphQLSchema } from 'graphql'
import { anyVariables } from '../plans/any-variables'

/** Describes what ApolloGateway's planner makes of an operation. */
export type QueryPlan = Parameters<Experimental_DidResolveQueryPlanCallback>[0]['queryPlan']

export type PlanNode = Exclude<NonNullable<QueryPlan['node']>, { kind: 'Subscription' }>
export type FetchNode = Extract<PlanNode, { kind: 'Fetch' }>
export type Rewrite = NonNullable<FetchNode['inputRewrites']>[number]

export type Executor = ApolloGateway['executor']
export type GatewayRequest = Parameters<Executor>[0]
export type GatewayResult = Awaited<ReturnType<Executor>>

/** Describes what is planned: one operation of a document. */
export interface Planned {
  document: DocumentNode
  operationName: string | undefined
  /** Names this operation in ApolloGateway's own cache. */
  id: string
}

export interface Planner {
  /** For the gateway's configuration: where the plans come from. */
  didResolveQueryPlan: Experimental_DidResolveQueryPlanCallback
  /**
   * Has ApolloGateway plan an operation without executing it.
   * @param schema what clients see of the supergraph
   * @throws what the planner throws
   */
  plan(executor: Executor, schema: GraphQLSchema, planned: Planned): Promise<QueryPlan>
}

/**
 * ApolloGateway hands its plans out just before it executes them, to a callback; this one stops it there, for the
 * requests that were sent for their plan alone.
 */
export function createPlanner(): Planner {
  const plans = new WeakMap<object, QueryPlan | null>()
  return {
    didResolveQueryPlan({ requestContext, queryPlan }) {
      if (!plans.has(requestContext)) return
      plans.set(requestContext, queryPlan)
      throw new Error('Planned; nothing is executed')
    },
    async plan(executor, schema, { document, operationName, id }) {
      // It checks variables before it plans. A plan does not depend on their values, so these are of no client.
      const variables = anyVariables(schema, document, operationName)
      const request = {
        request: { operationName, variables },
        operationName,
        document,
        queryHash: id,
      } as unknown as GatewayRequest
      plans.set(request, null)
      try {
        const { errors } = await executor(request)
        throw errors?.[0] ?? new Error('ApolloGateway gave no plan')
      } catch (error) {
        const plan = plans.get(request)
        if (plan) return plan
        throw ofClient(error)
      }
    },
  }
}

/**
 * Tells what the planner finds wrong with an operation like what validation does. Anything else is the planner's.
 */
function ofClient(error: unknown): unknown {
  if (!(error instanceof GraphQLError) || error.extensions['code'] !== 'INVALID_GRAPHQL') return error
  return new GraphQLError(error.message, { extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } })
}
