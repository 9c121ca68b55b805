import { shownBy, type ColumnModel, type EntityModel } from '../schema/entity-model'
import { heldSql, type RetainedRows } from '../retention/plan'
import { subjectTypes, type KeptRows, type PersonalDeclarations, type SubjectType } from './personal-rows'

/** The way in which the rows of one type are found that are about a person, given and emptied: derived from fields and references. */
export interface Collector {
  model: EntityModel
  /** Type of a person → SQL over alias `t` (`$1` the tenant, `$2` the person) of the rows about one. */
  about: ReadonlyMap<SubjectType, string>
  /** SQL over alias `t`: a hold of the row, of a part of it, or of what it is about, near and far. */
  held: string
  /** SQL of the rows that the person is given, and their properties; null when none are. `ported` are those to take along. */
  given: { condition: string; properties: readonly string[]; ported: readonly string[] } | null
  /** The columns to empty; none where nothing of a row is personal. */
  emptied: readonly ColumnModel[]
  kept: KeptRows | null
  /** SQL over alias `t`: nothing of the row is left to empty. */
  isEmpty: string
  before: readonly string[]
  empty: string | null
}

type Models = ReadonlyMap<string, EntityModel>
type Retained = readonly RetainedRows[]

/** A field named like its type, or like the end of its name, says what a row is about: `ticket: SupportTicket`. Others say who did what. */
const saysAbout = (field: string, type: string): boolean =>
  type.endsWith(field.charAt(0).toUpperCase() + field.slice(1))

/** The references that say what rows of a model are about. */
const aboutOf = (model: EntityModel) =>
  [...model.references].filter(([field, { type }]) => type !== model.name && saysAbout(field, type))

/** SQL that was written for alias `t`, for another one. */
const over = (alias: string, sql: string): string => sql.replaceAll(/\bt\./g, `${alias}.`)

/** SQL of the rows about a person, over an alias; the alternatives are in parentheses. Null when no reference leads to one. */
function aboutSql(
  model: EntityModel,
  subject: SubjectType,
  models: Models,
  declared: PersonalDeclarations,
  alias: string,
): string | null {
  const alternatives = model.name === subject ? [`${alias}.id = $2`] : []
  const own = declared[model.name]?.about?.[subject]
  if (own) alternatives.push(`(${over(alias, own)})`)
  for (const [, { type, key }] of aboutOf(model)) {
    if (type === subject) alternatives.push(`${alias}.${key.sql} = $2`)
    const other = models.get(type)
    const inner = `${alias}_`
    const of = other && aboutSql(other, subject, models, declared, inner)
    // Of the person's own row the column says it already.
    if (of && type !== subject)
      alternatives.push(
        `${alias}.${key.sql} IN (SELECT ${inner}.id FROM ${other.table} ${inner} WHERE ${inner}.tenant_id = $1 AND ${of})`,
      )
  }
  return alternatives.length > 0 ? `(${alternatives.join(' OR ')})` : null
}

/** SQL of what holds a row: as retention has it, and whatever holds what the row is about. A held ticket keeps its messages. */
function heldBy(model: EntityModel, models: Models, retained: Retained, alias: string): string {
  const rows = retained.find(({ resourceType }) => resourceType === model.name)
  const refers = aboutOf(model).map(([, { type, key }]) => [type, key.sql] as const)
  const near = Object.fromEntries(refers.map(([type, key]) => [type, `t.${key}`]))
  const about = { ...near, ...rows?.about }
  const own = over(alias, heldSql({ resourceType: model.name, about, parts: rows?.parts }))
  const inner = `${alias}_`
  const far = refers.flatMap(([type, key]) => {
    const other = models.get(type)
    if (!other) return []
    return `EXISTS (SELECT FROM ${other.table} ${inner} WHERE ${inner}.tenant_id = $1 AND ${inner}.id = ${alias}.${key}
      AND ${heldBy(other, models, retained, inner)})`
  })
  return `(${[own, ...far].join(' OR ')})`
}

/** Why rows stay: by their own declaration, or that of what they are about. */
function keptOf(
  model: EntityModel,
  models: Models,
  declared: PersonalDeclarations,
  alias = 't',
): KeptRows | null {
  const own = declared[model.name]?.kept
  if (own) return { ...own, startsAt: over(alias, own.startsAt) }
  for (const [, { type, key }] of aboutOf(model)) {
    const other = models.get(type)
    const inner = `${alias}_`
    const kept = other && keptOf(other, models, declared, inner)
    if (!kept) continue
    const startsAt = `(SELECT ${kept.startsAt} FROM ${other.table} ${inner} WHERE ${inner}.tenant_id = $1 AND ${inner}.id = ${alias}.${key.sql})`
    return { ...kept, startsAt }
  }
  return null
}

/** Properties that were made of what the person provided, by others: such a judgement is not taken along. */
const judgements = (model: EntityModel): readonly string[] =>
  [...model.sensitive].flatMap(([field, name]) =>
    name === 'ASSESSMENT' ? shownBy(model, field, model.fields.get(field) ?? []) : [],
  )

/** The value of a column once its row is emptied, over an alias. */
export function nothing({ type, nullable, text }: ColumnModel, alias = ''): string {
  if (nullable) return 'NULL'
  if (type === 'jsonb') return `'{}'::jsonb`
  if (type.endsWith('[]')) return `'{}'`
  if (/^(int|bigint|smallint|numeric|double|real)/.test(type)) return '0'
  return text === 'email' ? `${alias}id || '@erased.invalid'` : `'erased'`
}

/** The properties that are told of a tenant's rows when all of it is exported: what fields show as values, and ids of other rows. */
export function givenOfTenant({ columns, values, references }: EntityModel): string[] {
  const keys = new Set([...references.values()].map(({ key }) => key.property))
  return [...columns.keys()].filter((name) => name === 'id' || values.has(name) || keys.has(name))
}

function collectorOf(
  model: EntityModel,
  models: Models,
  declared: PersonalDeclarations,
  retained: Retained,
): Collector | null {
  const about = new Map<SubjectType, string>()
  for (const subject of subjectTypes) {
    const sql = aboutSql(model, subject, models, declared, 't')
    if (sql) about.set(subject, sql)
  }
  if (about.size === 0) return null
  const own = declared[model.name] ?? {}
  const { withheld = [], anonymous = [], hidden = [], given = 'true', before = [], empty = null } = own
  const personal = [...model.sensitive.keys()]
    .filter((field) => !anonymous.includes(field))
    .flatMap((field) => shownBy(model, field, model.fields.get(field) ?? []))
  const indexes = [...model.encrypted.values()].flatMap(({ property, index }) =>
    personal.includes(property) && index ? [index.property] : [],
  )
  const emptied = [...new Set([...personal, ...indexes, ...hidden])]
    .map((name) => model.columns.get(name)!)
    .filter(({ isMade }) => !isMade)
  const left = emptied.map((column) => `t.${column.sql} IS NOT DISTINCT FROM ${nothing(column, 't.')}`)
  const kept = new Set([...withheld].flatMap((field) => model.fields.get(field) ?? [field]))
  const properties = [...model.values].filter((property) => !kept.has(property))
  const judged = judgements(model)
  const ported = own.isPorted === false ? [] : properties.filter((property) => !judged.includes(property))
  return {
    model,
    about,
    held: heldBy(model, models, retained, 't'),
    given: given === 'false' ? null : { condition: given, properties, ported },
    emptied,
    kept: keptOf(model, models, declared),
    isEmpty: `(${[...left, ...(own.isEmpty ? [own.isEmpty] : [])].join(' AND ') || 'true'})`,
    before,
    empty,
  }
}

/**
 * The collectors of a subgraph: one for each type whose rows lead to a person.
 * @throws for a declaration of a type that leads to none, or that the subgraph does not have
 */
export function collectorsOf(
  entities: ReadonlyMap<unknown, EntityModel>,
  declared: PersonalDeclarations,
  retained: Retained,
): readonly Collector[] {
  const models = new Map([...entities.values()].map((model) => [model.name, model]))
  const collectors = [...models.values()].flatMap(
    (model) => collectorOf(model, models, declared, retained) ?? [],
  )
  const known = new Set(collectors.map(({ model }) => model.name))
  const astray = Object.keys(declared).filter((type) => !known.has(type))
  if (astray.length > 0) throw new Error(`No row leads to a person: ${astray.join(', ')}`)
  return collectors
}
