import { ownFields, snake, type EntityPlan, type PlannedField } from './entity-plan'

/** One column of a new entity, in the terms of TypeORM, TypeScript and PostgreSQL. */
export interface PlannedColumn {
  property: string
  /** As in the table: `head_id` */
  column: string
  /** Holds what `@Column` is given. */
  options: string
  type: string
  sql: string
  required: boolean
  /** A condition that every row meets, and what a caller reads otherwise; null where the type alone says it. */
  check: { condition: string; message: string } | null
  /** Holds what an index holds of it for an order. */
  order: string
}

const types: Readonly<Record<string, { options: string; type: string; sql: string }>> = {
  String: { options: "type: 'varchar', length: 100", type: 'string', sql: 'varchar(100)' },
  EmailAddress: { options: "type: 'varchar', length: 255", type: 'string', sql: 'varchar(255)' },
  Int: { options: "type: 'int'", type: 'number', sql: 'int' },
  Float: { options: "type: 'double precision'", type: 'number', sql: 'double precision' },
  Decimal: { options: "type: 'numeric'", type: 'string', sql: 'numeric' },
  Boolean: { options: "type: 'boolean'", type: 'boolean', sql: 'boolean' },
  Date: { options: "type: 'date'", type: 'string', sql: 'date' },
  DateTime: { options: "type: 'timestamptz', precision: 3", type: 'string', sql: 'timestamptz(3)' },
  TimeZone: { options: "type: 'varchar', length: 64", type: 'string', sql: 'varchar(64)' },
  CurrencyCode: { options: "type: 'text'", type: 'string', sql: 'text' },
  Money: { options: "type: 'bigint'", type: 'string', sql: 'bigint' },
}

/** The columns of the fields that callers give, in their order; money has two. */
export const columnsOf = (plan: EntityPlan): PlannedColumn[] => ownFields(plan).flatMap(columnsOfField)

function columnsOfField(field: PlannedField): PlannedColumn[] {
  const { name, type, required, target, values } = field
  const column = snake(name)
  const plain = { property: name, column, required, check: null, order: `'${column}, id'` }
  if (target)
    return [
      {
        ...plain,
        property: `${name}Id`,
        column: `${column}_id`,
        options: "type: 'uuid'",
        type: 'string',
        sql: 'uuid',
      },
    ]
  if (values) {
    const listed = values.map((value) => `'${value}'`)
    const condition = `${column} IN (${listed.join(', ')})`
    const check = { condition, message: 'is none of its values' }
    return [{ ...plain, options: "type: 'text'", type: listed.join(' | '), sql: 'text', check }]
  }
  const own = { ...plain, ...types[type]! }
  const isCurrency = (of: string) => `${of} ~ '^[A-Z]{3}$'`
  if (type === 'CurrencyCode')
    return [{ ...own, check: { condition: isCurrency(column), message: 'must be a code of ISO 4217' } }]
  if (type === 'Money') {
    const currency = `${column}_currency`
    const condition = `(${column} IS NULL) = (${currency} IS NULL) AND ${isCurrency(currency)}`
    const check = { condition, message: 'must have an amount and a currency' }
    return [
      { ...own, check },
      { ...plain, ...types['CurrencyCode']!, property: `${name}Currency`, column: currency },
    ]
  }
  if (type !== 'String' && type !== 'EmailAddress') return [own]
  const check = required ? { condition: `${column} <> ''`, message: 'must not be empty' } : null
  return [{ ...own, check, order: `byLanguage('${column}')` }]
}
