import { createHash } from 'node:crypto'
import {
  Kind,
  parse,
  print,
  visit,
  type DocumentNode,
  type OperationDefinitionNode,
  type TypeNode,
} from 'graphql'
import { LRUCache } from 'lru-cache'
import { addVariable, coordinatesOf } from '../../registry/usage/coordinates'
import { complete } from '../../registry/usage/vocabulary'
import { readSchema, visibleTo, type SchemaModel } from '../../registry/schema-model'
import type { Clock } from '../../kernel/clock'
import type { Logger } from '../../kernel/process/log'

/** Describes what was seen of one operation, client version and day since the last time it was written down. */
export interface SeenOperation {
  hash: string
  name: string
  /** The operation without literals, aliases and comments. */
  document: string
  coordinates: readonly string[]
  /** `YYYY-MM-DD`, UTC. */
  day: string
  client: string
  clientVersion: string
  requests: number
  /** ISO 8601 instant. */
  lastSeen: string
  /** Tenants that were not written down for this operation, client version and day before. */
  tenants: readonly string[]
}

export interface UsageStore {
  write(seen: readonly SeenOperation[]): Promise<void>
}

/** An operation that is about to be executed, and who asks. */
export interface ExecutingOperation {
  document: DocumentNode
  operation: OperationDefinitionNode
  variables: Readonly<Record<string, unknown>> | undefined
  tenantId: string | null
  /** Nobody is signed in, where callers can be. */
  anonymous: boolean
  /** A header of the request. */
  header(name: string): string | undefined
}

export interface UsageRecorder {
  /** Operations are of this supergraph from now on. */
  supergraphLoaded(sdl: string): void
  executing(operation: ExecutingOperation): void
  /** Writes down what was seen since the last time. */
  flush(): Promise<void>
  /** Stops and writes down the rest. */
  close(): Promise<void>
}

export interface UsageOptions {
  store: UsageStore
  clock: Clock
  log: Logger
  /** Milliseconds between two writes. Default 10,000. */
  intervalMs?: number
  /**
   * Says how many operations × client versions are kept between two writes; the rest is not recorded. Default 5,000.
   */
  most?: number
  /** The same of anonymous callers, new ones of a day. Default 1,000: clients sign in with a handful. */
  mostAnonymous?: number
}

/** An operation as it is recorded, worked out once for each document. */
interface Signature {
  hash: string
  name: string
  document: string
  coordinates: Set<string>
  /** Variables whose values hold enum values or input fields. */
  variables: [name: string, type: string][]
}

interface Counter {
  signature: Signature
  day: string
  client: string
  clientVersion: string
  requests: number
  /** Milliseconds since 1970. */
  lastSeen: number
  tenants: Set<string>
}

/**
 * Records which operations are sent, by whom and how often: signatures and names of the schema, never values. Requests
 * only count in memory; what was counted is written in batches, and dropped when the store fails for long.
 */
export function usageRecorder(options: UsageOptions): UsageRecorder {
  const { store, clock, log, intervalMs = 10_000, most = 5000, mostAnonymous = 1000 } = options
  const known = new LRUCache<string, Signature>({
    maxSize: maxKnownBytes,
    sizeCalculation: ({ document, coordinates }) => 1000 + 2 * document.length + 100 * coordinates.size,
  })
  const anonymousToday = new Set<string>()
  let byDocument = new WeakMap<DocumentNode, Map<string, Signature>>()
  let counters = new Map<string, Counter>()
  // Tenants that stand in the store already: most requests add none.
  let written = new Map<string, Set<string>>()
  let model: SchemaModel | undefined
  let writing: Promise<void> = Promise.resolve()
  let today = ''
  let dayNumber = NaN

  function signatureOf(
    schema: SchemaModel,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    anonymous: boolean,
  ): Signature {
    const name = operation.name?.value ?? ''
    let ofDocument = byDocument.get(document)
    if (!ofDocument) byDocument.set(document, (ofDocument = new Map()))
    let signature = ofDocument.get(name)
    if (!signature) {
      signature = makeSignature(schema, document, operation)
      // The same operation arrives as other documents too: in another layout, or after the parsed one was dropped.
      signature = known.get(signature.hash) ?? signature
      if (!anonymous) known.set(signature.hash, signature)
      ofDocument.set(name, signature)
    }
    return signature
  }

  function count(
    signature: Signature,
    { tenantId, anonymous }: ExecutingOperation,
    client: string,
    clientVersion: string,
  ): void {
    const now = clock.now().getTime()
    if (Math.floor(now / dayMs) !== dayNumber) {
      dayNumber = Math.floor(now / dayMs)
      today = new Date(now).toISOString().slice(0, 10)
      written = new Map()
      anonymousToday.clear()
    }
    const key = `${signature.hash} ${client} ${clientVersion} ${today}`
    let counter = counters.get(key)
    if (!counter) {
      if (counters.size >= most) return
      if (anonymous && !anonymousToday.has(key)) {
        // Each would be a row for as long as usage is kept.
        if (anonymousToday.size >= mostAnonymous) return
        anonymousToday.add(key)
      }
      counter = {
        signature,
        day: today,
        client,
        clientVersion,
        requests: 0,
        lastSeen: now,
        tenants: new Set(),
      }
      counters.set(key, counter)
    }
    counter.requests++
    counter.lastSeen = now
    if (tenantId && !counter.tenants.has(tenantId) && !written.get(key)?.has(tenantId))
      counter.tenants.add(tenantId)
  }

  async function write(): Promise<void> {
    if (counters.size === 0) return
    const batch = counters
    counters = new Map()
    const seen = [...batch.values()].map(({ signature, tenants, lastSeen, ...rest }) => ({
      ...rest,
      lastSeen: new Date(lastSeen).toISOString(),
      hash: signature.hash,
      name: signature.name,
      document: signature.document,
      coordinates: [...signature.coordinates].sort(),
      tenants: [...tenants],
    }))
    try {
      await store.write(seen)
      // Forgotten, a tenant is written down once more.
      if (written.size > 4 * most) written.clear()
      for (const [key, { day, tenants }] of batch) {
        if (day !== today || tenants.size === 0) continue
        const of = written.get(key) ?? new Set()
        for (const tenant of tenants) of.add(tenant)
        written.set(key, of)
      }
    } catch (error) {
      // Recording must never stand in the way of answering: what was not written is lost, and said to be.
      log.warn(
        { operations: seen.length, error: error instanceof Error ? error.message : String(error) },
        'usage not recorded',
      )
    }
  }

  const flush = () => (writing = writing.then(write))
  const timer = setInterval(() => void flush(), intervalMs).unref()
  return {
    flush,
    async close() {
      clearInterval(timer)
      await flush()
    },
    supergraphLoaded(sdl) {
      model = visibleTo(readSchema(parse(sdl, { noLocation: true })))
      known.clear()
      byDocument = new WeakMap()
    },
    executing(executing) {
      if (!model) return
      const { document, operation, variables, header } = executing
      const signature = signatureOf(model, document, operation, executing.anonymous)
      for (const [name, type] of signature.variables)
        addVariable(model, type, variables?.[name], signature.coordinates)
      const client = clientName(header('apollographql-client-name'))
      count(signature, executing, client, clientName(header('apollographql-client-version'), ''))
    },
  }
}

const dayMs = 86_400_000
/** Bytes of the signatures that are kept, about. */
const maxKnownBytes = 32_000_000

/** Clients name themselves; what does not look like a name or version is not kept. */
function clientName(header: string | undefined, otherwise = 'unknown'): string {
  return header && /^[\w.@/+-]{1,64}$/.test(header) ? header : otherwise
}

function makeSignature(
  schema: SchemaModel,
  document: DocumentNode,
  operation: OperationDefinitionNode,
): Signature {
  const used = documentOf(document, operation)
  const normal = print(withoutValues(used))
  return {
    // Records of another vocabulary are others: what they lack must not pass for what an operation did not do.
    hash: createHash('sha256').update(`${complete} ${normal}`).digest('hex').slice(0, 32),
    name: operation.name?.value.slice(0, 128) ?? '',
    document: normal.slice(0, 20_000),
    coordinates: coordinatesOf(schema, used),
    variables: (operation.variableDefinitions ?? []).flatMap(({ variable, type }): [string, string][] => {
      const kind = schema.types.get(namedTypeOf(type))?.kind
      return kind === 'enum' || kind === 'input' ? [[variable.name.value, namedTypeOf(type)]] : []
    }),
  }
}

/** The operation with the fragments of its document. */
function documentOf(document: DocumentNode, operation: OperationDefinitionNode): DocumentNode {
  const others = document.definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION)
  return others.length === 1
    ? document
    : {
        ...document,
        definitions: document.definitions.filter(
          (node) => node.kind !== Kind.OPERATION_DEFINITION || node === operation,
        ),
      }
}

/** Literals and aliases are what a client wrote for itself, and may be anything: they leave no trace. */
function withoutValues(document: DocumentNode): DocumentNode {
  return visit(document, {
    IntValue: (node) => ({ ...node, value: '0' }),
    FloatValue: (node) => ({ ...node, value: '0' }),
    StringValue: (node) => ({ ...node, value: '', block: false }),
    ListValue: { leave: (node) => ({ ...node, values: [] }) },
    ObjectValue: { leave: (node) => ({ ...node, fields: [] }) },
    Field: (node) => ({ ...node, alias: undefined }),
  })
}

function namedTypeOf(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedTypeOf(type.type)
}
