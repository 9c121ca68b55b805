import { parse, type DocumentNode } from 'graphql'
import { coordinatesOf } from './coordinates'
import { Fault } from '../fault'
import { operationScanner } from './operation-text'
import { namedType, type SchemaModel } from '../schema-model'

/** How one version of one client used an operation within the time looked at. */
export interface ClientUsage {
  client: string
  version: string
  requests: number
  tenants: number
  /** ISO 8601, a day or an instant; the latest when known. */
  lastSeen: string
}

export interface OperationUsage {
  /** Hash of the operation's signature. */
  hash: string
  /** Its name; empty when it has none. */
  name: string
  /** Signature without literals; null when only coordinates were kept. */
  document: string | null
  /** Null: to be read from the document. */
  coordinates: readonly string[] | null
  clients: ClientUsage[]
}

/** What clients did in a stretch of time. */
export interface Usage {
  /** First day that was recorded completely, `YYYY-MM-DD`; null when the record does not say: it counts as complete. */
  from: string | null
  operations: OperationUsage[]
}

const nothing: readonly string[] = []

/** Who uses a coordinate. */
interface Use {
  /** Numbers of operations, ascending. */
  operations: number[]
  /** What a value of the type holds, where it is the coordinate of an input type or enum. */
  inside: readonly string[]
}

/**
 * Finds operations by what they use. Reads all of them at once: a check does so while another thread composes.
 * @param schema the one the operations were sent to
 * @throws Fault when one of them is no GraphQL
 */
export function usageIndex(
  usage: Usage,
  schema: SchemaModel,
): (coordinates: readonly string[]) => OperationUsage[] {
  const uses = new Map<string, Use>()
  let number = 0
  let variables = false

  function useOf(coordinate: string): Use {
    let use = uses.get(coordinate)
    if (use) return use
    const kind = schema.types.get(coordinate)?.kind
    const inside = kind === 'input' || kind === 'enum' ? inputCoordinates(schema, coordinate) : nothing
    uses.set(coordinate, (use = { operations: [], inside }))
    return use
  }

  function add(use: Use): void {
    if (use.operations[use.operations.length - 1] === number) return
    use.operations.push(number)
    // Which values a variable held was not kept: it may have held any.
    if (variables) for (const input of use.inside) add(useOf(input))
  }

  const addNamed = (coordinate: string) => add(useOf(coordinate))
  const scan = operationScanner(schema, useOf, add)
  usage.operations.forEach((operation, index) => {
    number = index
    const { document, coordinates } = operation
    variables = !coordinates && document !== null && document.includes('$')
    if (coordinates) coordinates.forEach(addNamed)
    else if (document === null || !scan(document))
      coordinatesOf(schema, parsed(operation)).forEach((coordinate) => addNamed(coordinate))
  })
  return (wanted) =>
    [...new Set(wanted.flatMap((coordinate) => uses.get(coordinate)?.operations ?? []))]
      .sort((a, b) => a - b)
      .flatMap((found) => usage.operations[found] ?? [])
}

function parsed({ document, name, hash }: OperationUsage): DocumentNode {
  const text = document ?? ''
  try {
    return parse(text, { noLocation: true })
  } catch {
    throw new Fault(`The recorded operation ${name || hash} is no GraphQL: ${text.slice(0, 80)}`)
  }
}

/** The input fields and enum values that a value of a type may hold, at any depth. */
function inputCoordinates(schema: SchemaModel, typeName: string): string[] {
  const found = new Set<string>()
  const seen = new Set<string>()
  function add(name: string): void {
    if (seen.has(name)) return
    seen.add(name)
    const type = schema.types.get(name)
    for (const field of type?.inputFields.values() ?? []) {
      found.add(`${name}.${field.name}`)
      add(namedType(field.type))
    }
    for (const value of type?.values.keys() ?? []) found.add(`${name}.${value}`)
  }
  add(typeName)
  return [...found]
}
