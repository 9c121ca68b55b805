import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  Kind,
  parse,
  type DocumentNode,
  type GraphQLInputType,
  type InputObjectTypeDefinitionNode,
} from 'graphql'
import { usageRecorder, type SeenOperation } from '../../gateway/operations/usage'
import { systemClock } from '../../kernel/clock'
import { projectRoot } from '../../kernel/process/config'
import { apiSchema } from '../../registry/api-schema'
import { diff } from '../../registry/diff'
import { readSchema } from '../../registry/schema-model'
import { usageIndex, type OperationUsage } from '../../registry/usage/usage'
import { memoryLog } from '../gateway/fixtures/start'

const supergraph = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
const document = parse(supergraph)
const before = readSchema(document)
const api = apiSchema(before)

/** Every root field with arguments of input types, sent in variables. */
const operations = [api.getQueryType()!, api.getMutationType()!].flatMap((root) =>
  Object.values(root.getFields()).flatMap((field) => {
    const args = field.args.filter(({ type }) => isInputObjectType(getNamedType(type)))
    if (args.length === 0) return []
    const keyword = root.name.toLowerCase()
    const selected = 'getFields' in getNamedType(field.type) || 'getTypes' in getNamedType(field.type)
    const text = `${keyword} ${field.name}(${args.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ')}) { ${field.name}(${args.map(({ name }) => `${name}: $${name}`).join(', ')})${selected ? ' { __typename }' : ''} }`
    return [{ name: field.name, text, args }]
  }),
)

/** A value with everything in it, each input once on the way. */
function full(type: GraphQLInputType, above: readonly string[] = []): unknown {
  if (isNonNullType(type)) return full(type.ofType, above)
  if (isListType(type)) return [full(type.ofType, above)]
  if (isEnumType(type)) return type.getValues()[0]!.name
  if (!isInputObjectType(type)) return '1'
  return Object.fromEntries(
    Object.values(type.getFields())
      .filter((field) => !above.includes(getNamedType(field.type).name))
      .map((field) => [field.name, full(field.type, [...above, type.name])]),
  )
}

/** The input types that a value of a type may hold. */
function inside(type: GraphQLInputType, found = new Set<string>()): Set<string> {
  const named = getNamedType(type)
  if (!isInputObjectType(named) || found.has(named.name)) return found
  found.add(named.name)
  for (const field of Object.values(named.getFields())) inside(field.type, found)
  return found
}

/** What a gateway records of all operations with full variables. */
async function recorded(): Promise<OperationUsage[]> {
  const seen: SeenOperation[] = []
  const store = {
    write: async (batch: readonly SeenOperation[]) => void seen.push(...batch),
    forget: async () => undefined,
  }
  const recorder = usageRecorder({ store, clock: systemClock, log: memoryLog().log, intervalMs: 3_600_000 })
  recorder.supergraphLoaded(supergraph)
  for (const { text, args } of operations) {
    const document = parse(text)
    const [operation] = document.definitions
    if (operation?.kind !== 'OperationDefinition') throw new Error(text)
    const variables = Object.fromEntries(args.map(({ name, type }) => [name, full(type)]))
    recorder.executing({
      document,
      operation,
      variables,
      tenantId: null,
      anonymous: false,
      header: () => undefined,
    })
  }
  await recorder.close()
  return seen.map(({ hash, name, document, coordinates }) => ({
    hash,
    name,
    document,
    coordinates,
    clients: [],
  }))
}

const texts = () =>
  operations.map(({ name, text }): OperationUsage => ({
    hash: '',
    name,
    document: text,
    coordinates: null,
    clients: [],
  }))

const required = parse('input Any { brandNew: Int! }').definitions[0] as InputObjectTypeDefinitionNode

/**
 * The product's supergraph with one more field in each input, which whoever sends it has to give. The inputs have no
 * place: their text would say that nothing changed.
 */
const withRequiredFields: DocumentNode = {
  ...document,
  definitions: document.definitions.map((node) =>
    node.kind === Kind.INPUT_OBJECT_TYPE_DEFINITION
      ? { ...node, loc: undefined, fields: [...required.fields!, ...node.fields!] }
      : node,
  ),
}

/** What became of each input; both ways to know the operations are held against it. */
const found = diff(before, readSchema(withRequiredFields))
const changes = [...before.types.values()]
  .filter(({ kind }) => kind === 'input')
  .map(({ name }) => ({ name, change: found.find(({ coordinate }) => coordinate.startsWith(`${name}.`)) }))

test.each([
  ['recorded by the gateway', recorded],
  ['told by their texts', async () => texts()],
])(
  'R1: a required field in any input of the product names the operations that reach it, %s',
  async (_how, read) => {
    const find = usageIndex({ from: null, operations: await read() }, before)
    expect(changes.length).toBeGreaterThan(50)
    expect(found).toHaveLength(changes.length)
    const reaching = (name: string) =>
      operations
        .filter(({ args }) => args.some(({ type }) => inside(type).has(name)))
        .map((operation) => operation.name)
        .sort()
    const sorted = (found: OperationUsage[]) => found.map(({ name }) => name).sort()
    for (const { name, change } of changes) {
      expect([change?.code, change?.coordinate]).toEqual(['REQUIRED_INPUT_FIELD_ADDED', `${name}.brandNew`])
      expect([name, sorted(find(change!.affects))]).toEqual([name, reaching(name)])
      expect([name, sorted(find([name]))]).toEqual([name, reaching(name)])
    }
    expect(reaching('MoneyInput').length).toBeGreaterThan(3)
  },
)
