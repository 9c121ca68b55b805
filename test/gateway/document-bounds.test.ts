import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  buildSchema,
  getIntrospectionQuery,
  parse,
  specifiedRules,
  validate,
  visit,
  type DocumentNode,
  type FieldNode,
} from 'graphql'
import {
  boundsWithin,
  documentBounds,
  parseWithin,
  type Caller,
} from '../../gateway/operations/document-bounds'
import type { DocumentBounds } from '../../gateway/operations/bounds'
import { defaultLimits } from '../../gateway/operations/limits'
import { projectRoot } from '../../kernel/process/config'

const bounds = boundsWithin(defaultLimits)
const callers: Caller[] = ['anonymous', 'signedIn']
const times = (count: number, text: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => text(n)).join(' ')

function refusal(source: string, caller: Caller): string | null {
  try {
    parseWithin(source, bounds[caller])
    return null
  } catch (error) {
    const { message, extensions } = error as { message: string; extensions: { code: string } }
    return `${extensions.code} ${message}`
  }
}

/** For each bound a document that holds so many of it. */
const holding: Record<Exclude<keyof DocumentBounds, 'errors'>, (count: number) => string> = {
  characters: (n) => '{ a }'.padEnd(n),
  tokens: (n) => `{ ${places(n - 2)} }`,
  depth: (n) => `${'{ a '.repeat(n)}${'}'.repeat(n)}`,
  selections: (n) => `{ r { ${places(n - 1)} } }`,
  rootFields: (n) => `{ ${times(n, (at) => `f${at}`)} }`,
  mutations: (n) => `mutation { __typename ...F } fragment F on Mutation { ${times(n, (at) => `m${at}`)} }`,
  aliases: (n) => `{ r { ${times(n, (at) => `a${at}: f`)} } }`,
  repetitions: (n) => `{ r { ${'f '.repeat(n)} } }`,
  pairs: (n) => `{ r { ${times(n, (at) => `p${at} p${at}`)} } }`,
  operations: (n) => times(n, (at) => `query Q${at} { a }`),
  fragments: (n) =>
    `{ ${times(n, (at) => `...F${at}`)} } ${times(n, (at) => `fragment F${at} on A { f${at % 3} }`)}`,
  spreads: (n) => `{ r { ${times(n, (at) => `s${at} { ...F }`)} } } fragment F on A { x }`,
  variables: (n) => `query(${times(n, (at) => `$v${at}: Int`)}) { a }`,
  directives: (n) => `{ r { ${times(n, (at) => `d${at} @x`)} } }`,
  directivesPerNode: (n) => `{ a ${'@x '.repeat(n)} }`,
  literal: (n) => `{ a(b: "${'x'.repeat(n)}") }`,
  valueDepth: (n) => `{ a(b: ${'['.repeat(n)}1${']'.repeat(n)}) }`,
}

/** So many fields, no two of one name in one place. */
function places(count: number): string {
  return times(count, (n) => `g${n}`)
}

describe('L1 L5 what a document may hold is counted before it is validated', () => {
  const kinds = Object.keys(holding) as (keyof typeof holding)[]

  it('names every bound', () => {
    expect([...kinds, 'errors'].sort()).toEqual(Object.keys(bounds.anonymous).sort())
  })

  /** A document at this bound goes beyond another of the same caller, which refuses it as well. */
  const shadowed: Partial<Record<Caller, string[]>> = { anonymous: ['tokens'], signedIn: ['tokens'] }

  it.each(callers.flatMap((caller) => kinds.map((kind) => [caller, kind] as const)))(
    '%s: %s, to the last one and no further',
    (caller, kind) => {
      const most = bounds[caller][kind]
      const only = {
        ...(Object.fromEntries(kinds.map((each) => [each, 1e6])) as unknown as DocumentBounds),
        errors: 5,
        [kind]: most,
      }
      const document = holding[kind]
      expect(() => parseWithin(document(most), only)).not.toThrow()
      expect(() => parseWithin(document(most + 1), only)).toThrow(
        expect.objectContaining({ extensions: expect.objectContaining({ code: 'QUERY_TOO_COSTLY' }) }),
      )
      if (!shadowed[caller]?.includes(kind))
        expect(refusal(document(most + 1), caller)).toMatch(/^QUERY_TOO_COSTLY/)
    },
  )

  it('says what is too much and what to do', () => {
    expect(refusal(`{ ${times(6, (n) => `a${n}: tenant`)} }`, 'anonymous')).toBe(
      'QUERY_TOO_COSTLY The operation has 6 fields at its root, at most 5: split it',
    )
    expect(refusal('mutation { a: signIn b: signIn }', 'anonymous')).toBe(
      'QUERY_TOO_COSTLY The operation has 2 mutations, at most 1: split it',
    )
    expect(refusal(`{ t { ${'f '.repeat(6)} } }`, 'anonymous')).toBe(
      'QUERY_TOO_COSTLY "f" is selected 6 times in one place, at most 5: split it',
    )
    expect(refusal(`{ t { ${times(6, (n) => `a${n}: f`)} } }`, 'anonymous')).toBe(
      'QUERY_TOO_COSTLY "f" is selected under 6 names in one place, at most 5: split it',
    )
    expect(refusal('{ a @x @x @x @x }', 'anonymous')).toBe(
      'QUERY_TOO_COSTLY The document has 4 directives in one place, at most 3: split it',
    )
  })

  it('L4 counts the mutations of each operation, under whatever names and in whatever fragments', () => {
    const two = 'QUERY_TOO_COSTLY The operation has 2 mutations, at most 1: split it'
    const documents: [string, string | null][] = [
      ['mutation { signIn refreshSession }', two],
      ['mutation { signIn ... { refreshSession } }', two],
      ['mutation { signIn ... on Mutation @include(if: false) { refreshSession } }', two],
      ['mutation A { signIn } mutation B { a: signIn b: signIn }', two],
      ['mutation A { signIn } mutation B { signIn } query C { a b c }', null],
      ['mutation { __typename signIn { a b } signIn { c } }', null],
    ]
    expect(documents.map(([source]) => refusal(source, 'anonymous'))).toEqual(
      documents.map(([, told]) => told),
    )
    for (const [source] of documents) expect(refusal(source, 'signedIn')).toBeNull()
  })

  it('gives syntax errors their place, and fragments that spread themselves their name', () => {
    expect(() => parseWithin('{ a(', bounds.signedIn)).toThrow(
      expect.objectContaining({ locations: [{ line: 1, column: 5 }] }),
    )
    const cycle = '{ ...A } fragment A on Q { ...B } fragment B on Q { x { ...A } }'
    for (const caller of callers)
      expect(refusal(cycle, caller)).toBe(
        'GRAPHQL_VALIDATION_FAILED Cannot spread fragment "A" within itself.',
      )
    expect(refusal('type A { a: Int }', 'signedIn')).toMatch(/^GRAPHQL_VALIDATION_FAILED/)
  })

  it.each(callers)('%s: lets introspection and what the product itself sends pass', (caller) => {
    expect(refusal(getIntrospectionQuery({ inputValueDeprecation: true }), caller)).toBeNull()
    const signIn =
      'mutation SignIn($input: SignInInput!) { signIn(input: $input) { accessToken refreshToken expiresAt userErrors { code message field } } }'
    expect(refusal(signIn, caller)).toBeNull()
  })

  it.each([...'[{('].flatMap((open) => [400, 4900].map((count) => [open, count] as const)))(
    'survives %s, opened %i times and never closed',
    (open, count) => {
      const value =
        open === '('
          ? `{ a${'(b: $c '.repeat(count)}`
          : `{ a(b: ${`${open}${open === '{' ? 'b: ' : ''}`.repeat(count)}`
      for (const caller of callers)
        expect(refusal(value, caller)).toMatch(/^(QUERY_TOO_COSTLY|GRAPHQL_PARSE_FAILED)/)
    },
  )
})

/** The costliest documents that were found for each rule of validation, of about so many tokens. */
const worst: Record<string, (tokens: number) => string> = {
  'pairs of one name': (n) => `{ r { ${'f '.repeat(n)} } }`,
  'conflicts of one name (L1)': (n) =>
    `{ ${times(n / 8, (at) => `r { x${at}: a x: ${at % 2 ? 'a' : 'b'} }`)} a }`,
  'pairs below pairs': (n) => `{ ${times(n / 12, () => 'r { r { a r { a } } }')} }`,
  'names without a fragment around': (n) =>
    `{ ${'... { '.repeat(n / 12)} ${'f '.repeat(n / 2)} ${'}'.repeat(n / 12)} }`,
  'fragments beside each other': (n) =>
    `{ ${times(n / 14, (at) => `...F${at}`)} } ${times(n / 14, (at) => `fragment F${at} on Query { a${at}: a b }`)}`,
  'fragments in pairs below one name': (n) =>
    `{ ${times(n / 16, (at) => `r { ...F${at} ...G${at} }`)} } ${times(n / 16, (at) => `fragment F${at} on R { a } fragment G${at} on R { b }`)}`,
  'fragments that double': (n) =>
    `{ r { ...F0 } } ${times(n / 12, (at) => `fragment F${at} on R { x: r { ...F${at + 1} } y: r { ...F${at + 1} } }`)} fragment F${Math.floor(n / 12)} on R { a }`,
  'fragments that double below __schema': (n) =>
    `{ __schema { types { ...F0 } } } ${times(n / 12, (at) => `fragment F${at} on __Type { ...F${at + 1} ofType { ...F${at + 1} } }`)} fragment F${Math.floor(n / 12)} on __Type { name }`,
  'operations times fragments': (n) =>
    `${times(n / 12, (at) => `query Q${at}($v: Int) { ...F }`)} fragment F on Query { ${times(n / 12, (at) => `a${at}: n(x: $v)`)} }`,
  'directives in one place': (n) => `{ a ${'@include(if: true) '.repeat(n / 7)} }`,
  'unknown directives': (n) => `{ r { ${times(n / 2, () => 'a @nope')} } }`,
  'unknown fields': (n) => `{ ${times(n, (at) => `aa${at}`)} }`,
  'unknown arguments': (n) => `{ n(${times(n / 3, (at) => `xx${at}: 1`)}) }`,
  'unused variables': (n) => `query(${times(n / 4, (at) => `$v${at}: Int`)}) { a }`,
  'list items': (n) => `{ n(l: [${'1 '.repeat(n)}]) }`,
  'input fields': (n) => `{ n(i: { ${times(n / 3, (at) => `f${at}: 1`)} }) }`,
}

const schema = buildSchema(`
  type Query { a: Int b: Int r: R n(x: Int, l: [Int], i: I): Int }
  type R { a: Int b: Int r: R f: Int }
  input I { a: Int }`)

/** How often validation looks at a name or the selections of a field, and how many errors it makes. */
function validationWork(document: DocumentNode, maxErrors?: number) {
  let looks = 0
  // Every comparison of two fields reads them.
  visit(document, {
    Field: { leave: (node) => (['name', 'selectionSet'] as const).forEach((key) => counted(node, key)) },
  })
  function counted(node: FieldNode, key: 'name' | 'selectionSet'): void {
    const value = node[key]
    Object.defineProperty(node, key, { enumerable: true, get: () => (looks++, value) })
  }
  const errors = validate(schema, document, specifiedRules, { maxErrors }).length
  return { looks, errors }
}

/** So many for each token, and for each pair that may be compared. */
const allowedLooks = (document: DocumentNode, caller: Caller) =>
  40 * document.tokenCount! + 6 * bounds[caller].pairs

/** The largest of `sizes` that is let through: to anonymous callers, to signed-in ones. */
const largest: Record<string, Record<Caller, number>> = {
  'pairs of one name': { anonymous: 5, signedIn: 50 },
  'conflicts of one name (L1)': { anonymous: 5, signedIn: 200 },
  'pairs below pairs': { anonymous: 50, signedIn: 200 },
  'names without a fragment around': { anonymous: 5, signedIn: 50 },
  'fragments beside each other': { anonymous: 50, signedIn: 900 },
  'fragments in pairs below one name': { anonymous: 50, signedIn: 200 },
  'fragments that double': { anonymous: 50, signedIn: 50 },
  'fragments that double below __schema': { anonymous: 5, signedIn: 50 },
  'operations times fragments': { anonymous: 50, signedIn: 200 },
  'directives in one place': { anonymous: 5, signedIn: 50 },
  'unknown directives': { anonymous: 5, signedIn: 200 },
  'unknown fields': { anonymous: 5, signedIn: 50 },
  'unknown arguments': { anonymous: 900, signedIn: 4800 },
  'unused variables': { anonymous: 50, signedIn: 200 },
  'list items': { anonymous: 900, signedIn: 4800 },
  'input fields': { anonymous: 900, signedIn: 4800 },
}

describe('L1 the cost of validation is in proportion to the text', () => {
  const sizes = [5, 50, 200, 900, 2000, 4800]
  it.each(callers.flatMap((caller) => Object.keys(worst).map((name) => [caller, name] as const)))(
    '%s: %s',
    (caller, name) => {
      const passed: number[] = []
      for (const size of sizes) {
        const source = worst[name]!(size)
        if (refusal(source, caller) !== null) continue
        passed.push(size)
        const document = parseWithin(source, bounds[caller])
        const { looks, errors } = validationWork(document, bounds[caller].errors)
        // One more error says that it ended.
        expect(errors).toBeLessThanOrEqual(bounds[caller].errors + 1)
        expect(looks).toBeLessThan(allowedLooks(document, caller))
      }
      expect(passed.at(-1)).toBe(largest[name]![caller])
    },
  )

  it('is not without the bounds: the test would notice', () => {
    const source = worst['pairs of one name']!(2000)
    expect(refusal(source, 'signedIn')).toMatch(/^QUERY_TOO_COSTLY/)
    const document = parse(source)
    expect(validationWork(document).looks).toBeGreaterThan(allowedLooks(document, 'signedIn'))
  })
})

it('is documented: docs/limits.md has the table of the code', () => {
  const text = readFileSync(join(projectRoot, 'docs', 'limits.md'), 'utf8')
  const table = /<!-- bounds -->\n\n([\s\S]*?)\n\n/.exec(text)![1]!.split('\n').slice(2)
  const documented = table.map((line) => {
    const [, what = '', ...numbers] = line.split('|').map((cell) => cell.trim())
    return [/^\w+/.exec(what)![0], ...numbers.slice(0, 2).map((number) => Number(number.replaceAll(',', '')))]
  })
  const { anonymous, signedIn } = documentBounds
  expect(documented).toEqual(
    (Object.keys(anonymous) as (keyof DocumentBounds)[]).map((kind) => [
      kind,
      anonymous[kind],
      signedIn[kind],
    ]),
  )
})
