import {
  locatedError,
  responsePathAsArray,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLError,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type ResponsePath,
} from 'graphql'

/** Describes what a compiled operation is made from; the same for all its requests. */
export interface Scope {
  readonly schema: GraphQLSchema
  readonly operation: OperationDefinitionNode
  readonly fragments: Record<string, FragmentDefinitionNode>
  /** The variables that `@skip` and `@include` look at, as this compilation takes them. */
  readonly conditions: Readonly<Record<string, boolean>>
}

/** One request under way. */
export interface Run {
  readonly scope: Scope
  readonly context: unknown
  readonly rootValue: unknown
  readonly variables: Record<string, unknown>
  /** Arguments of fields that depend on variables: read once per request, however many parents have the field. */
  readonly args: Map<object, Record<string, unknown>>
  readonly errors: GraphQLError[]
  /** The places that an error made null. */
  readonly failed: Set<ResponsePath | undefined>
}

/** A field of the answer as its resolver and its errors know it. */
export interface Place {
  readonly name: string
  readonly nodes: readonly FieldNode[]
  readonly type: GraphQLOutputType
  readonly parentType: GraphQLObjectType
}

export type Path = ResponsePath | undefined

/** A new {@link GraphQLResolveInfo} for a field at a place of the answer. */
export function infoOf(run: Run, place: Place, path: ResponsePath): GraphQLResolveInfo {
  const { scope } = run
  return {
    fieldName: place.name,
    fieldNodes: place.nodes,
    returnType: place.type,
    parentType: place.parentType,
    path,
    schema: scope.schema,
    fragments: scope.fragments,
    rootValue: run.rootValue,
    operation: scope.operation,
    variableValues: run.variables,
  }
}

/** Takes up an error, unless its place was made null already: what is below a null has no errors. */
export function collect(run: Run, error: GraphQLError, path: Path): void {
  for (let above = path; ; above = above.prev) {
    if (run.failed.has(above)) return
    if (above === undefined) break
  }
  run.failed.add(path)
  run.errors.push(error)
}

/**
 * Returns what a failed place answers: null and an error; a place that must not be null throws for the one above it.
 */
export function failure(
  run: Run,
  raw: unknown,
  nodes: readonly FieldNode[],
  path: ResponsePath,
  isNonNull: boolean,
): null {
  const error = locatedError(raw, nodes, responsePathAsArray(path))
  if (isNonNull) throw error
  collect(run, error, path)
  return null
}

/** A pending value whose failure is that of its place. */
export function caught(
  pending: PromiseLike<unknown>,
  run: Run,
  nodes: readonly FieldNode[],
  path: ResponsePath,
  isNonNull: boolean,
): PromiseLike<unknown> {
  return pending.then(undefined, (raw) => failure(run, raw, nodes, path, isNonNull))
}
