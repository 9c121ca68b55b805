import { parse, print, stripIgnoredCharacters, type DocumentNode } from 'graphql'
import { diff } from '../../registry/diff'
import { readSchema } from '../../registry/schema-model'
import { parsedBeside, readBase, readSupergraph } from '../../registry/composition/supergraph-text'
import { parseText } from '../../registry/composition/subgraph-files'
import { cases } from './cases'
import { composedShop } from './shop'

const shop = composedShop().supergraph

/** What was taken over and what a text came to; null when the whole text has to be parsed. */
function beside(before: string, text: string): { taken: number; document: DocumentNode } | null {
  const base = parse(before)
  const document = parsedBeside(base, text)
  if (!document) return null
  return { taken: document.definitions.filter((node) => base.definitions.includes(node)).length, document }
}

test('a supergraph beside itself is taken over, but for what ends without a brace', () => {
  const { taken, document } = beside(shop, shop)!
  expect(print(document)).toBe(print(parse(shop)))
  expect(taken).toBe(parse(shop).definitions.filter(({ loc }) => shop[loc!.end - 1] === '}').length)
  expect(taken).toBeGreaterThan(10)
  expect(document.loc).toMatchObject({ start: 0, end: shop.length, source: { body: shop } })
})

test.each(cases)('$what: the same document and changes', ({ base: from = [], edits }) => {
  const [shop, text] = [composedShop(from).supergraph, composedShop(edits).supergraph]
  const { taken, document } = beside(shop, text)!
  expect(taken).toBeGreaterThan(10)
  expect(print(document)).toBe(print(parse(text)))
  const base = parseText(shop, 'base')
  readBase(base)
  const whole = diff(readSchema(parse(shop)), readSchema(parse(text)))
  expect(diff(readSchema(base), readSupergraph(text))).toEqual(whole)
})

test.each([
  [
    'a description with a blank line',
    '"""\nOne.\n\ntype A {\n  a: Int\n}\n\ntwo\n"""\ntype B {\n  b: Int\n}',
  ],
  [
    'only what was taken over in a description',
    '"""\n\n\ntype A {\n  a: Int\n}\n\n"""\ntype B {\n  b: Int\n}',
  ],
  ['a description that begins where another ends', '"""x"""\ntype A {\n  a: Int\n}\n\n"""y"""\nscalar B'],
  ['a type twice', 'type A {\n  a: Int\n}\n\ntype A {\n  a: Int\n}'],
  ['no braces', 'type C implements A\n\ntype A {\n  a: Int\n}\n\nscalar S\n\nunion U =\n\n| A'],
  ['comments', '# {\n\ntype A {\n  a: Int\n}\n\n# }'],
  ['extensions', 'type A {\n  a: Int\n}\n\nextend type A {\n  b: Int\n}'],
])('%s: the same as parsing the whole text', (_name, text) => {
  const { document } = beside('type A {\n  a: Int\n}', text) ?? { document: parse(text) }
  expect(stripIgnoredCharacters(print(document))).toBe(stripIgnoredCharacters(print(parse(text))))
})

test('a text that is no GraphQL, or has nothing in the same words, is parsed as a whole', () => {
  const before = 'type A {\n  a: Int\n}'
  expect(beside(before, 'type A { a: Int }')).toBeNull()
  expect(beside(before, `${before}\n\ntype B {`)).toBeNull()
  expect(beside(before, `"""\n\n${before}\n\ntype B {\n  b: Int\n}`)).toBeNull()
  expect(() => readSupergraph('type A {')).toThrow('Syntax Error')
})

test('types are read anew where names of federation mean something else', () => {
  const linked = (as: string) =>
    `schema\n  @link(url: "https://specs.apollo.dev/tag/v0.3", as: "${as}")\n{\n  query: Query\n}\n\n` +
    'type Query {\n  a: Int @mark(name: "x")\n}'
  const before = readBase(parseText(linked('mark'), 'base'))
  expect(before.types.get('Query')?.fields.get('a')?.directives).toEqual([
    { name: 'tag', args: { name: 'x' } },
  ])
  const after = readSupergraph(linked('other'))
  expect(after.types.get('Query')?.fields.get('a')?.directives).toEqual([
    { name: 'mark', args: { name: 'x' } },
  ])
})
