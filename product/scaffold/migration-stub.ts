import { capital, plural, words } from '../../kernel/schema/derived-forms'
import { columnsOf } from './columns'
import { namesOf, ownFields, snake, type EntityPlan, type Verb } from './entity-plan'

/** `training-days`, the name of the migration. */
export const migrationName = (plan: EntityPlan): string => plan.table.replaceAll('_', '-')

const statements: Readonly<Record<Verb, string>> = { create: 'INSERT', update: 'UPDATE', delete: 'DELETE' }

/** `create, change and delete` */
function allowed(verbs: readonly Verb[]): string {
  const said = verbs.map((verb) => (verb === 'update' ? 'change' : verb))
  return said.length > 1 ? `${said.slice(0, -1).join(', ')} and ${said.at(-1)}` : said.join()
}

/**
 * `migrations/<time>-<table>.ts`
 * @param stamp the digits of the time that its file begins with
 * @param isNew whether a scope is in no catalogue yet
 */
export function migrationText(plan: EntityPlan, stamp: string, isNew: (scope: string) => boolean): string {
  const { subgraph, table, name, many, scopes, verbs } = plan
  const columns = columnsOf(plan)
  const checks = columns.flatMap(({ column, check }) => (check ? [{ column, ...check }] : []))
  const names = namesOf(plan).map(({ name: field }) => snake(field))
  const references = ownFields(plan).flatMap(({ name: field, target }) => {
    const column = columns.find(({ property }) => property === `${field}Id`)?.column
    return target && column ? [`${column}: { table: '${target.table}' }`] : []
  })
  const orders = plan.fields
    .filter(({ marks }) => marks.includes('order'))
    .map(
      (field) =>
        columns.find(({ property }) => property === field.name)?.order ??
        `'${words(field.name).replaceAll(' ', '_')}, id'`,
    )
  const indexes = [...new Set([...orders, "'created_at, id'"])]
  const nouns = plural(words(name))
  const catalogue = [
    [scopes.read, `Read ${nouns}`],
    [scopes.write, `${capital(allowed(verbs))} ${nouns}`],
  ].filter(([scope]) => isNew(scope!))
  const quoted = (text: string) => (text.includes("'") ? `"${text}"` : `'${text}'`)
  const uses = [
    'migration',
    'tenantTable',
    ...(indexes.some((one) => one.startsWith('byLanguage')) ? ['byLanguage'] : []),
  ]
  return `${checks.length > 0 ? "import { constraintMessages } from './constraint-messages'\n" : ''}${catalogue.length > 0 ? "import { permissions } from './permissions'\n" : ''}import { ${uses.sort().join(', ')} } from './sql'

/** ${capital(nouns)} of a tenant. */
export const ${many} = migration(${stamp}, '${migrationName(plan)}', [
  tenantTable({
    schema: '${subgraph}',
    table: '${table}',
    columns: { ${columns.map(({ column, sql, required }) => `${column}: '${sql}${required ? ' NOT NULL' : ''}'`).join(', ')} },
    ${
      names.length > 0
        ? `unique: [${names.map((one) => `['${one}']`).join(', ')}],
    names: { ${names.map((one) => `${one}: 'spelling'`).join(', ')} },`
        : ''
    }
    ${checks.length > 0 ? `checks: { ${checks.map(({ column, condition }) => `${column}: ${quoted(condition)}`).join(', ')} },` : ''}
    ${references.length > 0 ? `references: { ${references.join(', ')} },` : ''}
    indexes: [${indexes.join(', ')}],
    grants: { app_${subgraph}: ['SELECT'${verbs.map((verb) => `, '${statements[verb]}'`).join('')}] },
  }),
  ${checks.length > 0 ? `constraintMessages('${subgraph}.${table}', { ${checks.map(({ column, message }) => `${table}_${column}_check: '${message}'`).join(', ')} }),` : ''}
  ${catalogue.length > 0 ? `permissions({ ${catalogue.map(([scope, allows]) => `'${scope}': { allows: '${allows}' }`).join(', ')} }),` : ''}
])
`
}
