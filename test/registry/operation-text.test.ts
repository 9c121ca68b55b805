import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, print } from 'graphql'
import { coordinatesOf } from '../../registry/usage/coordinates'
import { operationScanner } from '../../registry/usage/operation-text'
import { readOperations } from '../../registry/usage/operations'
import { readSchema, type SchemaModel } from '../../registry/schema-model'
import { usageIndex } from '../../registry/usage/usage'
import { projectRoot } from '../../kernel/process/config'
import { composedShop } from './shop'

const shop = readSchema(parse(composedShop().supergraph))

/** What the scanner finds, and whether it read to the end. */
function scanned(schema: SchemaModel, text: string): { found: string[]; whole: boolean } {
  const found = new Set<string>()
  const whole = operationScanner(
    schema,
    (coordinate) => coordinate,
    (coordinate) => found.add(coordinate),
  )(text)
  return { found: [...found].sort(), whole }
}

/** What the parser finds; null when the text is no GraphQL. */
function parsed(schema: SchemaModel, text: string): string[] | null {
  try {
    return [...coordinatesOf(schema, parse(text))].sort()
  } catch {
    return null
  }
}

function expectSame(schema: SchemaModel, text: string): void {
  const { found, whole } = scanned(schema, text)
  const known = parsed(schema, text)
  if (whole) expect({ text, found }).toEqual({ text, found: known })
  else if (known) expect({ text, found: known }).toMatchObject({ found: expect.arrayContaining(found) as [] })
}

/** Prints the large graph of bench/ and its operations as JSON. */
const largeGraph = `
import { large, largeGraph, largeUsage } from './bench/large-graph.mjs'
const [files, usage] = [largeGraph(large).values(), largeUsage(large, '2026-11-21')]
process.stdout.write(JSON.stringify({ files: [...files], usage: [...usage] }))
`

const usual = [
  '{ me { name } }',
  'query { users(first: 5) { name status } }',
  'query Q($f: UserFilter, $r: [Role!]! = [ADMIN, GUEST]) { users(filter: $f, role: ADMIN) { id } }',
  '{ users(first: -1, role: null, filter: { name: "", role: GUEST, ids: [$a, $b] }) { a: name, __typename } }',
  '\n{\tusers (\r\n first : 0 ) { name ,,, status @skip ( if : true ) } , }\n',
  '{ search(text: "") { ... on Team { title } ... on User { ... on Named { name } ... @include(if: $a) { id } } } }',
  'query @trace(level: 2.5e-3) { status @skip(if: $no) @include(if: false) }',
  '{ users(unknown: { anything: [X] }, filter: { unknown: X, name: {} }) { id } }',
]
const odd = [
  '{ users(filter: { name: "}" }) { id } }',
  '{ users(filter: { name: """ { } """ }) { id } }',
  '{ users { id # } \n name } }',
  'query { search(text: "a") { ...Found } } fragment Found on User { ... on Named { name } }',
  'query A { me { name } } query B { status }',
  '{ me { name nothing { id } } }',
  '{ me { name__typename } }',
  'fragment Found on User { name }',
  'query ($a: Int @old) { me { name } }',
  'subscription { unheard }',
  '\ufeff{ me { name } }',
]
const broken = [
  '',
  '{',
  '{ }',
  '{ me { } }',
  '{ me { name } } }',
  '{ me { name }',
  'query Q() { me { name } }',
  'query { users() { id } }',
  'query ($a: ) { me { id } }',
  'query ($a: [Int) { me { id } }',
  'query ($a: Int!!) { me { id } }',
  'query ($a: Int = $b) { me { id } }',
  'queries { me { id } }',
  '{ me: { id } }',
  '{ users(first: 01) { id } }',
  '{ users(first: 1.) { id } }',
  '{ users(first: 1x) { id } }',
  '{ users(first: "") "" { id } }',
  '{ me { .. on User { id } } }',
  '{ me { ... on { id } } }',
  '{ me { name\u00a0 } }',
  '{ me { name @ } }',
]

test.each(usual)('reads %j to its end', (text) => {
  const { found, whole } = scanned(shop, text)
  expect({ whole, found }).toEqual({ whole: true, found: parsed(shop, text) })
})

test.each(odd)('leaves %j to the parser', (text) => {
  expect(scanned(shop, text).whole).toBe(false)
  expect(parsed(shop, text)).toEqual(expect.arrayContaining(scanned(shop, text).found))
})

test.each(broken)('finds no operation in %j, as the parser finds none', (text) => {
  expect(parsed(shop, text)).toBeNull()
  expect(scanned(shop, text).whole).toBe(false)
  const recorded = { hash: 'h', name: 'Broken', document: text, coordinates: null, clients: [] }
  expect(() => usageIndex({ from: null, operations: [recorded] }, shop)).toThrow(
    `The recorded operation Broken is no GraphQL: ${text}`,
  )
})

test('reads nothing that is nested deeper than the stack goes', () => {
  for (const text of [`{users(first:${'['.repeat(100_000)}`, `query($a:${'['.repeat(100_000)}`])
    expect(scanned(shop, text).whole).toBe(false)
})

test('finds what the parser finds in whatever becomes of an operation by cutting and mixing', () => {
  // The same numbers on each run.
  let state = 7
  const below = (limit: number) => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) % limit
  const all = [...usual, ...odd, ...broken]
  let whole = 0
  for (let round = 0; round < 20_000; round++) {
    const text = all[below(all.length)] ?? ''
    const [start, end] = [below(text.length + 1), below(text.length + 1)]
    const other = all[below(all.length)] ?? ''
    const piece = ['', other.slice(below(other.length + 1)).slice(0, below(12)), '{}()[]!$:=@."#,'[below(15)]]
    const mixed =
      text.slice(0, start) + (piece[below(3)] ?? '') + text.slice(round % 2 ? start + below(3) : end)
    expectSame(shop, mixed)
    if (scanned(shop, mixed).whole) whole++
  }
  expect(whole).toBeGreaterThan(500)
})

test("reads the repository's operations, and those of the large graph", () => {
  const real = readSchema(parse(readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')))
  for (const { document } of readOperations(join(projectRoot, 'test', 'operations')))
    for (const definition of document.definitions) expectSame(real, print(definition))
  const { files, usage } = JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', largeGraph], {
      cwd: projectRoot,
      maxBuffer: 1e8,
    }).toString(),
  ) as { files: string[]; usage: string[] }
  const large = readSchema(parse(files.join('\n')))
  expect(usage).toHaveLength(10_000)
  for (const line of usage) {
    const { document } = JSON.parse(line) as { document: string }
    const { found, whole } = scanned(large, document)
    if (!whole) throw new Error(document)
    expect(found).toEqual(parsed(large, document))
  }
})
