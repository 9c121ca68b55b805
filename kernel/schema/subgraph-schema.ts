import { buildSubgraphSchema } from '@apollo/subgraph'
import { graphql, isAbstractType, isObjectType, type GraphQLResolveInfo, type GraphQLSchema } from 'graphql'
import { readDeclarations, rootTypes, type Declarations, type TypeDeclaration } from '../access/access'
import { accessFaults } from '../access/access-faults'
import { guardSchema } from '../access/authorize'
import type { SubgraphContext } from '../context'
import type { Database } from '../connection/database'
import type { EntityClass } from '../entity'
import { bindFields, entityModels } from './entity-model'
import { badUserInput } from '../errors'
import { bindInputValues } from '../execution/input-values'
import { load } from '../load'
import { connectionFaults } from '../reading/connection-faults'
import { lookFaults } from '../reading/name-columns'
import { bindSummary } from '../reading/summary-model'
import { bindAdmission, bindFieldRules, bindRowRule, bindRuleColumns } from '../access/row-rules'
import { bindRelations } from '../relation'
import { bindEncryption } from '../encryption/bind-encryption'
import { sensitiveFaults } from '../sensitive/marks'
import { recordReads } from '../sensitive/recorded-reads'
import { scalars } from './scalars'
import type { SubgraphDefinition } from './subgraph-definition'

/** Parts of the machine that a test or benchmark may exchange, to show what they are worth. */
export interface SchemaVariant {
  guard?: typeof guardSchema
}

/** The form of buildSubgraphSchema's argument that is used here; the package does not name it. */
type SchemaModule = Extract<Parameters<typeof buildSubgraphSchema>[0], { resolvers?: unknown }>
type Reference = Readonly<Record<string, unknown>>

/** The executable, guarded schema of a subgraph and its SDL. Throws when the definition has faults. */
export async function buildSchema(
  definition: SubgraphDefinition,
  database: Database,
  variant: SchemaVariant,
): Promise<{ schema: GraphQLSchema; sdl: string }> {
  const declarations = readDeclarations(definition.typeDefs)
  const entities = new Map(definition.entities.map((entity) => [entity.name, entity]))
  const owned = new Set(
    [...declarations.types.values()]
      .filter(({ name }) => entities.has(name) || resolverOf(definition, name, '__resolveReference'))
      .map(({ name }) => name),
  )
  const schema = buildSubgraphSchema({
    typeDefs: definition.typeDefs,
    resolvers: {
      ...scalars,
      ...summaryKeyResolvers(definition, declarations, entities),
      ...definition.resolvers,
      ...referenceResolvers(definition, declarations, entities),
    } as SchemaModule['resolvers'],
  })
  const accessProblems = accessFaults(declarations, definition.policies, owned)
  const faults = [
    ...accessProblems,
    ...sensitiveFaults(definition.sensitive, declarations),
    ...resolverFaults(definition, schema, declarations, owned),
    ...(accessProblems.length === 0 ? bindModels(definition, database, schema, declarations) : []),
    ...resolveAbstractTypes(definition, schema),
  ]
  if (faults.length > 0)
    throw new Error(
      `subgraph ${definition.name} cannot start:\n${faults.map((fault) => `- ${fault}`).join('\n')}`,
    )
  const { data } = await graphql({ schema, source: '{ _service { sdl } }' })
  bindInputValues(schema)
  const guard = variant.guard ?? guardSchema
  const guarded = guard(schema, definition.name, declarations, definition.policies)
  recordReads(guarded, definition.sensitive)
  return {
    schema: guarded,
    sdl: (data as { _service: { sdl: string } })._service.sdl,
  }
}

function resolverOf(definition: SubgraphDefinition, type: string, field: string): unknown {
  return (definition.resolvers[type] as Record<string, unknown> | undefined)?.[field]
}

/**
 * Says how references are answered. An entity's row comes from the database by its id, whatever else the reference
 * says. Of another subgraph's entity the reference itself is the object, cut down to the key and what `@requires` asked
 * for: those values may be forged, so no rule looks beyond the key.
 */
function referenceResolvers(
  definition: SubgraphDefinition,
  declarations: Declarations,
  entities: ReadonlyMap<string, EntityClass>,
): Record<string, object> {
  const resolvers: Record<string, object> = {}
  for (const type of declarations.types.values()) {
    if (type.keyFields.size === 0) continue
    const own = (definition.resolvers[type.name] ?? {}) as Record<string, unknown>
    const entity = entities.get(type.name)
    const derived = entity ? rowOf(entity) : (reference: Reference) => pickKeys(type, reference)
    resolvers[type.name] = { ...own, __resolveReference: own['__resolveReference'] ?? derived }
  }
  return resolvers
}

/** Says how a group's key shows a row of this subgraph: as any look-up by id does, under the viewer's own rights. */
function summaryKeyResolvers(
  { summarized }: SubgraphDefinition,
  { types }: Declarations,
  entities: ReadonlyMap<string, EntityClass>,
): Record<string, object> {
  const resolvers: Record<string, Record<string, unknown>> = {}
  for (const [type, { group }] of summarized)
    for (const { field, typeName, isReference } of group) {
      const entity = entities.get(typeName)
      if (!isReference || !entity || !types.has(`${type}Key`)) continue
      const resolver = rowOf(entity)
      const name = field.name.value
      const ofKey = (resolvers[`${type}Key`] ??= {})
      ofKey[name] = (
        key: Readonly<Record<string, Reference | null>>,
        _args: unknown,
        context: SubgraphContext,
        info: GraphQLResolveInfo,
      ) => (key[name] ? resolver(key[name], context, info) : null)
    }
  return resolvers
}

function rowOf(entity: EntityClass) {
  return ({ id }: Reference, context: SubgraphContext, info: GraphQLResolveInfo) => {
    if (typeof id !== 'string') throw badUserInput(`A reference to ${entity.name} needs an id`)
    return load(context, entity, id, info)
  }
}

function pickKeys(type: TypeDeclaration, reference: Reference): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(reference)) {
    if (type.keyFields.has(name) || type.fields.get(name)?.external) kept[name] = value
  }
  return kept
}

/** Resolvers without a field, and fields that nothing answers: roots and what is added to other subgraphs' entities. */
function resolverFaults(
  definition: SubgraphDefinition,
  schema: GraphQLSchema,
  declarations: Declarations,
  owned: ReadonlySet<string>,
): string[] {
  const faults: string[] = []
  for (const [name, fields] of Object.entries(definition.resolvers)) {
    const type = schema.getType(name)
    if (!type) faults.push(`resolvers are given for ${name}, which the schema does not have`)
    if (!isObjectType(type)) continue
    for (const field of Object.keys(fields ?? {})) {
      if (!field.startsWith('__') && !type.getFields()[field])
        faults.push(`a resolver is given for ${name}.${field}, which the schema does not have`)
    }
  }
  for (const type of declarations.types.values()) {
    const contributing = type.keyFields.size > 0 && !owned.has(type.name)
    if (!rootTypes.has(type.name) && !contributing) continue
    for (const { field, external } of type.fields.values()) {
      if (external || type.keyFields.has(field) || resolverOf(definition, type.name, field)) continue
      faults.push(`${type.name}.${field} has no resolver`)
    }
  }
  return faults
}

/** Tells the data kernel, per entity, which columns each field reads and which rows a viewer may see. */
function bindModels(
  definition: SubgraphDefinition,
  database: Database,
  schema: GraphQLSchema,
  declarations: Declarations,
): string[] {
  const models = entityModels(database.dataSource)
  const unreadable = definition.entities.flatMap((entity) => {
    const model = models.get(entity)
    if (!model) return [`the database was opened without entity ${entity.name}`]
    const type = declarations.types.get(model.name)
    const unanswered = bindFields(
      model,
      schema,
      (field) => resolverOf(definition, model.name, field),
      (field) => (type?.fields.get(field)?.access?.requirements.length ?? 0) > 0,
      definition.audited[model.name],
      definition.sensitive.get(model.name),
      definition.listed.get(model.name),
    )
    const unrelated = bindRelations(model, models, (field) => resolverOf(definition, model.name, field))
    const unsealed = bindEncryption(model, definition)
    model.searched = definition.searched.get(model.name) ?? []
    bindRowRule(model, declarations, definition.policies)
    bindAdmission(model, declarations, definition.policies)
    bindFieldRules(model, declarations, definition.policies)
    bindRuleColumns(model, declarations, definition.policies)
    const summarized = definition.summarized.get(model.name)
    if (summarized) unrelated.push(...bindSummary(model, summarized))
    const read = [...model.always, ...model.searched, ...[...model.fields.values()].flat()]
    const missing = new Set(read.filter((property) => !model.columns.has(property)))
    if (type && !type.keyFields.has('id') && !resolverOf(definition, model.name, '__resolveReference'))
      unanswered.push(`${model.name} @key(fields: "id")`)
    return [
      ...unrelated,
      ...unsealed,
      ...lookFaults(model, schema),
      ...unanswered.map((field) => `${field} has neither a column nor a resolver`),
      ...[...missing].map(
        (property) => `${model.name} has no column for ${property}, which a rule, @search or needs() reads`,
      ),
    ]
  })
  return [...unreadable, ...connectionFaults(schema, models.values())]
}

/** An interface or union with one type here needs nobody to say which; with several, somebody must. */
function resolveAbstractTypes(definition: SubgraphDefinition, schema: GraphQLSchema): string[] {
  return Object.values(schema.getTypeMap()).flatMap((type) => {
    if (!isAbstractType(type) || type.resolveType || resolverOf(definition, type.name, '__resolveType'))
      return []
    const [only, ...others] = schema.getPossibleTypes(type)
    if (others.length > 0) return [`${type.name} has several types here: give it a resolver __resolveType`]
    if (only) type.resolveType = () => only.name
    return []
  })
}
