import { parse, type DocumentNode } from 'graphql'
import { z } from 'zod'
import { coordinatesOf } from './coordinates'
import { Fault } from './fault'
import { namedType, type SchemaModel } from './schema-model'

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

const line = z.object({
  hash: z.string().optional(),
  name: z.string().nullish(),
  operation: z.string().nullish(),
  document: z.string().nullish(),
  coordinates: z.array(z.string()).nullish(),
  client: z
    .union([z.string(), z.object({ name: z.string().nullish(), version: z.string().nullish() })])
    .nullish(),
  requests: z.number().nonnegative().default(1),
  tenants: z.number().nonnegative().default(0),
  lastSeen: z.string().nullish(),
  from: z.string().optional(),
})
type Line = z.infer<typeof line>

/**
 * Reads usage as JSON lines, one for each operation and client version:
 * `{"hash", "name", "document" and/or "coordinates", "client": {"name", "version"}, "requests", "tenants", "lastSeen"}`.
 * A first line `{"from": "YYYY-MM-DD"}` says since when everything was recorded.
 *
 * @param since only what was seen on this day or later counts, `YYYY-MM-DD`; lines that do not say when always count
 * @throws Fault that names the line
 */
export function readUsage(text: string, since: string, file = 'usage'): Usage {
  const operations = new Map<string, OperationUsage>()
  let from: string | null = null
  let number = 0
  for (const row of text.split('\n')) {
    number++
    if (row.trim() === '') continue
    const entry = readLine(row, `${file}:${number}`)
    const key = entry.hash ?? entry.document
    if (entry.from && !key) from = entry.from
    else if (!key || !(entry.document ?? entry.coordinates)) {
      throw new Fault(`${file}:${number}: a line needs "document", or "hash" and "coordinates"`)
    } else if (!entry.lastSeen || entry.lastSeen.slice(0, 10) >= since) addLine(operations, key, entry)
  }
  return { from, operations: [...operations.values()] }
}

function readLine(row: string, place: string): Line {
  let value: unknown
  try {
    value = JSON.parse(row)
  } catch {
    throw new Fault(`${place}: not JSON`)
  }
  const parsed = line.safeParse(value)
  if (parsed.success) return parsed.data
  throw new Fault(
    parsed.error.issues.map((issue) => `${place}: ${issue.path.join('.')} ${issue.message}`).join('\n'),
  )
}

function addLine(operations: Map<string, OperationUsage>, key: string, entry: Line): void {
  const known = operations.get(key)
  const operation = known ?? {
    hash: entry.hash ?? '',
    name: entry.name ?? entry.operation ?? '',
    document: entry.document ?? null,
    coordinates: entry.coordinates ?? null,
    clients: [],
  }
  if (!known) operations.set(key, operation)
  // Enum values and input fields come from variables, so lines of one operation may differ in their coordinates.
  else if (operation.coordinates && entry.coordinates)
    operation.coordinates = [...new Set([...operation.coordinates, ...entry.coordinates])]
  const named = typeof entry.client === 'string' ? { name: entry.client } : entry.client
  const client = named?.name ?? 'unknown'
  const version = (named && 'version' in named ? named.version : null) ?? ''
  const same = operation.clients.find(
    (candidate) => candidate.client === client && candidate.version === version,
  )
  if (!same) {
    operation.clients.push({
      client,
      version,
      requests: entry.requests,
      tenants: entry.tenants,
      lastSeen: entry.lastSeen ?? '',
    })
    return
  }
  same.requests += entry.requests
  same.tenants = Math.max(same.tenants, entry.tenants)
  if ((entry.lastSeen ?? '') > same.lastSeen) same.lastSeen = entry.lastSeen ?? ''
}

/**
 * Finds operations by what they use. Reads all of them at once: a check does so while another thread composes.
 * @param schema the one the operations were sent to
 */
export function usageIndex(
  usage: Usage,
  schema: SchemaModel,
): (coordinates: readonly string[]) => OperationUsage[] {
  const users = new Map<string, number[]>()
  const inputs = new Map<string, ReadonlySet<string>>()
  usage.operations.forEach((operation, number) => {
    for (const coordinate of read(operation, schema, inputs)) {
      const known = users.get(coordinate)
      if (known) known.push(number)
      else users.set(coordinate, [number])
    }
  })
  return (wanted) =>
    [...new Set(wanted.flatMap((coordinate) => users.get(coordinate) ?? []))]
      .sort((a, b) => a - b)
      .flatMap((number) => usage.operations[number] ?? [])
}

/** @param inputs the coordinates of input types and enums, as far as they were asked for */
function read(
  operation: OperationUsage,
  schema: SchemaModel,
  inputs: Map<string, ReadonlySet<string>>,
): ReadonlySet<string> {
  if (operation.coordinates) return new Set(operation.coordinates)
  const text = operation.document ?? ''
  let document: DocumentNode
  try {
    document = parse(text, { noLocation: true })
  } catch {
    throw new Fault(
      `The recorded operation ${operation.name || operation.hash} is no GraphQL: ${text.slice(0, 80)}`,
    )
  }
  const found = coordinatesOf(schema, document)
  if (!text.includes('$')) return found
  // Which values a variable held was not kept: it may have held any.
  for (const typeName of [...found]) {
    const kind = schema.types.get(typeName)?.kind
    if (kind !== 'enum' && kind !== 'input') continue
    let below = inputs.get(typeName)
    if (!below) inputs.set(typeName, (below = inputCoordinates(schema, typeName)))
    for (const coordinate of below) found.add(coordinate)
  }
  return found
}

/** The input fields and enum values that a value of a type may hold, at any depth. */
function inputCoordinates(schema: SchemaModel, typeName: string): Set<string> {
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
  return found
}
