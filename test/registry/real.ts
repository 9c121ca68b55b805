import { ApolloGateway } from '@apollo/gateway'
import { buildSubgraphSchema } from '@apollo/subgraph'
import {
  execute,
  getNamedType,
  isEnumType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  parse,
  validate,
  type ExecutionResult,
  type GraphQLFieldResolver,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql'
import { loadable } from '../../registry/composition/compose'
import { costModel } from '../../gateway/operations/cost-model'
import { measure } from '../../gateway/operations/cost'
import { apiSchema } from '../../registry/api-schema'
import { readSchema } from '../../registry/schema-model'
import type { SubgraphSource } from '../../registry/composition/subgraph-files'
import { readDeclarations } from '../../kernel/access/access'
import { guardSchema } from '../../kernel/access/authorize'

/** What a backend has: values by `Type.field`, and the object types behind interfaces and unions. */
export type Data = Readonly<Record<string, unknown>>

export interface Request {
  operation: string
  variables?: Record<string, unknown>
  data?: Data
}

const schemas = new Map<string, GraphQLSchema>()

/** What clients of a supergraph see, made once. */
function schemaOf(supergraph: string): GraphQLSchema {
  let schema = schemas.get(supergraph)
  if (!schema) schemas.set(supergraph, (schema = apiSchema(readSchema(parse(supergraph)))))
  return schema
}

/** Sends an operation as a client would: parse, validate, coerce variables, execute. */
export async function answer(
  supergraph: string,
  { operation, variables, data }: Request,
): Promise<ExecutionResult> {
  return answerBy(schemaOf(supergraph), operation, variables, data, {})
}

async function answerBy(
  schema: GraphQLSchema,
  operation: string,
  variables: Record<string, unknown> | undefined,
  data: Data = {},
  contextValue: unknown,
): Promise<ExecutionResult> {
  const document = parse(operation)
  const errors = validate(schema, document)
  if (errors.length > 0) return { errors }
  return execute({
    schema,
    document,
    variableValues: variables,
    contextValue,
    fieldResolver: resolver(data),
    typeResolver: typeOf(data),
  })
}

/** Every text shows the fields on the way to it and the arguments they were called with. */
function resolver(data: Data): GraphQLFieldResolver<unknown, unknown> {
  return (parent, args, _context, { parentType, fieldName, returnType, schema }) => {
    const given = data[`${parentType.name}.${fieldName}`]
    if (given !== undefined) return given
    const { path = '' } = (parent ?? {}) as { path?: string }
    return valueOf(schema, returnType, `${path}${fieldName} ${JSON.stringify(args)} `)
  }
}

function valueOf(schema: GraphQLSchema, type: GraphQLOutputType, text: string): unknown {
  if (isNonNullType(type)) return valueOf(schema, type.ofType, text)
  if (isListType(type)) return [valueOf(schema, type.ofType, text)]
  const named = getNamedType(type)
  if (isEnumType(named)) return named.getValues()[0]?.name
  if (isObjectType(named) || isInterfaceType(named) || isUnionType(named)) return { path: text }
  return { Int: 1, Float: 1.5, Boolean: true }[named.name] ?? text
}

function typeOf(data: Data) {
  return (
    _value: unknown,
    _context: unknown,
    { schema }: { schema: GraphQLSchema },
    abstract: { name: string },
  ) => {
    const given = data[abstract.name]
    if (typeof given === 'string') return given
    const type = schema.getType(abstract.name)
    return isInterfaceType(type) || isUnionType(type) ? schema.getPossibleTypes(type)[0]?.name : undefined
  }
}

/** What the gateway estimates an operation to cost. */
export function costOf(supergraph: string, operation: string): number {
  const document = parse(operation)
  const definition = document.definitions[0]
  if (definition?.kind !== 'OperationDefinition') throw new Error('the operation comes first')
  return measure(schemaOf(supergraph), costModel(supergraph), definition, new Map(), {}).cost
}

/** Asks a subgraph that guards itself, as somebody with these scopes; null is nobody. */
export async function asked(
  subgraph: SubgraphSource,
  operation: string,
  scopes: string[] | null,
): Promise<ExecutionResult> {
  const schema = buildSubgraphSchema({ typeDefs: subgraph.typeDefs })
  const granted = (scope: string) => ({ columns: [], allow: () => scopes?.includes(scope) ?? false })
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || type.name.startsWith('__')) continue
    for (const field of Object.values(type.getFields()))
      if (!field.name.startsWith('_')) field.resolve = resolver({})
  }
  const guarded = guardSchema(schema, 'hr', readDeclarations(subgraph.typeDefs), {
    staff: granted('staff'),
    boss: granted('boss'),
  })
  const viewer = scopes && {
    tenantId: 't',
    userId: 'u',
    sessionId: null,
    permissionVersion: 1,
    scopes: new Set(scopes),
  }
  return answerBy(guarded, operation, undefined, {}, { viewer })
}

/**
 * Sends an operation through a gateway that still has the old supergraph, over subgraphs that are new already: the
 * minutes of a rollout. Subgraphs refuse what is not in their schema, as servers do.
 */
export async function duringRollout(
  oldSupergraph: string,
  subgraphs: readonly SubgraphSource[],
  operation: string,
): Promise<ExecutionResult> {
  const schemas = new Map(subgraphs.map(({ name, typeDefs }) => [name, buildSubgraphSchema({ typeDefs })]))
  const gateway = new ApolloGateway({
    supergraphSdl: loadable(oldSupergraph),
    buildService: ({ name }) => ({
      process: async ({ request }) => {
        const schema = schemas.get(name)
        if (!schema) return { data: null, errors: [{ message: `no subgraph ${name}` }] }
        const result = await answerBy(schema, request.query ?? '', request.variables, {}, {})
        return JSON.parse(JSON.stringify(result)) as never
      },
    }),
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    debug: false,
    validateSupergraph: false,
  })
  const { executor } = await gateway.load()
  const document = parse(operation)
  try {
    return await executor({
      document,
      request: { query: operation },
      queryHash: operation,
      context: {},
      overallCachePolicy: undefined as never,
      cache: undefined as never,
      schema: undefined as never,
      metrics: {},
      operationName: null,
      logger: console,
      source: operation,
      operation: document.definitions[0] as never,
    } as never)
  } finally {
    await gateway.stop()
  }
}
