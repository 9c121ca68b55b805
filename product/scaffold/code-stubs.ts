import { article, capital, words } from '../../kernel/schema/derived-forms'
import { scalarSamples } from '../../kernel/schema/scalar-samples'
import { columnsOf } from './columns'
import { ownFields, type EntityPlan, type PlannedField } from './entity-plan'

/** `subgraphs/<subgraph>/entities/<Name>.ts` */
export function entityText(plan: EntityPlan): string {
  const properties = columnsOf(plan).map(({ property, options, type, required }) =>
    required
      ? `  @Column({ ${options} })\n  ${property}: ${type}\n`
      : `  @Column({ ${options}, nullable: true })\n  ${property}: ${type} | null\n`,
  )
  return `import { Column, Entity } from 'typeorm'
import { TenantRow } from '../../../kernel/tenant-row'

/** ${capital(article(words(plan.name)))} of the tenant. */
@Entity({ schema: '${plan.subgraph}', name: '${plan.table}' })
export class ${plan.name} extends TenantRow {
${properties.join('\n')}}
`
}

/** `subgraphs/<subgraph>/resolvers/<Name>.ts` */
export function resolverText(plan: EntityPlan): string {
  const { name, one, many, subgraph, verbs } = plan
  const fields = ownFields(plan)
  const monies = fields.filter(({ type }) => type === 'Money').map((field) => field.name)
  const references = fields.filter(({ target }) => target)
  const inside = references.filter(({ target }) => target!.subgraph === subgraph)
  const written = [...monies.map((money) => `...moneyColumns(${money}, '${money}', '${money}Currency')`)]
  const values = (rest: string) => (monies.length > 0 ? `{ ...${rest}, ${written.join(', ')} }` : rest)
  const create = monies.length > 0 ? `{ input: { ${monies.join(', ')}, ...values } }` : '{ input }'
  const inserted = values(monies.length > 0 ? 'values' : 'input')
  const taken = ['id', 'expectedVersion', ...monies, '...changes'].join(', ')
  const update = `update${name}: (_, { input: { ${taken} } }, context) =>
      mutate(context, async (tx) => ({ ${one}: await tx.update(${name}, id, expectedVersion, ${values('changes')}) })),`
  const remove = `delete${name}: (_, { input: { id, expectedVersion } }, context) =>
      mutate(context, async (tx) => ({ ${one}: await tx.remove(${name}, id, expectedVersion) })),`
  const shown = [
    ...references.map((field) => referenceText(plan, field)),
    ...monies.map((money) => {
      const columns = `'${money}', '${money}Currency'`
      return `${money}: needs(${name}, [${columns}], (row) => money(row.${money}, row.${money}Currency)),`
    }),
  ]
  const imports = [
    inside.length < references.length || monies.length > 0
      ? "import { needs } from '../../../kernel/entity'"
      : '',
    "import { load } from '../../../kernel/load'",
    monies.length > 0 ? "import { money, moneyColumns } from '../../../kernel/money'" : '',
    "import { mutate } from '../../../kernel/mutate'",
    "import { page } from '../../../kernel/page'",
    inside.length > 0 ? "import { one } from '../../../kernel/relation'" : '',
    ...[...new Set([name, ...inside.map(({ type }) => type)])]
      .sort()
      .map((type) => `import { ${type} } from '../entities/${type}'`),
    "import type { Resolvers } from '../generated'",
  ]
  return `${imports.filter(Boolean).join('\n')}

export const ${one}: Resolvers = {
  Query: {
    ${one}: (_, { id }, context, info) => load(context, ${name}, id, info),
    ${many}: (_, args, context, info) => page(context, ${name}, args, info),
  },
  Mutation: {
    create${name}: (_, ${create}, context) =>
      mutate(context, async (tx) => ({ ${one}: await tx.insert(${name}, ${inserted}) })),
    ${verbs.includes('update') ? update : ''}
    ${verbs.includes('delete') ? remove : ''}
  },
  ${shown.length > 0 ? `${name}: { ${shown.join('\n')} },` : ''}
}
`
}

function referenceText(
  { name, subgraph }: EntityPlan,
  { name: field, type, required, target }: PlannedField,
): string {
  const key = `${field}Id`
  if (target!.subgraph === subgraph) return `${field}: one(${name}, '${key}', ${type}),`
  const shown = required ? `({ id: ${key} })` : `(${key} ? { id: ${key} } : null)`
  return `${field}: needs(${name}, ['${key}'], ({ ${key} }) => ${shown}),`
}

const money = [
  { amount: '12.50', currency: 'EUR' },
  { amount: '13.50', currency: 'EUR' },
] as const

/** The first or second value of a field as TypeScript; undefined when its enum has no second one. */
function sampleOf({ type, values }: PlannedField, place: 0 | 1): string | undefined {
  if (!values) return JSON.stringify(type === 'Money' ? money[place] : scalarSamples[type]!.values[place])
  return values[place] === undefined ? undefined : `'${values[place]}'`
}

/** `test/<subgraph>/<name>.test.ts` */
export function testText(plan: EntityPlan): string {
  const { name, one, many, verbs, subgraph } = plan
  const updates = verbs.includes('update')
  const deletes = verbs.includes('delete')
  const fields = ownFields(plan)
  const referring = fields.filter(({ target, required }) => target && required)
  const values = fields.flatMap((field) => {
    if (field.target) return field.required ? [`${field.name}Id: await idIn('${field.target.table}')`] : []
    return [`${field.name}: ${sampleOf(field, 0)}`]
  })
  const read = fields
    .filter(({ target }) => !target)
    .map((field) => (field.type === 'Money' ? `${field.name} { amount currency }` : field.name))
    .join(' ')
  const seen =
    referring.length > 0
      ? `const { ${referring.map((field) => `${field.name}Id: _${field.name}`).join(', ')}, ...shown } = input`
      : ''
  const shown = referring.length > 0 ? 'shown' : 'input'
  const noun = words(name)
  // Only where rows of other tables are needed: demo rows of its own may come later.
  const demo = referring.length > 0
  const admin = (slug: string) =>
    demo ? `await graph.demo('${slug}', 'admin')` : `await (await graph.tenant('${slug}')).as('ADMIN')`
  const idIn = `
/** A row of the tenant in another table. */
async function idIn(table: string): Promise<string> {
  const text = \`SELECT t.id FROM \${table} t JOIN tenancy.tenants n ON n.id = t.tenant_id WHERE n.slug = 'acme' LIMIT 1\`
  return (await graph.owner.query<{ id: string }>(text)).rows[0]!.id
}
`
  const update = `
  const changes = { id, expectedVersion: 1, ${firstChange(fields)} }
  expect(await change(acme, 'update${name}', changes, '${one} { version }')).toEqual({ version: 2 })
  expect(await userErrors(acme, 'update${name}', changes)).toMatchObject([{ code: 'STALE_VERSION' }])`
  const remove = `
  const last = { id, expectedVersion: ${updates ? 2 : 1} }
  expect(await change(acme, 'delete${name}', last, '${one} { id }')).toEqual({ id })
  expect(await list()).toEqual({ ${many}: { nodes: [] } })`
  return `import { startGraph, type TestGraph } from '../support/graph'
import { change${updates ? ', userErrors' : ''} } from '../support/lists'

let graph: TestGraph
beforeAll(async () => (graph = await startGraph(${demo ? '{ demo: true }' : ''})))
afterAll(() => graph?.close())
${referring.length > 0 ? idIn : ''}
test('${article(noun)} is created, read in one statement${updates ? ', changed' : ''}${deletes ? ', deleted' : ''} and seen by its tenant alone', async () => {
  const acme = ${admin('acme')}
  const input = { ${values.join(', ')} }
  ${seen}
  const { id } = await change<{ id: string }>(acme, 'create${name}', input, '${one} { id }')
  const list = () => acme.data('{ ${many} { nodes { id ${read} } } }')
  expect(await list()).toEqual({ ${many}: { nodes: [{ id, ...${shown} }] } })
  expect((await graph.statementsDuring(list)).map(({ role }) => role)).toEqual(['${subgraph}'])
  ${updates ? update.trim() : ''}
  const globex = ${admin('globex')}
  const found = \`{ ${one}(id: "\${id}") { id } ${many} { nodes { id } } }\`
  expect(await acme.data(found)).toEqual({ ${one}: { id }, ${many}: { nodes: [{ id }] } })
  expect(await globex.data(found)).toEqual({ ${one}: null, ${many}: { nodes: [] } })
  ${deletes ? remove.trim() : ''}
})
`
}

/** Another value for one of the fields, so that the change is one. */
function firstChange(fields: readonly PlannedField[]): string {
  const field = fields.find((one) => !one.target && sampleOf(one, 1) !== undefined)
  return field ? `${field.name}: ${sampleOf(field, 1)}` : ''
}
