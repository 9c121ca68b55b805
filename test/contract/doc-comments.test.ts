import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../kernel/process/project-root'
import { complaints } from '../support/compile'

const folders = [
  'kernel',
  'gateway',
  'registry',
  'subgraphs',
  'database',
  'migrations',
  'product',
  'isolation',
  'scripts',
]

interface DocComment {
  place: string
  text: string
}

/** Every doc comment of the product, without what is generated. */
const comments: readonly DocComment[] = folders.flatMap((folder) =>
  readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('generated.ts'))
    .flatMap((name) => {
      const source = readFileSync(join(projectRoot, folder, name), 'utf8')
      return [...source.matchAll(/^[ \t]*\/\*\*([^]*?)\*\//gm)].map(({ 1: inside = '', index }) => ({
        place: `${folder}/${name}:${source.slice(0, index).split('\n').length}`,
        text: inside.replace(/^[ \t]*\* ?/gm, '').trim(),
      }))
    }),
)

it('begins doc comments with a noun or a verb', () => {
  const opening = /^(What|Where|Whose|Who|How|Whether|Something)\b/
  expect(comments.length).toBeGreaterThan(1_000)
  expect(comments.filter(({ text }) => opening.test(text)).map(({ place }) => place)).toEqual([])
})

/** The names that examples use; as few as make them readable. */
const around = `
  import { composeMail } from '../../../kernel/mail'
  import { needs } from '../../../kernel/entity'
  import { mutate } from '../../../kernel/mutate'
  import { nested } from '../../../kernel/page'
  import { fieldPolicy, rowPolicy } from '../../../kernel/policy'
  import { rowByKey } from '../../../kernel/query'
  import { one } from '../../../kernel/relation'
  import type { MutationTransaction } from '../../../kernel/mutate'
  import { Department } from '../entities/Department'
  import { Employee } from '../entities/Employee'
  import { Holiday } from '../entities/Holiday'
  import type { SubgraphContext } from '../../../kernel/context'
  import type { GraphQLResolveInfo } from 'graphql'
  import type { PageArguments } from '../../../kernel/reading/page-request'
  export const names = { composeMail, needs, mutate, nested, fieldPolicy, rowPolicy, rowByKey, one, Department, Employee, Holiday }
  export type Change = (tx: MutationTransaction) => unknown
  export type Field = (parent: Department & Employee, args: PageArguments, context: SubgraphContext, info: GraphQLResolveInfo) => unknown
`

/** An example is a field of a type, a statement of a mutation, or an expression. */
function program(example: string): string {
  if (/^\w+: /.test(example)) return `${around} export const fields: Record<string, Field> = { ${example} }`
  if (/^const /.test(example))
    return `${around} export const change: Change = async (tx) => { ${example}; return { row, isNew } }`
  return `${around} export const value = ${example}`
}

it('has examples that compile', () => {
  const examples = comments.flatMap(({ place, text }) =>
    [...text.matchAll(/^@example (.*)$/gm)].map(({ 1: example = '' }) => ({ place, example })),
  )
  expect(examples.map(({ place }) => place.split(':')[0]).sort()).toEqual([
    'kernel/entity.ts',
    'kernel/mail/compose.ts',
    'kernel/page.ts',
    'kernel/policy.ts',
    'kernel/policy.ts',
    'kernel/query.ts',
    'kernel/relation.ts',
    'kernel/writing/mutation-transaction.ts',
  ])
  const wrong = { place: 'a wrong one', example: "one(Employee, 'departmentId', 'Department')" }
  const found = complaints(
    [...examples, wrong].map(({ example }) => ({ subgraph: 'hr', text: program(example) })),
  )
  expect(found.pop()).toEqual([expect.stringContaining("'string' is not assignable")])
  expect(found).toEqual(examples.map(() => []))
})
