import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildASTSchema, Kind, Source, type GraphQLObjectType } from 'graphql'
import { projectRoot } from '../../kernel/process/config'
import { readSdl } from '../../kernel/schema/sdl'
import { readSchema } from '../../product/scaffold/entity-plan'
import { leftToSay, scaffoldEntity, writeScaffold, type EntityRequest } from '../../product/scaffold'
import { changedLines } from '../../product/scaffold/changed-lines'

const now = new Date('2031-05-06T07:08:00.000Z')
const root = mkdtempSync(join(tmpdir(), 'scaffolded-'))

beforeAll(() => {
  const tests = ['test/fixtures/fields-by-role.json', 'test/contract/own-record.test.ts']
  for (const path of ['schema', 'subgraphs', 'migrations', '.prettierrc.json', ...tests])
    cpSync(join(projectRoot, path), join(root, path), { recursive: true })
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const made = (request: EntityRequest) =>
  new Map(scaffoldEntity(root, request, now).map(({ path, text }) => [path, text]))
const training = {
  subgraph: 'hr',
  name: 'TrainingDay',
  fields: 'name:String!@order day:Date@filter head:User',
}

/** The schema of a subgraph with the text of one file put in. */
function schemaOf(subgraph: string, path: string, text: string) {
  const sources = [...new Set(readSchema(root, subgraph).definitions.map((node) => node.loc!.source.name))]
    .filter((name) => name !== path)
    .map((name) => new Source(readFileSync(join(root, name), 'utf8'), name))
  const { kind, definitions } = readSdl([...sources, new Source(text, path)])
  // It names the query alone, and links of federation.
  const own = definitions.filter((node) => node.kind !== Kind.SCHEMA_DEFINITION)
  return buildASTSchema({ kind, definitions: own }, { assumeValidSDL: true })
}

it('writes all that an entity takes, each in its place', () => {
  const files = made(training)
  expect([...files.keys()]).toEqual([
    'schema/hr/training-day.graphql',
    'subgraphs/hr/entities/TrainingDay.ts',
    'subgraphs/hr/resolvers/TrainingDay.ts',
    'migrations/203105060708-training-days.ts',
    'test/hr/training-day.test.ts',
    'subgraphs/hr/index.ts',
    'test/fixtures/fields-by-role.json',
    'test/contract/own-record.test.ts',
  ])
  const schema = schemaOf(
    'hr',
    'schema/hr/training-day.graphql',
    files.get('schema/hr/training-day.graphql')!,
  )
  const type = schema.getType('TrainingDay') as GraphQLObjectType
  expect(Object.values(type.getFields()).map((field) => `${field.name}: ${String(field.type)}`)).toEqual([
    'id: ID!',
    'name: String!',
    'day: Date',
    'head: User',
    'version: Int!',
    'createdAt: DateTime!',
    'updatedAt: DateTime!',
  ])
  expect(Object.keys(schema.getMutationType()!.getFields())).toEqual(
    expect.arrayContaining(['createTrainingDay', 'updateTrainingDay']),
  )
  const migration = files.get('migrations/203105060708-training-days.ts')
  expect(migration).toContain("indexes: [byLanguage('name'), 'created_at, id']")
  expect(migration).toContain("'hr:training-day:write': { allows: 'Create and change training days' }")
  const roles = JSON.parse(files.get('test/fixtures/fields-by-role.json')!) as Record<string, string>
  expect([roles['TrainingDay.*'], roles['Query.trainingDays']]).toEqual(['ADMIN', 'ADMIN'])
})

it('a scope that is in use is not added again, and its holders are those of its root fields', () => {
  const files = made({ ...training, scope: 'hr:department', verbs: 'create' })
  expect(files.get('migrations/203105060708-training-days.ts')).not.toContain('permissions')
  expect(files.get('subgraphs/hr/resolvers/TrainingDay.ts')).not.toContain('updateTrainingDay')
  const roles = JSON.parse(files.get('test/fixtures/fields-by-role.json')!) as Record<string, string>
  expect(roles['TrainingDay.*']).toBe('ADMIN, USER, COMPLIANCE_OFFICER, HR_MANAGER, ANALYST, VIEWER')
  expect(roles['Mutation.createTrainingDay']).toBe('ADMIN, HR_MANAGER')
})

it('deletes when asked to, and the table grants it', () => {
  const files = made({ ...training, verbs: 'create,delete' })
  expect(files.get('subgraphs/hr/resolvers/TrainingDay.ts')).toContain(
    'await tx.remove(TrainingDay, id, expectedVersion)',
  )
  expect(files.get('subgraphs/hr/resolvers/TrainingDay.ts')).not.toContain('updateTrainingDay')
  const migration = files.get('migrations/203105060708-training-days.ts')
  expect(migration).toContain("grants: { app_hr: ['SELECT', 'INSERT', 'DELETE'] }")
  expect(migration).toContain("{ allows: 'Create and delete training days' }")
  const roles = JSON.parse(files.get('test/fixtures/fields-by-role.json')!) as Record<string, string>
  expect(roles['Mutation.deleteTrainingDay']).toBe('ADMIN')
})

const written = `"A day of training."
type TrainingDay @key(fields: "id") @requiresScopes(scopes: [["hr:course:read"]]) {
  "UUID of the day."
  id: ID!
  "What is taught; unique."
  topic: String! @filter @order
  "The kind of the day."
  kind: DayKind @filter
  "Grows by one with every change; give it back as \`expectedVersion\`."
  version: Int!
  "When the record was created."
  createdAt: DateTime! @order
  "When the record last changed."
  updatedAt: DateTime!
}

"Kinds of days."
enum DayKind {
  "At the office."
  OFFICE
  "Elsewhere."
  ELSEWHERE
}
`

it('takes the type that schema/ has, keeps its text and puts around it what is missing', () => {
  const path = 'schema/hr/training-day.graphql'
  writeFileSync(join(root, path), written)
  const files = made({ subgraph: 'hr', name: 'TrainingDay' })
  expect(files.get(path)).toContain(written.trim())
  expect(files.get(path)).toContain('"What is taught, 1 to 100 characters."')
  const schema = schemaOf('hr', path, files.get(path)!)
  expect(Object.keys(schema.getQueryType()!.getFields())).toContain('trainingDays')
  const migration = files.get('migrations/203105060708-training-days.ts')
  expect(migration).toContain(`kind: "kind IN ('OFFICE', 'ELSEWHERE')"`)
  expect(migration).toContain("'hr:course:read'")
  expect(() => made(training)).toThrow('schema/hr/training-day.graphql has the fields of TrainingDay')
  rmSync(join(root, path))
})

it('leaves a field with a rule to its author, makes a unique text a name, and says both', () => {
  const path = 'schema/hr/training-day.graphql'
  const ruled = '  "Its costs."\n  costs: Money @requiresScopes(scopes: [["hr:cost:read"]])\n'
  writeFileSync(join(root, path), written.replace('  "The kind', `${ruled}  "The kind`))
  const request = { subgraph: 'hr', name: 'TrainingDay' }
  const files = made(request)
  expect(files.get(path)).toContain(ruled)
  expect(files.get('subgraphs/hr/entities/TrainingDay.ts')).not.toContain('costs')
  expect(files.get('migrations/203105060708-training-days.ts')).toMatch(
    /unique: \[\['topic'\]\],\s+names: \{ topic: 'spelling' \}/,
  )
  const left = leftToSay(root, request).join('\n')
  expect(left).toContain('TrainingDay.costs has arguments or a rule of its own: its column in entity')
  expect(left).toContain("names.test.ts, a line 'hr.training_days.topic'")
  expect(leftToSay(root, { ...training, name: 'CourseDay' }).join()).not.toContain('rule of its own')
  rmSync(join(root, path))
})

it('a column holds a time zone, and the test begins without demo rows', () => {
  const files = made({ ...training, fields: 'zone:TimeZone!' })
  expect(files.get('subgraphs/hr/entities/TrainingDay.ts')).toContain("{ type: 'varchar', length: 64 }")
  expect(files.get('migrations/203105060708-training-days.ts')).toContain("zone: 'varchar(64) NOT NULL'")
  const test = files.get('test/hr/training-day.test.ts')
  expect(test).toContain('zone: "Europe/Berlin"')
  expect(test).toContain('startGraph()')
})

it('shows the lines that go and come, in their order, and no comma alone', () => {
  expect(changedLines('{\n  "a": 1,\n  "c": 2\n}', '{\n  "a": 1,\n  "b": 1,\n  "c": 2,\n  "d": 2\n}')).toBe(
    '+  "b": 1,\n+  "d": 2\n',
  )
  expect(changedLines('x\nold\ny', 'x\nnew\nnew\ny')).toBe('-old\n+new\n+new\n')
})

it.each<[string, Partial<EntityRequest>, string]>([
  ['an unknown subgraph', { subgraph: 'hrx' }, 'No such subgraph: hrx. There are identity, tenancy,'],
  ['a name in another form', { name: 'trainingDay' }, 'named in PascalCase'],
  ['a name that ends like a derived type', { name: 'TrainingEdge' }, 'named in PascalCase'],
  ['an entity of the subgraph', { name: 'Holiday' }, 'Holiday is an entity of hr already'],
  ['an entity of another subgraph', { name: 'Budget' }, 'Budget is an entity of finance already'],
  [
    'a type of another subgraph',
    { name: 'InvoiceStatus' },
    'schema/tenancy/invoice.graphql has the name InvoiceStatus',
  ],
  ['no fields', { fields: ' ' }, 'Say --fields'],
  ['a field in another form', { fields: 'name' }, 'A field is name:Type'],
  ['a field twice', { fields: 'a:Int a:Int' }, '--fields names a twice'],
  ['a standard field', { fields: 'version:Int!' }, 'version comes by itself'],
  ['an unknown type', { fields: 'a:Thing' }, 'a: unknown type Thing. A column holds String'],
  ['an unknown mark', { fields: 'a:Int@sort' }, 'a: there is no mark @sort. There are filter, order,'],
  ['an entity of no tenant', { fields: 'land:Country' }, 'land: Country belongs to no tenant'],
  ['a word of SQL', { fields: 'order:Int' }, 'order is a word of SQL'],
  ['a scope in another form', { scope: 'training' }, '--scope is a subgraph and what it is about'],
  ['a verb of its own', { verbs: 'create,close' }, '--verbs is create, with update and delete or without'],
])('refuses %s', (_, part, message) => {
  expect(() => made({ ...training, ...part })).toThrow(message)
})

it('refuses a file that is there', () => {
  for (const path of [
    'test/hr/training-day.test.ts',
    'migrations/203001010000-training-days.ts',
    'subgraphs/hr/resolvers/TrainingDay.ts',
  ]) {
    const file = join(root, path)
    cpSync(join(projectRoot, 'package.json'), file)
    expect(() => made(training)).toThrow(`${path} exists. Nothing is overwritten.`)
    rmSync(file)
  }
  expect(made(training).size).toBe(8)
})

it('what it writes is formatted, once the command has formatted it, and is never written twice', () => {
  const files = scaffoldEntity(root, training, now)
  writeScaffold(root, files)
  const prettier = join(projectRoot, 'node_modules/prettier/bin/prettier.cjs')
  // Formatting what is no GraphQL or TypeScript would fail.
  const paths = files.map(({ path }) => join(root, path))
  execFileSync(process.execPath, [prettier, '--config', join(root, '.prettierrc.json'), '--write', ...paths])
  const index = readFileSync(join(root, 'subgraphs/hr/index.ts'), 'utf8')
  expect(index).toMatch(/entities: \[\s*Department,\s[^\]]*,\s+TrainingDay,?\s*\],/)
  expect(index).toMatch(/resolvers: \[\s*department,\s[^\]]*,\s+trainingDay,?\s*\],/)
  expect(() => made(training)).toThrow('TrainingDay is an entity of hr already')
})
