import { Kind, type ConstValueNode } from 'graphql'
import { namedType, type ArgumentModel, type SchemaModel } from '../schema-model'
import { inputsOf, type Schemas } from './schemas'
import { isRequired } from './type-references'
import { sameDefault } from './values'

/**
 * Returns the coordinates of inputs that leave this input field out where they are left out themselves: their default
 * is an object without it. Only those by which that means something else from now on, or nothing: where the field is
 * required, such a default does not count.
 */
export function omittedWith({ from, to }: Schemas, coordinate: string): string[] {
  const field = inputsOf(to).get(coordinate)
  const isInvalid = (owner: string) =>
    field !== undefined && isRequired(field) && defaultsOf(to).get(owner)?.leavesOut.has(coordinate)
  return [...defaultsOf(from)].flatMap(([owner, { input, leavesOut }]) => {
    const after = inputsOf(to).get(owner)
    if (!after?.node.defaultValue) return []
    const isOther = leavesOut.has(coordinate) && !sameDefault({ from, to }, input, after, true)
    return isOther || isInvalid(owner) ? [owner] : []
  })
}

interface Default {
  input: ArgumentModel
  /** The input fields that are left out with it, at any depth. */
  leavesOut: ReadonlySet<string>
}

const known = new WeakMap<SchemaModel, ReadonlyMap<string, Default>>()

function defaultsOf(schema: SchemaModel): ReadonlyMap<string, Default> {
  let found = known.get(schema)
  if (found) return found
  found = new Map(
    [...inputsOf(schema)].flatMap(([coordinate, input]) => {
      const leavesOut = new Set<string>()
      addLeftOut(schema, namedType(input.type), input.node.defaultValue, leavesOut)
      return input.node.defaultValue ? [[coordinate, { input, leavesOut }]] : []
    }),
  )
  known.set(schema, found)
  return found
}

/** Adds the input fields that a default does not name, and those that their defaults do not name. */
function addLeftOut(
  schema: SchemaModel,
  typeName: string,
  value: ConstValueNode | undefined,
  found: Set<string>,
): void {
  if (value?.kind === Kind.LIST) for (const item of value.values) addLeftOut(schema, typeName, item, found)
  if (value?.kind !== Kind.OBJECT) return
  for (const { name, type, node } of schema.types.get(typeName)?.inputFields.values() ?? []) {
    const given = value.fields.find((field) => field.name.value === name)
    const coordinate = `${typeName}.${name}`
    if (given) addLeftOut(schema, namedType(type), given.value, found)
    else if (!found.has(coordinate)) {
      found.add(coordinate)
      addLeftOut(schema, namedType(type), node.defaultValue, found)
    }
  }
}
