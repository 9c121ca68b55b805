import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  Kind,
  parse,
  parseType,
  Source,
  valueFromASTUntyped,
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  type TypeNode,
} from 'graphql'
import { markings, plural, words } from '../../kernel/schema/derived-forms'
import { isMarking, namedTypeOf } from '../../kernel/schema/markings'
import { subgraphNames, type SubgraphName } from '../../kernel/schema/subgraph-names'
import { globalTables } from '../../migrations/sql'
import { ScaffoldError } from './scaffold-error'

/** The answers on the command line. */
export interface EntityRequest {
  subgraph: string
  name: string
  /** `name:String! day:Date!@filter@order head:User`; not with a type in `schema/`. */
  fields?: string
  /** `hr:training`, for `hr:training:read` and `hr:training:write`. */
  scope?: string
  /** `create,update`, which is the default; or `create`, and `delete` beside them. */
  verbs?: string
}

/** The entity of a subgraph that a field refers to. */
export interface Target {
  subgraph: string
  /** With its schema: `hr.departments` */
  table: string
}

export interface PlannedField {
  name: string
  type: string
  /** Tells whether a row must have it. A reference is nullable in the graph all the same. */
  required: boolean
  marks: readonly string[]
  /** As written in the SDL. */
  description?: string
  target?: Target
  /** The values of an enum. */
  values?: readonly string[]
}

export type Verb = 'create' | 'update' | 'delete'

/** Everything that the files of a new entity follow from. */
export interface EntityPlan {
  subgraph: SubgraphName
  name: string
  /** `trainingDay` and `trainingDays`, its fields of Query; and `training_days`, its table. */
  one: string
  many: string
  table: string
  fields: readonly PlannedField[]
  scopes: { read: string; write: string }
  verbs: readonly Verb[]
  /** Fields with arguments or rules of their own, which are left to be written by hand. */
  skipped: readonly string[]
  /** The text of `schema/<subgraph>/<name>.graphql`, when somebody wrote the type. */
  written: string | null
  /** Names of types that the subgraph's SDL has, its own or as references. */
  known: ReadonlySet<string>
}

const scalars = ['String', 'EmailAddress', 'Int', 'Float', 'Decimal', 'Boolean', 'Date', 'DateTime'] as const
const values: readonly string[] = [...scalars, 'CurrencyCode', 'TimeZone', 'Money']
const reserved =
  /^(all|and|any|array|as|asc|both|case|cast|check|collate|column|constraint|default|desc|distinct|do|else|end|except|false|fetch|for|foreign|from|grant|group|having|in|into|limit|not|null|offset|on|only|or|order|primary|references|select|some|table|then|to|true|union|unique|user|using|when|where|window|with)$/
/** Fields that every entity has, with columns that come by themselves. */
const standard = ['id', 'version', 'createdAt', 'updatedAt']
const camel = (text: string): string => text.replace(/ (.)/g, (_, letter: string) => letter.toUpperCase())
export const snake = (name: string): string => words(name).replaceAll(' ', '_')
export const kebab = (name: string): string => words(name).replaceAll(' ', '-')
export const sdlFile = (plan: Pick<EntityPlan, 'subgraph' | 'name'>): string =>
  `schema/${plan.subgraph}/${kebab(plan.name)}.graphql`

/**
 * Reads the answers, and the type where `schema/` has it.
 * @param root the project
 * @throws ScaffoldError for what cannot be made, before anything is written
 */
export function planEntity(root: string, request: EntityRequest): EntityPlan {
  const { name, fields: answers } = request
  const subgraph = subgraphNames.find((one) => one === request.subgraph)
  if (!subgraph)
    throw new ScaffoldError(`No such subgraph: ${request.subgraph}. There are ${subgraphNames.join(', ')}.`)
  if (!/^([A-Z][a-z0-9]+)+$/.test(name) || /(Connection|Edge|Payload|Input|Filter)$/.test(name))
    throw new ScaffoldError(
      `A type is named in PascalCase after what a row is, like TrainingDay; not "${name}".`,
    )
  const file = sdlFile({ subgraph, name })
  const written = existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : null
  const document = readSchema(root, subgraph)
  requireFree(root, name, file)
  const type = document.definitions.find(
    (node) => node.kind === Kind.OBJECT_TYPE_DEFINITION && node.name.value === name,
  )
  const known = new Set(
    document.definitions.flatMap((node) => ('name' in node && node.name ? [node.name.value] : [])),
  )
  const types = { root, subgraph, document }
  const verbs = (request.verbs ?? 'create,update').split(',') as Verb[]
  if (!verbs.includes('create') || verbs.some((verb) => !['create', 'update', 'delete'].includes(verb)))
    throw new ScaffoldError('--verbs is create, with update and delete or without: write others afterwards.')
  const many = camel(plural(words(name)))
  const plan = { subgraph, name, one: camel(words(name)), many, table: snake(many), known }
  const scopes = (base: string) => ({ read: `${base}:read`, write: `${base}:write` })
  if (type?.kind === Kind.OBJECT_TYPE_DEFINITION) {
    if (answers !== undefined)
      throw new ScaffoldError(`${file} has the fields of ${name}: leave --fields out.`)
    const has = (wanted: string) => type.fields?.some((field) => field.name.value === wanted)
    const missing = ['id', ...(verbs.includes('update') ? ['version'] : [])].filter((wanted) => !has(wanted))
    if (!type.directives?.some((one) => one.name.value === 'key') || missing.length > 0)
      throw new ScaffoldError(
        `${file}: ${name} needs @key(fields: "id") and the fields id and, to be updated, version.`,
      )
    const read = scopeOf(type.directives)
    if (!read?.endsWith(':read'))
      throw new ScaffoldError(`${file}: ${name} needs @requiresScopes with one scope that ends in ":read".`)
    const others = (type.fields ?? []).filter((field) => field.name.value !== 'id')
    const isOwn = ({ arguments: args = [], directives = [] }: FieldDefinitionNode) =>
      args.length > 0 || directives.some((one) => !isMarking(one.name.value))
    const skipped = others.filter(isOwn).map((field) => field.name.value)
    const fields = others
      .filter((field) => !isOwn(field))
      .map(({ name: node, type: of, directives = [], description }) => {
        const marks = directives.map((one) => one.name.value)
        return planField(node.value, of, marks, types, description?.value)
      })
    const base = read.slice(0, -':read'.length)
    return { ...plan, fields, skipped, scopes: scopes(base), verbs, written }
  }
  if (written !== null)
    throw new ScaffoldError(`${file} exists, and defines no type ${name}. Nothing is overwritten.`)
  if (known.has(name)) throw new ScaffoldError(`${subgraph} has the name ${name} already: choose another.`)
  if (!answers?.trim())
    throw new ScaffoldError(
      `Say --fields "name:String! day:Date!@order", or write the type ${name} in ${file}.`,
    )
  const scope = request.scope ?? `${subgraph}:${kebab(name)}`
  if (!/^[a-z]+:[a-z]+(-[a-z0-9]+)*$/.test(scope))
    throw new ScaffoldError(`--scope is a subgraph and what it is about, like hr:training; not "${scope}".`)
  const fields = answers
    .trim()
    .split(/\s+/)
    .map((answer) => readAnswer(answer, types))
  const twice = fields.find((field, place) => fields.findIndex((one) => one.name === field.name) < place)
  if (twice) throw new ScaffoldError(`--fields names ${twice.name} twice.`)
  const standing = [
    ['version', 'Int', []],
    ['createdAt', 'DateTime', ['order']],
    ['updatedAt', 'DateTime', []],
  ] as const
  const all = [
    ...fields,
    ...standing.map(([field, of, marks]) => ({ name: field, type: of, required: true, marks })),
  ]
  return { ...plan, fields: all, skipped: [], scopes: scopes(scope), verbs, written: null }
}

/** Its fields of Mutation: `createTrainingDay`, … */
export const mutationsOf = ({ verbs, name }: EntityPlan): string[] => verbs.map((verb) => `${verb}${name}`)

/** The fields of a plan that callers give: those without a column that comes by itself. */
export const ownFields = ({ fields }: EntityPlan): PlannedField[] =>
  fields.filter(({ name }) => !standard.includes(name))

/** Texts whose descriptions say that no two rows have the same: people know the thing by them. */
export const namesOf = (plan: EntityPlan): PlannedField[] =>
  ownFields(plan).filter(({ type, description = '' }) => type === 'String' && /\bunique\b/i.test(description))

interface Types {
  root: string
  subgraph: string
  document: DocumentNode
}

function readAnswer(answer: string, types: Types): PlannedField {
  const [, name, of, marks = ''] = /^([a-z][A-Za-z0-9]*):([A-Za-z0-9]+!?)((?:@[a-z]+)*)$/.exec(answer) ?? []
  if (!name || !of)
    throw new ScaffoldError(`A field is name:Type, name:Type! or name:Type!@filter@order; not "${answer}".`)
  if (standard.includes(name)) throw new ScaffoldError(`${name} comes by itself: leave it out of --fields.`)
  const marked = marks.split('@').slice(1)
  const wrong = marked.find((mark) => !isMarking(mark))
  if (wrong) throw new ScaffoldError(`${name}: there is no mark @${wrong}. There are ${markings.join(', ')}.`)
  return planField(name, parseType(of), marked, types)
}

function planField(
  name: string,
  node: TypeNode,
  marks: readonly string[],
  { root, subgraph, document }: Types,
  description?: string,
): PlannedField {
  const type = namedTypeOf(node)
  const required = node.kind === Kind.NON_NULL_TYPE
  const field = { name, type, required, marks, ...(description !== undefined && { description }) }
  const isList = (required ? node.type : node).kind === Kind.LIST_TYPE
  if (reserved.test(name) && !findEntity(root, type))
    throw new ScaffoldError(`${name} is a word of SQL, which no column is named by: choose another.`)
  if (values.includes(type) && !isList) return field
  const found = document.definitions.find(
    (one) => one.kind === Kind.ENUM_TYPE_DEFINITION && one.name.value === type,
  )
  if (found?.kind === Kind.ENUM_TYPE_DEFINITION && !isList)
    return { ...field, values: found.values?.map((value) => value.name.value) ?? [] }
  const target = isList ? undefined : findEntity(root, type)
  if (!target) {
    const wanted = [...values, `an enum of ${subgraph} or an entity`].join(', ')
    throw new ScaffoldError(`${name}: unknown type ${isList ? `[${type}]` : type}. A column holds ${wanted}.`)
  }
  if (globalTables.includes(target.table) || target.table === 'tenancy.tenants')
    throw new ScaffoldError(`${name}: ${type} belongs to no tenant: add this reference by hand.`)
  return { ...field, target }
}

/** The subgraph and the table of an entity; undefined when there is none of this name. */
function findEntity(root: string, type: string): Target | undefined {
  for (const subgraph of subgraphNames) {
    const file = join(root, 'subgraphs', subgraph, 'entities', `${type}.ts`)
    if (!existsSync(file)) continue
    const [, schema, table] =
      /@Entity\(\{ schema: '(\w+)', name: '(\w+)' \}\)/.exec(readFileSync(file, 'utf8')) ?? []
    if (schema) return { subgraph, table: `${schema}.${table}` }
  }
  return undefined
}

function requireFree(root: string, name: string, file: string): void {
  const owner = findEntity(root, name)
  if (owner)
    throw new ScaffoldError(`${name} is an entity of ${owner.subgraph} already: choose another name.`)
  for (const subgraph of subgraphNames) {
    const taken = readSchema(root, subgraph).definitions.find(
      (node) => 'name' in node && node.name?.value === name && node.loc?.source.name !== file,
    )
    if (taken)
      throw new ScaffoldError(`${taken.loc?.source.name} has the name ${name} already: choose another.`)
  }
}

/** Returns what a subgraph's files say, as written, each definition with its file. */
export function readSchema(root: string, subgraph: string): DocumentNode {
  const folder = join('schema', subgraph)
  const files = readdirSync(join(root, folder)).map((file) => join(folder, file))
  return {
    kind: Kind.DOCUMENT,
    definitions: ['schema/shared.graphql', ...files].flatMap(
      (file) => parse(new Source(readFileSync(join(root, file), 'utf8'), file)).definitions,
    ),
  }
}

/** The scope that directives ask for, when it is one alone. */
export function scopeOf(directives: readonly ConstDirectiveNode[] = []): string | null {
  const node = directives.find((one) => one.name.value === 'requiresScopes')?.arguments?.[0]?.value
  const groups = (node ? valueFromASTUntyped(node) : []) as string[][]
  return groups.length === 1 && groups[0]!.length === 1 ? groups[0]![0]! : null
}
