import { z } from 'zod'
import { Fault } from '../fault'
import type { OperationUsage, Usage } from './usage'

/** Made when a line is out of the ordinary: zod takes longer to load and to ask than all lines to read. */
let form: ReturnType<typeof makeForm> | undefined
const lineForm = () => (form ??= makeForm())
const makeForm = () =>
  z.object({
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
type Line = z.infer<ReturnType<typeof makeForm>>

/** Tells whether a line is what the form would make of it. What this does not accept the form may. */
function isPlain(value: unknown): value is Line {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { hash, name, operation, document, coordinates, client, requests, tenants, lastSeen, from } =
    value as Record<string, unknown>
  return (
    maybeText(hash) &&
    maybeText(from) &&
    textOrNull(name) &&
    textOrNull(operation) &&
    textOrNull(document) &&
    textOrNull(lastSeen) &&
    (coordinates === undefined || coordinates === null || isTexts(coordinates)) &&
    (textOrNull(client) || isClient(client)) &&
    isCount(requests) &&
    isCount(tenants)
  )
}

const maybeText = (value: unknown) => value === undefined || typeof value === 'string'
const textOrNull = (value: unknown) => value === null || maybeText(value)
const isCount = (value: unknown) => typeof value === 'number' && value >= 0 && value < Infinity
const isTexts = (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === 'string')
const isClient = (value: unknown) =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  'name' in value &&
  textOrNull(value.name) &&
  (!('version' in value) || textOrNull(value.version))

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
  if (isPlain(value)) return value
  const parsed = lineForm().safeParse(value)
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
