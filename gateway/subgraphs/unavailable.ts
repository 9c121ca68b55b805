import type { GraphQLDataSourceProcessOptions } from '@apollo/gateway'
import { Kind, parse, type GraphQLFormattedError } from 'graphql'
import { ApiError, unavailable } from '../../kernel/errors'
import type { GatewayContext, SubgraphAnswer } from '../context'

/** The client is gone: nobody reads this, it only ends the plan. */
export function cancelled(): ApiError {
  return unavailable('The client closed the request')
}

/**
 * The answer for a subgraph that gave none: no data, and errors at the places that stay null, so that a client can
 * tell "nothing there" from "not known". A fetch of entities names the first place only, not each of hundreds.
 *
 * @param name the subgraph; its address stays out of answers
 */
export function noAnswer(
  name: string,
  options: GraphQLDataSourceProcessOptions<GatewayContext>,
): SubgraphAnswer {
  const { message, extensions } = unavailable(`The ${name} subgraph does not answer. Try again.`)
  return errorsEverywhere(options, message, extensions)
}

/** The answer without data that has one error at each place that was asked for. */
export function errorsEverywhere(
  options: GraphQLDataSourceProcessOptions<GatewayContext>,
  message: string,
  extensions: GraphQLFormattedError['extensions'],
): SubgraphAnswer {
  const places = placesOf(options)
  const errors: GraphQLFormattedError[] =
    places.length > 0 ? places.map((path) => ({ message, path, extensions })) : [{ message, extensions }]
  return { data: null, errors }
}

function placesOf({ request }: GraphQLDataSourceProcessOptions<GatewayContext>): (string | number)[][] {
  if (Array.isArray(request.variables?.representations)) return [['_entities', 0]]
  const operation = parse(request.query ?? '', { noLocation: true }).definitions[0]
  if (operation?.kind !== Kind.OPERATION_DEFINITION) return []
  return operation.selectionSet.selections.flatMap((selection) => {
    if (selection.kind !== Kind.FIELD) return []
    const key = selection.alias?.value ?? selection.name.value
    // Several fetches of entities can be one call.
    return [selection.name.value === '_entities' ? [key, 0] : [key]]
  })
}
