import {
  getNamedType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isSpecifiedScalarType,
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLLeafType,
  type GraphQLOutputType,
  type GraphQLSchema,
} from 'graphql'
import { set, type Data } from './data'
import {
  collectFields,
  isComposite,
  isWithin,
  typeOfField,
  type Fragments,
  type Selected,
  type Selections,
} from './selections'

/** A value that had to become null because it breaks the schema: one for each place where a null begins. */
export interface CompletionFault {
  message: string
  path: (string | number)[]
}

/** Makes the answer a client asked for out of everything that was fetched for it. */
export type Shape = (fetched: Data) => { data: Data | null; faults: CompletionFault[] }

export interface ShapeOptions {
  /** Holds what clients see. */
  schema: GraphQLSchema
  fragments: Fragments
  /** The key under which a field was fetched. */
  fetchedAs: (node: FieldNode) => string
}

/** Makes the part of an answer that a type and a selection give from what was fetched. */
type Complete = (value: unknown, faults: CompletionFault[]) => unknown

/** A null that was explained already: where nulls are allowed it is one, elsewhere it makes a null of what is around. */
const nulled = Symbol('null, with its fault recorded')
/** A null where none is allowed: what is around becomes null. */
const bubbling = Symbol('null in a non-null place')

/**
 * Compiles the shape of an operation's answer: fields merged and in the order of the selection, per concrete type;
 * what was fetched on the way left out; nulls handed up where the schema forbids them. Each position is compiled for a
 * type when the first object of that type comes.
 *
 * A type is what the object says it is, a nullability the one that a field has in that type, whatever it has in the
 * interface that it is selected on. A value that breaks the schema becomes null with a fault, at the places where graphql-js has an
 * error for the same values, and so does one that is not there, where graphql-js takes it for a null.
 */
export function compileShape(
  root: GraphQLCompositeType,
  selections: Selections,
  options: ShapeOptions,
): Shape {
  const complete = completeObject(root, [selections], options)
  return (fetched) => {
    const faults: CompletionFault[] = []
    const data = complete(fetched, faults)
    return { data: typeof data === 'symbol' ? null : (data as Data), faults }
  }
}

function completeType(
  type: GraphQLOutputType,
  named: GraphQLCompositeType | GraphQLLeafType,
  where: string,
  ofFields: readonly Selections[],
  options: ShapeOptions,
): Complete {
  if (isNonNullType(type)) {
    const complete = completeType(type.ofType, named, where, ofFields, options)
    return (value, faults) => {
      const completed = complete(value, faults)
      if (completed === null) {
        faults.push({ message: `Cannot return null for non-nullable ${where}.`, path: [] })
        return bubbling
      }
      return completed === nulled ? bubbling : completed
    }
  }
  if (isListType(type)) {
    const complete = completeType(type.ofType, named, `an item of ${where}`, ofFields, options)
    return (value, faults) => {
      if (value === null) return null
      if (value === undefined) return missing(faults, where)
      if (!Array.isArray(value)) return invalid(faults, `Expected a list for ${where}.`)
      // What was fetched belongs to this request: a list is filled with what its items became.
      const items: unknown[] = isLeafType(named) ? new Array<unknown>(value.length) : value
      for (let index = 0; index < items.length; index++) {
        const before = faults.length
        const item = complete(value[index], faults)
        if (faults.length !== before) at(faults, before, index)
        if (item === bubbling) return nulled
        items[index] = item === nulled ? null : item
      }
      return items
    }
  }
  if (isLeafType(named)) return completeLeaf(named, where)
  return completeObject(named, ofFields, options, where)
}

/** Built-in scalars and enums are checked; what a custom scalar is, only its subgraph knows. */
function completeLeaf(type: GraphQLLeafType, where: string): Complete {
  const valid = isEnumType(type)
    ? (value: unknown) => typeof value === 'string' && type.getValue(value) !== undefined
    : (isSpecifiedScalarType(type) && builtIn[type.name]) || (() => true)
  return (value, faults) => {
    if (value === null) return null
    if (value === undefined) return missing(faults, where)
    if (valid(value)) return value
    return invalid(faults, `Invalid value found for ${where}.`)
  }
}

/** Nobody said anything of a value: a null is an answer, and this is none. */
function missing(faults: CompletionFault[], where: string): typeof nulled {
  return invalid(faults, `No value found for ${where}.`)
}

function invalid(faults: CompletionFault[], message: string): typeof nulled {
  faults.push({ message, path: [] })
  return nulled
}

const builtIn: Readonly<Record<string, (value: unknown) => boolean>> = {
  Boolean: (value) => typeof value === 'boolean',
  Float: (value) => typeof value === 'number' && Number.isFinite(value),
  // A 32-bit one: what is larger, no client reads.
  Int: (value) => typeof value === 'number' && (value | 0) === value,
  ID: (value) => typeof value === 'string' || Number.isInteger(value),
  String: (value) => typeof value === 'string',
}

/** Says how a field of an object is made. */
interface FieldShape {
  name: string
  key: string
  /** Null for `__typename`, which says what the object is instead of what was fetched. */
  complete: Complete | null
  /** Tells whether every object has something under this name, as `constructor` and `__proto__`. */
  isOfEveryObject: boolean
}

function completeObject(
  declared: GraphQLCompositeType,
  selections: readonly Selections[],
  options: ShapeOptions,
  where = `type ${declared.name}`,
): Complete {
  const { schema, fragments } = options
  const known = new Map<unknown, FieldShape[] | null>()

  /** The fields of an object of the type it says it is, else of the declared type; null when it cannot be of that type. */
  function fieldsOf(typename: unknown): FieldShape[] | null {
    let fields = known.get(typename)
    if (fields === undefined) {
      const type = typeOf(typename)
      fields = type && fieldShapes(type, selections, options)
      // Without a type no more is learned, and a subgraph may say anything.
      if (fields || known.size < 100) known.set(typename, fields)
    }
    return fields
  }

  /** Returns what the fields of an object are collected for: a type it can be of. */
  function typeOf(typename: unknown): GraphQLCompositeType | null {
    const said = typename ? schema.getType(String(typename)) : declared
    if (!isComposite(said)) return null
    if (isObjectType(said)) return isWithin(schema, said, declared) ? said : null
    // A subgraph may know the objects of an interface by the interface's name only (`@interfaceObject`).
    if (isObjectType(declared)) return isWithin(schema, declared, said) ? declared : null
    return isInterfaceType(said) && !needsObjectType(said) ? said : null
  }

  /** Tells whether what is selected depends on which of the interface's types an object is of. */
  function needsObjectType(type: GraphQLCompositeType): boolean {
    let depends = false
    collectFields(selections, schema, fragments, (condition) => {
      const holds = isWithin(schema, type, condition)
      depends ||= !holds
      return holds
    })
    return depends
  }

  // Most objects at a position are of one type.
  let lastTypename: unknown = fieldsOf
  let lastFields: FieldShape[] | null = null

  return (value, faults) => {
    if (value === null) return null
    if (value === undefined) return missing(faults, where)
    if (typeof value !== 'object' || Array.isArray(value))
      return invalid(faults, `Expected an object for ${where}.`)
    const source = value as Data
    const typename = source['__typename']
    if (typename !== lastTypename) {
      lastFields = fieldsOf(typename)
      lastTypename = typename
    }
    const fields = lastFields
    if (!fields) return invalid(faults, `Invalid __typename found for object at ${where}.`)
    // What was fetched belongs to this request: where it is just what was asked for, it becomes the answer.
    const object = hasExactly(source, fields) ? source : {}
    for (let index = 0; index < fields.length; index++) {
      const { name, key, complete, isOfEveryObject } = fields[index]!
      if (!complete) {
        const type = objectTypeName(source[key] ?? typename, typename ? String(typename) : declared.name)
        if (type === undefined) return invalid(faults, `Invalid __typename found for object at ${where}.`)
        set(object, name, type)
        continue
      }
      const before = faults.length
      const part = complete(source[key], faults)
      if (faults.length !== before) at(faults, before, name)
      if (part === bubbling) return nulled
      if (isOfEveryObject) set(object, name, part === nulled ? null : part)
      else object[name] = part === nulled ? null : part
    }
    return object
  }

  /** A subgraph may know the objects of an interface by the interface's name only, which is no answer. */
  function objectTypeName(said: unknown, otherwise: string): string | undefined {
    const type = (typeof said === 'string' && schema.getType(said)) || schema.getType(otherwise)
    if (isObjectType(type)) return type.name
    return isObjectType(declared) ? declared.name : undefined
  }
}

/** Tells whether an object has these fields under their own keys, in their order, and nothing else. */
function hasExactly(source: Data, fields: readonly FieldShape[]): boolean {
  let index = 0
  for (const key in source) {
    const field = fields[index++]
    if (field?.name !== key || field.key !== key) return false
  }
  return index > 0 && index === fields.length
}

function fieldShapes(
  type: GraphQLCompositeType,
  selections: readonly Selections[],
  options: ShapeOptions,
): FieldShape[] {
  const { schema, fragments, fetchedAs } = options
  const applies = (condition: GraphQLCompositeType) => isWithin(schema, type, condition)
  const groups = collectFields(selections, schema, fragments, applies)
  return [...groups].map(([name, group]) => {
    const [{ node, parent }] = group as [Selected]
    const key = fetchedAs(node)
    const field = node.name.value
    const isOfEveryObject = name in {}
    if (field === '__typename') return { name, key, complete: null, isOfEveryObject }
    // The schema's answer about itself is whole.
    if (field === '__schema' || field === '__type')
      return { name, key: name, complete: (value) => value ?? null, isOfEveryObject }
    // The concrete type may say more of what the field is, and that it is never null.
    const declared = typeOfField(type, field) ?? typeOfField(parent, field)!
    const named = getNamedType(declared)
    const below = group.flatMap(({ node: { selectionSet: set }, parent: on }) => {
      const of = getNamedType(typeOfField(on, field))
      return set && isComposite(of) ? [{ set, parent: of }] : []
    })
    if (!isComposite(named) && !isLeafType(named)) throw new Error(`${type.name}.${field} is no output`)
    return {
      name,
      key,
      complete: completeType(declared, named, `field ${type.name}.${field}`, below, options),
      isOfEveryObject,
    }
  })
}

/** Puts a step in front of the paths of the faults from an index on. */
function at(faults: readonly CompletionFault[], from: number, step: string | number): void {
  for (let index = from; index < faults.length; index++) faults[index]!.path.unshift(step)
}
