import type { ApolloServerPlugin } from '@apollo/server'
import { HeaderMap } from '@apollo/server'
import { GraphQLError, parse, type GraphQLFormattedError, type GraphQLSchema } from 'graphql'
import { passwordChangeRequired } from '../../kernel/errors'
import type { GatewayContext, RequestRecord } from '../context'
import { anonymousRefusal } from './anonymous-refusal'
import { httpOf } from './cached-execution'
import type { DocumentCheck } from './document-check'
import { limitsOf, operationFault } from './limits'
import type { PipelineOptions } from './pipeline-options'
import { networkOf } from '../../kernel/process/network-address'
import type { Rates } from './rates'

/** Stands for a document that is refused: Apollo Server goes on to where refusals have one place. */
const nothing = parse('{ __typename }')
/** Stands for its refusals, which go past Apollo Server: it would take one. */
const refused = new GraphQLError('Refused', { extensions: { http: { status: 400 } } })

/** An operation of this cost counts as one more request of an anonymous caller. */
const costOfOneRequest = 1000

/** @throws GraphQLError RATE_LIMITED when whoever asks has asked for enough in this minute */
export function withinRates(rates: Rates, record: RequestRecord, cost: number): void {
  const { anonymous, address, tenantId } = record
  record.cost = cost
  if (tenantId !== null) rates.tenant(tenantId, 1 + cost)
  else if (anonymous && cost >= costOfOneRequest)
    rates.anonymous(address, Math.floor(cost / costOfOneRequest))
}

/** A plan that takes longer than this has waited for others' more than it was made. */
const mostPlanningMs = 50

/** The check of a document; those of anonymous callers take turns. */
async function checkOf(
  { check, turns }: Pick<PipelineOptions, 'check' | 'turns'>,
  { record: { anonymous, address }, request: { viewer } }: GatewayContext,
  schema: GraphQLSchema,
  source: string,
): Promise<ReturnType<DocumentCheck>> {
  if (viewer?.passwordChangeRequired) return beforePasswordChange(check(schema, source, 'anonymous'))
  if (!anonymous) return check(schema, source, 'signedIn')
  await turns.take(networkOf(address))
  const started = performance.now()
  const checked = check(schema, source, 'anonymous')
  turns.took(performance.now() - started)
  return checked
}

/** A viewer who must change the password is shown of the schema what anybody is, and told what to do about it. */
function beforePasswordChange(checked: ReturnType<DocumentCheck>): ReturnType<DocumentCheck> {
  if (!('errors' in checked)) return checked
  const isHidden = ({ extensions }: GraphQLError) => extensions['code'] === 'UNAUTHENTICATED'
  return { errors: checked.errors.map((error) => (isHidden(error) ? passwordChangeRequired() : error)) }
}

/**
 * The checks of a document that was not seen before, in the order of what they cost: bounds, validation, limits, rates,
 * and whether anything of it is for its caller. Apollo Server neither parses nor validates a document that it is given.
 */
export function checkPlugin(
  options: Pick<PipelineOptions, 'check' | 'turns' | 'rates' | 'costs' | 'roots' | 'limits' | 'usage'>,
): ApolloServerPlugin<GatewayContext> {
  const { usage, limits } = options
  return {
    requestDidStart: async () => ({
      async didResolveSource(request) {
        const { contextValue, schema, source } = request
        const found = contextValue.found!
        Object.assign(request, { document: nothing })
        try {
          const checked = await checkOf(options, contextValue, schema, source)
          if ('errors' in checked) found.refused = checked.errors
          else Object.assign(request, { document: (found.checked = checked).document })
        } catch (error) {
          if (!(error instanceof GraphQLError)) throw error
          found.refused = [error]
        }
      },
      async didResolveOperation({ contextValue, schema, document, operation, operationName, request }) {
        const [first] = contextValue.found?.refused ?? []
        if (first) throw httpOf(first) ? first : refused
        const { record } = contextValue
        record.operationName = operationName
        const fault = operationFault(schema, operation, request.operationName)
        if (fault) throw fault
        const withinLimits = limitsOf(schema, options.costs(), document, operation!, limits)
        withinRates(options.rates, record, withinLimits(request.variables ?? {}))
      },
      async responseForOperation({ contextValue, schema, document, operation, request }) {
        if (!contextValue.record.anonymous) return null
        const refusal = anonymousRefusal(
          schema,
          options.roots(),
          { document, operation },
          request.variables ?? {},
        )
        if (!refusal) {
          // Nothing of it was kept, so it is planned.
          options.turns.planned()
          const started = performance.now()
          contextValue.prepared = () =>
            options.turns.took(Math.min(performance.now() - started, mostPlanningMs))
          return null
        }
        const errors = refusal.errors.map((error) => ({ error }) as unknown as GraphQLFormattedError)
        const singleResult = { errors, data: refusal.data }
        return {
          http: { status: undefined, headers: new HeaderMap() },
          body: { kind: 'single', singleResult },
        }
      },
      async executionDidStart({ request, document, operation, contextValue: { record } }) {
        usage?.executing({
          document,
          operation,
          variables: request.variables,
          tenantId: record.tenantId,
          anonymous: record.anonymous,
          header: (name) => request.http?.headers.get(name),
        })
      },
    }),
  }
}
