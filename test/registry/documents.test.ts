import { parse, Source } from 'graphql'
import { join } from 'node:path'
import ts from 'typescript'
import { typedClient } from '../../registry/client'
import { namedOperations, persistedDocuments } from '../../registry/usage/manifest'
import { readOperations, type OperationFile } from '../../registry/usage/operations'
import { referencePage } from '../../registry/reference/page'
import { readSchema } from '../../registry/schema-model'
import { contentHash } from '../../registry/versions/store'
import { projectRoot } from '../../kernel/process/config'
import { composedShop, type Edit } from './shop'

const shopSchema = (edits: readonly Edit[] = []) => readSchema(parse(composedShop(edits).supergraph))
const file = (text: string, name = 'a.graphql'): OperationFile => ({
  file: name,
  text,
  document: parse(new Source(text, name)),
})

const operations = file(`
query Find($text: String!, $limit: Int! = 3, $role: Role, $filter: UserFilter) {
  search(text: $text, limit: $limit) { __typename ...Person ... on Team { title } }
  people: users(role: $role, filter: $filter) { id status tags scores @include(if: true) manager { name } manager { id } }
}
fragment Person on User { name nickname }
mutation Rename { rename(id: 1) }
`)

describe('the typed client', () => {
  const client = typedClient(shopSchema(), namedOperations([operations]))

  /** The messages of the compiler for a file beside the client. */
  function compiled(use: string): string[] {
    const folder = join(projectRoot, 'test/registry')
    const files = new Map([
      [join(folder, 'virtual-client.ts'), client],
      [
        join(folder, 'virtual-use.ts'),
        `import { FindDocument, RenameDocument, type FindQuery, type FindQueryVariables, type TypedDocument } from './virtual-client'\n${use}`,
      ],
    ])
    const options: ts.CompilerOptions = {
      strict: true,
      noEmit: true,
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      skipLibCheck: true,
      types: [],
    }
    const host = ts.createCompilerHost(options)
    const { fileExists, readFile, getSourceFile } = host
    host.fileExists = (name) => files.has(name) || fileExists(name)
    host.readFile = (name) => files.get(name) ?? readFile(name)
    host.getSourceFile = (name, version) => {
      const text = files.get(name)
      return text === undefined ? getSourceFile(name, version) : ts.createSourceFile(name, text, version)
    }
    const program = ts.createProgram([...files.keys()], options, host)
    return ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
  }

  test('knows what operations answer and take, and nothing else', () => {
    expect(
      compiled(`
declare function ask<R, V>(document: TypedDocument<R, V>, variables: V): R
const answer = ask(FindDocument, { text: 'a', role: 'ADMIN', filter: { name: 'b', role: null } })
for (const one of answer.search) {
  if (one.__typename === 'User') { const name: string = one.name; const nick: string | null = one.nickname; void [name, nick] }
  if (one.__typename === 'Team') { const title: string = one.title; void title }
}
const person = answer.people[0]!
const status: 'ACTIVE' | 'SUSPENDED' = person.status
const scores: readonly (number | null)[] | null | undefined = person.scores
const manager: { readonly name: string; readonly id: string } | null = person.manager
const renamed: string | null = ask(RenameDocument, {}).rename
const exact: FindQuery['people'][number]['tags'] = ['a'] as readonly string[]
const variables: FindQueryVariables = { text: 'a' }
void [status, scores, manager, renamed, exact, variables]
// @ts-expect-error it was not selected
person.email
// @ts-expect-error only a Team has it
answer.search[0]!.title
// @ts-expect-error the text is required
ask(FindDocument, {})
// @ts-expect-error no such role
ask(FindDocument, { text: 'a', role: 'OWNER' })
// @ts-expect-error no such input field
ask(FindDocument, { text: 'a', filter: { surname: 'b' } })
`),
    ).toEqual([])
  })

  test('of this repository is current, and so is its manifest', () => {
    const files = readOperations(join(projectRoot, 'test/operations'))
    expect(files.map(({ file }) => file.split('/').at(-1))).toEqual([
      'billing.graphql',
      'overview.graphql',
      'reference-data.graphql',
    ])
    const graph = readSchema(parse(ts.sys.readFile(join(projectRoot, 'schema/supergraph.graphql'))!))
    const named = namedOperations(files)
    const generated = (name: string) => ts.sys.readFile(join(projectRoot, 'test/operations/generated', name))
    expect(generated('client.ts')).toBe(typedClient(graph, named))
    expect(generated('persisted-documents.json')).toBe(persistedDocuments(named))
  })
})

describe('the manifest', () => {
  test('has each operation once, with its fragments and the hash of its body', () => {
    const {
      format,
      version,
      operations: entries,
    } = JSON.parse(persistedDocuments(namedOperations([operations]))) as {
      format: string
      version: number
      operations: { id: string; name: string; type: string; body: string }[]
    }
    expect([format, version]).toEqual(['apollo-persisted-query-manifest', 1])
    expect(entries.map(({ name, type }) => [name, type])).toEqual([
      ['Find', 'query'],
      ['Rename', 'mutation'],
    ])
    for (const { id, body } of entries) expect(id).toBe(contentHash(body))
    expect(entries[0]!.body).toContain('fragment Person')
    expect(entries[1]!.body).not.toContain('Person')
  })

  test('refuses operations without a name, and names twice', () => {
    expect(() => namedOperations([file('{ status }')])).toThrow('a.graphql: every operation needs a name')
    expect(() =>
      namedOperations([file('query A { status }'), file('query A { status }', 'b.graphql')]),
    ).toThrow('b.graphql: the operation A is in a.graphql too')
  })
})

describe('the reference', () => {
  const page = referencePage(
    shopSchema([['accounts', 'type Team', '"A <script>alert(1)</script> group."\ntype Team']]),
    [operations],
    'Shop & more',
  )
  const part = (id: string) =>
    new RegExp(`<div id="${id.replaceAll('.', '\\.')}">.*?</div>`, 's').exec(page)?.[0] ?? ''

  test('says of a field who may read it, what it costs, until when it works and who uses it', () => {
    expect(part('User.email')).toContain('access: user:email')
    expect(part('User.badge')).toContain('Deprecated: Use `name`. Removed after 2099-01-31.')
    expect(part('Query.users')).toContain('costs 2 · 20 items assumed, or as many as first says')
    expect(part('Query.users')).toContain('<a href="#operation-Find">Find</a>')
    expect(part('Query.users')).toContain('role: <a href="#Role">Role</a> = MEMBER')
    expect(part('Product.reviews')).toContain('from reviews')
    expect(part('Query.status')).toContain('access: everybody')
  })

  test('needs nothing from elsewhere, and shows text as text', () => {
    expect(page).not.toMatch(/(src|href)="(https?:)?\/\//)
    expect(page).not.toContain('<script>alert')
    expect(page).toContain('A &lt;script&gt;alert(1)&lt;/script&gt; group.')
    expect(page).toContain('<title>Shop &amp; more</title>')
    expect(page).not.toContain('join__')
  })
})
