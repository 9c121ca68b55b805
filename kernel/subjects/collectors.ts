import { shownBy, type ColumnModel, type EntityModel } from '../schema/entity-model'
import { subjectTypes, type KeptRows, type PersonalDeclarations, type SubjectType } from './personal-rows'

/** The way in which the rows of one type are found that are about a person, given and emptied: derived from fields and references. */
export interface Collector {
  model: EntityModel
  /** Type of a person → SQL over alias `t` (`$1` the tenant, `$2` the person) of the rows about one. */
  about: ReadonlyMap<SubjectType, string>
  /** Type → SQL over alias `t` of the id of what a row is about: who holds that holds the row. */
  holders: Readonly<Record<string, string>>
  /** SQL of the rows that the person is given, and their properties; null when none are. */
  given: { condition: string; properties: readonly string[] } | null
  /** The columns to empty; none where nothing of a row is personal. */
  emptied: readonly ColumnModel[]
  kept: KeptRows | null
  before: readonly string[]
  empty: string | null
}

type Models = ReadonlyMap<string, EntityModel>

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

/** Type → SQL of the id of what a row is about, near and far. */
function holdersOf(model: EntityModel, models: Models, alias: string): Record<string, string> {
  const holders: Record<string, string> = {}
  for (const [, { type, key }] of aboutOf(model)) {
    const inner = `${alias}_`
    const other = models.get(type)
    for (const [far, id] of Object.entries(other ? holdersOf(other, models, inner) : {}))
      holders[far] ??=
        `(SELECT ${id} FROM ${other!.table} ${inner} WHERE ${inner}.tenant_id = $1 AND ${inner}.id = ${alias}.${key.sql})`
    holders[type] = `${alias}.${key.sql}`
  }
  return holders
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

function collectorOf(model: EntityModel, models: Models, declared: PersonalDeclarations): Collector | null {
  const about = new Map<SubjectType, string>()
  for (const subject of subjectTypes) {
    const sql = aboutSql(model, subject, models, declared, 't')
    if (sql) about.set(subject, sql)
  }
  if (about.size === 0) return null
  const { withheld = [], hidden = [], given = 'true', before = [], empty = null } = declared[model.name] ?? {}
  const personal = [...model.sensitive.keys()].flatMap((field) =>
    shownBy(model, field, model.fields.get(field) ?? []),
  )
  const indexes = [...model.encrypted.values()].flatMap(({ property, index }) =>
    personal.includes(property) && index ? [index.property] : [],
  )
  const emptied = [...new Set([...personal, ...indexes, ...hidden])].map((name) => model.columns.get(name)!)
  const kept = new Set([...withheld].flatMap((field) => model.fields.get(field) ?? [field]))
  const properties = [...model.values].filter((property) => !kept.has(property))
  return {
    model,
    about,
    holders: holdersOf(model, models, 't'),
    given: given === 'false' ? null : { condition: given, properties },
    emptied: emptied.filter(({ isMade }) => !isMade),
    kept: keptOf(model, models, declared),
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
): readonly Collector[] {
  const models = new Map([...entities.values()].map((model) => [model.name, model]))
  const collectors = [...models.values()].flatMap((model) => collectorOf(model, models, declared) ?? [])
  const known = new Set(collectors.map(({ model }) => model.name))
  const astray = Object.keys(declared).filter((type) => !known.has(type))
  if (astray.length > 0) throw new Error(`No row leads to a person: ${astray.join(', ')}`)
  return collectors
}
