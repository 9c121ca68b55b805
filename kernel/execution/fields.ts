import {
  defaultFieldResolver,
  TypeNameMetaFieldDef,
  type FieldNode,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
} from 'graphql'
import { collectSubfields } from 'graphql/execution/collectFields'
import { allOf, isPromise } from './sync-promise'
import type { SubgraphContext } from '../context'
import { isShown, recordedResolver } from '../sensitive/recorded-reads'
import { argumentReader, type ReadArguments } from './arguments'
import { completionOf, type Completion } from './complete'
import { entitiesCompletion, isEntitiesField, referenceResults } from './entities'
import { caught, failure, infoOf, type Path, type Place, type Run, type Scope } from './run'

/** One field of a selection: all that is known of it before a request comes. */
export interface FieldPlan {
  /** Its name in the answer. */
  readonly key: string
  /** Returns what the answer shows of an object, or a promise of it; throws only where the field must not be null. */
  readonly execute: (run: Run, source: unknown, prev: Path) => unknown
}

/** The fields that were collected for objects of a type. */
export function fieldPlans(
  scope: Scope,
  type: GraphQLObjectType,
  collected: ReadonlyMap<string, readonly FieldNode[]>,
): readonly FieldPlan[] {
  return [...collected].flatMap(([key, nodes]) => {
    const execute = fieldExecution(scope, type, key, nodes)
    return execute ? { key, execute } : []
  })
}

function fieldExecution(
  scope: Scope,
  parentType: GraphQLObjectType,
  key: string,
  nodes: readonly FieldNode[],
): FieldPlan['execute'] | null {
  const name = nodes[0]!.name.value
  if (name === TypeNameMetaFieldDef.name) return () => parentType.name
  const definition = parentType.getFields()[name]
  if (!definition) return null
  const place: Place = { name, nodes, type: definition.type, parentType }
  const objects = (type: GraphQLObjectType) => {
    const { schema, fragments, conditions } = scope
    const plans = fieldPlans(scope, type, collectSubfields(schema, fragments, conditions, type, nodes))
    return (run: Run, source: unknown, path: Path) => executeFields(plans, run, source, path)
  }
  const args = argumentReader(definition, nodes[0]!)
  if (isEntitiesField(scope, parentType, definition))
    return resolved(
      key,
      place,
      args,
      referenceResults(definition),
      entitiesCompletion(definition, place, objects),
    )
  const completion = completionOf(definition.type, place, objects)
  const { resolve = defaultFieldResolver } = definition
  const recorded = recordedResolver(resolve)
  if (
    (recorded?.inner ?? resolve) !== defaultFieldResolver ||
    definition.args.length > 0 ||
    completion.needsInfo
  )
    return resolved(key, place, args, resolve, completion)
  const plain = property(key, place, completion)
  return recorded ? noted(plain, recorded.note) : plain
}

/** A property whose reads are recorded, without the call that its resolver would be. */
function noted(
  execute: FieldPlan['execute'],
  note: NonNullable<ReturnType<typeof recordedResolver>>['note'],
): FieldPlan['execute'] {
  return (run, source, prev) => {
    const value = execute(run, source, prev)
    if (isShown(value)) note(run.context as SubgraphContext, source as Readonly<Record<string, unknown>>)
    return value
  }
}

type Resolver = GraphQLFieldResolver<unknown, unknown, Record<string, unknown>>

/** A field that a function answers. */
function resolved(
  key: string,
  place: Place,
  args: ReadArguments,
  resolve: Resolver,
  completion: Completion,
): FieldPlan['execute'] {
  const typename = place.parentType.name
  return (run, source, prev) => {
    const path = { prev, key, typename }
    try {
      const info = infoOf(run, place, path)
      const value = resolve(source, args(run), run.context, info)
      if (isPromise(value)) return pending(value, place, completion, run, path, info)
      const completed = completion.complete(run, value, path, info)
      return isPromise(completed)
        ? caught(completed, run, place.nodes, path, completion.isNonNull)
        : completed
    } catch (raw) {
      return failure(run, raw, place.nodes, path, completion.isNonNull)
    }
  }
}

/** A field that is a property of its object, which may also be a function, as graphql-js has it. */
function property(key: string, place: Place, completion: Completion): FieldPlan['execute'] {
  const { name } = place
  const typename = place.parentType.name
  const { complete, isLeaf, isNonNull } = completion
  return (run, source, prev) => {
    let path = isLeaf ? undefined : { prev, key, typename }
    try {
      let value: unknown
      if ((typeof source === 'object' && source !== null) || typeof source === 'function')
        value = (source as Record<string, unknown>)[name]
      const kind = typeof value
      if (kind !== 'object' && kind !== 'function') return complete(run, value, path, undefined)
      if (kind === 'function') {
        path ??= { prev, key, typename }
        value = (source as Record<string, (...args: unknown[]) => unknown>)[name]!(
          {},
          run.context,
          infoOf(run, place, path),
        )
      }
      if (isPromise(value))
        return pending(value, place, completion, run, (path ??= { prev, key, typename }), undefined)
      const completed = complete(run, value, path, undefined)
      return isPromise(completed)
        ? caught(completed, run, place.nodes, (path ??= { prev, key, typename }), isNonNull)
        : completed
    } catch (raw) {
      return failure(run, raw, place.nodes, path ?? { prev, key, typename }, isNonNull)
    }
  }
}

function pending(
  value: PromiseLike<unknown>,
  place: Place,
  { complete, isNonNull }: Completion,
  run: Run,
  path: { prev: Path; key: string; typename: string },
  info: Parameters<Completion['complete']>[3],
): PromiseLike<unknown> {
  const completed = value.then((settled) => complete(run, settled, path, info))
  return caught(completed, run, place.nodes, path, isNonNull)
}

/** An object of the answer, or a promise of it when some of its fields are. */
export function executeFields(
  plans: readonly FieldPlan[],
  run: Run,
  source: unknown,
  path: Path,
): Record<string, unknown> | Promise<Record<string, unknown>> {
  const answer: Record<string, unknown> = {}
  let waiting: string[] | null = null
  try {
    for (let i = 0; i < plans.length; i++) {
      const plan = plans[i]!
      const value = plan.execute(run, source, path)
      answer[plan.key] = value
      if (isPromise(value)) (waiting ??= []).push(plan.key)
    }
  } catch (error) {
    // What is under way may fail too, and must have done so before this object's place is null.
    if (waiting)
      return filled(answer, waiting).finally(() => {
        throw error
      })
    throw error
  }
  return waiting ? filled(answer, waiting) : answer
}

/** The object when all its fields are there. */
function filled(
  answer: Record<string, unknown>,
  waiting: readonly string[],
): Promise<Record<string, unknown>> {
  return allOf(waiting.map((key) => answer[key])).then((values) => {
    for (let i = 0; i < waiting.length; i++) answer[waiting[i]!] = values[i]
    return answer
  })
}

/** The object of a mutation: each field when the one before it is done. */
export function executeSerially(
  plans: readonly FieldPlan[],
  run: Run,
  source: unknown,
): Record<string, unknown> | Promise<Record<string, unknown>> {
  const answer: Record<string, unknown> = {}
  const step = (plan: FieldPlan): Promise<void> | undefined => {
    const value = plan.execute(run, source, undefined)
    answer[plan.key] = value
    if (!isPromise(value)) return undefined
    return Promise.resolve(value).then((settled) => {
      answer[plan.key] = settled
    })
  }
  let before: Promise<void> | undefined
  for (const plan of plans) before = before ? before.then(() => step(plan)) : step(plan)
  return before ? before.then(() => answer) : answer
}
