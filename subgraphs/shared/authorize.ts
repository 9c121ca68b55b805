import { defaultFieldResolver, isAbstractType, isObjectType } from 'graphql'
import type { GraphQLFieldResolver, GraphQLObjectType, GraphQLResolveInfo, GraphQLSchema } from 'graphql'
import { applyMiddleware } from 'graphql-middleware'
import { chain, rule, shield, type IRule } from 'graphql-shield'
import { isWrapper, type Declarations, type Requirement } from './access'
import type { SubgraphContext } from './context'
import { forbidden } from './errors'
import type { SubgraphName } from './names'
import { decide, typePolicies, type Policies } from './policy'

type Row = Readonly<Record<string, unknown>>
type ShieldRule = IRule | ReturnType<typeof chain>
type Guard = (
  resolve: (...args: never[]) => unknown,
  parent: unknown,
  args: unknown,
  context: unknown,
  info: GraphQLResolveInfo,
) => Promise<unknown>

/** What the guards of one subgraph are made from. */
interface Rules {
  subgraph: SubgraphName
  schema: GraphQLSchema
  declarations: Declarations
  policies: Policies
  made: Map<string, ShieldRule>
}

/**
 * The schema with its guards: on fields that declare access or return a type that does, and on the reference resolvers
 * of such types (`_entities` passes no rule of `Query`).
 */
export function guardSchema(
  schema: GraphQLSchema,
  subgraph: SubgraphName,
  declarations: Declarations,
  policies: Policies,
): GraphQLSchema {
  const rules: Rules = { subgraph, schema, declarations, policies, made: new Map() }
  guardRows(rules)
  const guarded = applyMiddleware(schema, fieldGuards(schema, fieldRules(rules)))
  for (const { name } of declarations.types.values()) {
    const type = guarded.getType(name)
    if (isObjectType(type)) guardReferences(rules, type)
  }
  return guarded
}

/**
 * One shield rule per distinct requirement. What only the viewer decides is decided once per request; the rule's name
 * carries the subgraph, because shield caches by name.
 */
function shieldRule(rules: Rules, requirement: Requirement): ShieldRule {
  const name = `${rules.subgraph} ${requirement.kind} ${JSON.stringify(requirement.anyOf)}`
  let made = rules.made.get(name)
  if (!made) {
    const cache = requirement.kind === 'scopes' ? 'contextual' : 'no_cache'
    made = rule(name, { cache })((row: Row | undefined, _args: unknown, context: SubgraphContext) => {
      try {
        return decide(requirement, rules.policies, context, row ?? {})
      } catch (error) {
        // shield would turn what is thrown into a plain denial, and nobody would learn of the fault
        return error instanceof Error ? error : new Error(String(error))
      }
    })
    rules.made.set(name, made)
  }
  return made
}

/** All requirements in order, each once, as one rule. */
function shieldRules(rules: Rules, requirements: readonly Requirement[]): ShieldRule | null {
  const distinct = [...new Set(requirements.map((requirement) => shieldRule(rules, requirement)))]
  return distinct.length > 1 ? chain(...distinct) : (distinct[0] ?? null)
}

/** What the viewer must meet before objects of a type are handed out; a row rule asks here for a viewer only. */
function entryRequirements(rules: Rules, typeName: string, seen: readonly string[] = []): Requirement[] {
  if (seen.includes(typeName)) return []
  const deeper = [...seen, typeName]
  const type = rules.schema.getType(typeName)
  // Which of its types an abstract field returns is known too late, so the viewer must be allowed all of them.
  if (isAbstractType(type))
    return rules.schema.getPossibleTypes(type).flatMap(({ name }) => entryRequirements(rules, name, deeper))
  const declared = rules.declarations.types.get(typeName)
  const own = (declared?.access?.requirements ?? []).map((requirement): Requirement =>
    requirement.kind === 'policies' ? { kind: 'scopes', anyOf: [[]] } : requirement,
  )
  if (!declared || !isWrapper(typeName)) return own
  const inner = [...declared.fields.values()].flatMap(({ returns }) =>
    entryRequirements(rules, returns, deeper),
  )
  return [...own, ...inner]
}

/** The rule of every field that has one: what it declares itself, and what the type it returns asks of its viewers. */
function fieldRules(rules: Rules): Record<string, Record<string, ShieldRule>> {
  const tree: Record<string, Record<string, ShieldRule>> = {}
  for (const type of rules.declarations.types.values()) {
    for (const { field, returns, access } of type.fields.values()) {
      const entering = isWrapper(type.name) ? [] : entryRequirements(rules, returns)
      const found = shieldRules(rules, [...(access?.requirements ?? []), ...entering])
      if (found) (tree[type.name] ??= {})[field] = found
    }
  }
  return tree
}

/** shield's middleware for exactly the fields of the tree: wrapping the others would cost every leaf of every row. */
function fieldGuards(
  schema: GraphQLSchema,
  tree: Record<string, Record<string, ShieldRule>>,
): Record<string, Record<string, Guard>> {
  const generator = shield(tree, { allowExternalErrors: true, fallbackError: forbidden() })
  const generated = generator.generate(schema) as Record<string, Record<string, Guard | { resolve: Guard }>>
  // For a combination of rules shield makes an object around the function.
  const functionOf = (guard: Guard | { resolve: Guard }) => ('resolve' in guard ? guard.resolve : guard)
  return Object.fromEntries(
    Object.entries(tree).map(([type, fields]) => [
      type,
      Object.fromEntries(Object.keys(fields).map((field) => [field, functionOf(generated[type]![field]!)])),
    ]),
  )
}

function guardReferences(rules: Rules, type: GraphQLObjectType): void {
  const entry = shieldRules(rules, entryRequirements(rules, type.name))
  const apollo = (type.extensions as ReferenceExtensions).apollo
  const resolve = apollo?.subgraph?.resolveReference
  if (!entry || !resolve) return
  const [anyField] = Object.keys(type.getFields())
  const guard = fieldGuards(rules.schema, { [type.name]: { [anyField!]: entry } })[type.name]![anyField!]!
  const admitted = admission(rules, type.name)
  const resolveReference: ReferenceResolver = async (reference, context, info) => {
    const row = await guard(() => resolve(reference, context, info), reference, {}, context, info)
    const result = admitted(row, context)
    // An error that is returned here would be marked as an object of this type, and then taken for one.
    if (result instanceof Error) throw result
    return result
  }
  type.extensions = {
    ...type.extensions,
    apollo: { ...apollo, subgraph: { ...apollo.subgraph, resolveReference } },
  }
}

type ReferenceResolver = (reference: object, context: SubgraphContext, info: GraphQLResolveInfo) => unknown

/** Where @apollo/subgraph keeps reference resolvers. */
interface ReferenceExtensions {
  apollo?: { subgraph?: { resolveReference?: ReferenceResolver } }
}

/**
 * The second wall of row rules on types. SQL already leaves such rows out (`bindRowRule`); a row that came another way,
 * through a statement of a resolver's own, is refused where it enters the answer.
 */
function guardRows(rules: Rules): void {
  for (const type of rules.declarations.types.values()) {
    const object = rules.schema.getType(type.name)
    for (const { field, returns } of isObjectType(object) ? type.fields.values() : []) {
      const target = (object as GraphQLObjectType).getFields()[field]
      if (!target || typePolicies(returns, rules.declarations).length === 0) continue
      const resolve: GraphQLFieldResolver<unknown, SubgraphContext> = target.resolve ?? defaultFieldResolver
      const admitted = admission(rules, returns)
      target.resolve = async (parent, args, context: SubgraphContext, info) => {
        const result: unknown = await resolve(parent, args, context, info)
        if (!Array.isArray(result)) return admitted(result, context)
        return (await Promise.all(result)).map((row) => admitted(row, context))
      }
    }
  }
}

/** A row of the type as it is, or the error with which its row rules refuse it. */
function admission(rules: Rules, typeName: string): (row: unknown, context: SubgraphContext) => unknown {
  const requirements = typePolicies(typeName, rules.declarations)
  return (row, context) => {
    if (typeof row !== 'object' || row === null || row instanceof Error) return row
    for (const requirement of requirements) {
      const decision = decide(requirement, rules.policies, context, row as Row)
      if (decision !== true) return decision
    }
    return row
  }
}
