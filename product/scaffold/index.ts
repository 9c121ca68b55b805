import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Kind } from 'graphql'
import { nextStamp } from '../../database/new-migration'
import { subgraphNames } from '../../kernel/schema/subgraph-names'
import { entityText, resolverText, testText } from './code-stubs'
import {
  kebab,
  mutationsOf,
  namesOf,
  ownFields,
  planEntity,
  readSchema,
  scopeOf,
  sdlFile,
  snake,
} from './entity-plan'
import type { EntityPlan, EntityRequest } from './entity-plan'
import { migrationName, migrationText } from './migration-stub'
import { ScaffoldError } from './scaffold-error'
import { sdlText } from './sdl-stub'

export type { EntityRequest } from './entity-plan'

/** A file as it is to be, not yet formatted. */
export interface ScaffoldFile {
  /** From the project's root. */
  path: string
  text: string
  /** Tells whether it must not be there yet. */
  isNew: boolean
}

const rolesFile = 'test/fixtures/fields-by-role.json'
const ownRecordFile = 'test/contract/own-record.test.ts'

/**
 * The files of a new entity, and those that get lines for it. Writes nothing.
 * @param root the project
 * @throws ScaffoldError that says what to do instead
 */
export function scaffoldEntity(root: string, request: EntityRequest, now = new Date()): ScaffoldFile[] {
  const plan = planEntity(root, request)
  const { subgraph, name } = plan
  const migrations = join(root, 'migrations')
  const history = readdirSync(migrations).filter((file) => /^\d.*\.ts$/.test(file))
  const present = history.find((file) => file.endsWith(`-${migrationName(plan)}.ts`))
  if (present) throw new ScaffoldError(`migrations/${present} exists. Nothing is overwritten.`)
  const texts = history.map((file) => readFileSync(join(migrations, file), 'utf8'))
  const isNew = (scope: string) => !texts.some((text) => text.includes(`'${scope}': {`))
  const stamp = nextStamp(migrations, now)
  const made = (path: string, text: string): ScaffoldFile => ({ path, text, isNew: true })
  const changed = (path: string, change: (text: string) => string): ScaffoldFile => ({
    path,
    text: change(readFileSync(join(root, path), 'utf8')),
    isNew: false,
  })
  const files = [
    { ...made(sdlFile(plan), sdlText(plan)), isNew: plan.written === null },
    made(`subgraphs/${subgraph}/entities/${name}.ts`, entityText(plan)),
    made(`subgraphs/${subgraph}/resolvers/${name}.ts`, resolverText(plan)),
    made(`migrations/${stamp}-${migrationName(plan)}.ts`, migrationText(plan, stamp, isNew)),
    made(`test/${subgraph}/${kebab(name)}.test.ts`, testText(plan)),
    changed(`subgraphs/${subgraph}/index.ts`, (text) => withEntity(text, plan)),
    changed(rolesFile, (text) =>
      withRoles(text, plan, (scope) => (isNew(scope) ? 'ADMIN' : holdersOf(root, scope))),
    ),
    changed(ownRecordFile, (text) => withMutations(text, plan)),
  ]
  const taken = files.find((file) => file.isNew && existsSync(join(root, file.path)))
  if (taken) throw new ScaffoldError(`${taken.path} exists. Nothing is overwritten.`)
  return files
}

/** Says what only a person knows of an entity, a sentence each; asked before its files are written. */
export function leftToSay(root: string, request: EntityRequest): string[] {
  const plan = planEntity(root, request)
  const { subgraph, name, many, skipped, table } = plan
  const resolvers = `subgraphs/${subgraph}/resolvers/${name}.ts`
  return [
    `what descriptions say (${sdlFile(plan)}), and how ${many} are ordered (${resolvers})`,
    `which roles hold a new scope (the migration and ${rolesFile})`,
    `whether a mutation may be about its caller (${ownRecordFile})`,
    ...skipped.map(
      (field) =>
        `${name}.${field} has arguments or a rule of its own: its column in entity and migration, its resolver, its input, and who may in ${rolesFile}`,
    ),
    ...namesOf(plan).map(
      (field) =>
        `how ${name}.${field.name} is made unique (test/contract/names.test.ts, a line '${subgraph}.${table}.${snake(field.name)}'): by 'spelling' as written, or by 'look' where it names somebody's rights`,
    ),
  ]
}

/** Writes files that {@link scaffoldEntity} made; a new one that came meanwhile is an error, and is kept. */
export function writeScaffold(root: string, files: readonly ScaffoldFile[]): void {
  for (const { path, text, isNew } of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text, { flag: isNew ? 'wx' : 'w' })
  }
}

/** The subgraph's index.ts with two imports and two places in its lists. */
function withEntity(text: string, { subgraph, name, one }: EntityPlan): string {
  const file = `subgraphs/${subgraph}/index.ts`
  const imported = insertedImport(insertedImport(text, 'entities', name, name), 'resolvers', name, one)
  return [
    ['entities', name],
    ['resolvers', one],
  ].reduce((result, [list, entry]) => {
    const next = result.replace(new RegExp(`\\b${list}: \\[([^\\]]*?),?\\s*\\]`), `${list}: [$1, ${entry}]`)
    if (next === result) throw new ScaffoldError(`${file} has no list "${list}: […]" to add ${entry} to.`)
    return next
  }, imported)
}

/** The import after those of the same folder that come before it by name. */
function insertedImport(text: string, folder: string, file: string, symbol: string): string {
  const line = `import { ${symbol} } from './${folder}/${file}'`
  const lines = text.split('\n')
  const last = lines.findLastIndex(
    (one) =>
      one.startsWith('import ') &&
      one.includes(`'./${folder}/`) &&
      one.split(' from ')[1]! < line.split(' from ')[1]!,
  )
  const place = last >= 0 ? last : lines.findLastIndex((one) => one.startsWith('import '))
  return lines.toSpliced(place + 1, 0, line).join('\n')
}

/** The table of who may read what, with the entity among the types and its root fields behind those there are. */
function withRoles(text: string, plan: EntityPlan, holders: (scope: string) => string): string {
  const { name, one, many, scopes } = plan
  const [readers, writers] = [holders(scopes.read), holders(scopes.write)]
  const entries = Object.entries(JSON.parse(text) as Record<string, string>)
  const isRoot = (key: string) => /^(Query|Mutation)\./.test(key)
  const put = (before: (key: string) => boolean, keys: readonly string[], who: string) => {
    const place = entries.findIndex(([key]) => before(key))
    entries.splice(place < 0 ? entries.length : place, 0, ...keys.map((key): [string, string] => [key, who]))
  }
  put((key) => isRoot(key) || key.split('.')[0]! > name, [`${name}.*`], readers)
  put((key) => key.startsWith('Mutation.'), [`Query.${one}`, `Query.${many}`], readers)
  put(
    () => false,
    mutationsOf(plan).map((mutation) => `Mutation.${mutation}`),
    writers,
  )
  return JSON.stringify(Object.fromEntries(entries), null, 2)
}

/** Names who holds a scope that is in use: what the table says of a root field that asks for it alone. */
function holdersOf(root: string, scope: string): string {
  const table = JSON.parse(readFileSync(join(root, rolesFile), 'utf8')) as Record<string, string>
  for (const subgraph of subgraphNames)
    for (const node of readSchema(root, subgraph).definitions) {
      if (node.kind !== Kind.OBJECT_TYPE_DEFINITION && node.kind !== Kind.OBJECT_TYPE_EXTENSION) continue
      const asking = node.fields?.find((field) => scopeOf(field.directives) === scope)
      const who = asking && table[`${node.name.value}.${asking.name.value}`]
      if (who) return who
    }
  throw new ScaffoldError(
    `No root field asks for ${scope} alone, so who holds it is not known: choose another --scope.`,
  )
}

/** The table of mutations that may be about their caller: an entity that names people is left for a decision. */
function withMutations(text: string, plan: EntityPlan): string {
  const people = ownFields(plan).some(({ type }) => type === 'User' || type === 'Employee')
  const [table, reason] = people
    ? ['later', 'it names people: whether it may be about its caller is to be decided']
    : ['mayBeOwn', 'is about nobody']
  const names = mutationsOf(plan)
  const next = text.replace(
    new RegExp(`(const ${table}: [^{]*?= \\{\\n)`),
    (start) => `${start}  ${names.length > 1 ? `'${names.join(' ')}'` : names[0]}: '${reason}',\n`,
  )
  if (next === text)
    throw new ScaffoldError(`${ownRecordFile} has no table ${table} to name the mutations in.`)
  return next
}
