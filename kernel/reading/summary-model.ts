import { isTime } from '../schema/summary-forms'
import { orderValue } from '../schema/derived-forms'
import type { ColumnModel, EntityModel } from '../schema/entity-model'
import type { SummaryMarks } from '../schema/markings'

/** A field that a summary groups by. */
export interface Dimension {
  field: string
  /** Its value in the enums of the schema. */
  value: string
  column: ColumnModel
  isTime: boolean
  /** The key is the id of a row. */
  isReference: boolean
  /** Its values single out no row: see `Marked`. */
  isFixed: boolean
}

/** A field that a summary adds up. */
export interface Measure {
  field: string
  value: string
  column: ColumnModel
  /** Holds the currency of an amount; null for a number. */
  currency: ColumnModel | null
  /** Says of how many rows something is told at least; 1 for what every row tells anyway. */
  minGroup: number
}

/** Describes what the summary of an entity is made of. */
export interface SummaryModel {
  dimensions: readonly Dimension[]
  measures: readonly Measure[]
}

const summaries = new WeakMap<EntityModel, SummaryModel>()

/** The summary of an entity. Throws when no field of its type is marked. */
export function summaryModelOf(model: EntityModel): SummaryModel {
  const summary = summaries.get(model)
  if (!summary) throw new Error(`${model.name} has no summary: mark fields @group or @measure`)
  return summary
}

/** Tells an entity what its summary is made of; returns the marks that no column answers. Call after `bindFields`. */
export function bindSummary(model: EntityModel, marks: SummaryMarks): string[] {
  const faults: string[] = []
  const columnOf = (field: string, mark: string): ColumnModel[] => {
    const money = model.money.get(field)
    const properties = model.fields.get(field) ?? []
    const only = properties.length === 1 ? model.columns.get(properties[0]!) : undefined
    const column = money?.amount ?? model.columns.get(field) ?? only
    if (column) return [column]
    faults.push(`${model.name}.${field}: @${mark} needs one column, or the two of an amount`)
    return []
  }
  const dimensions = marks.group.flatMap(({ field: { name }, typeName, isReference, isFixed }) =>
    columnOf(name.value, 'group').map((column): Dimension => {
      if (model.restricted.has(column.property))
        faults.push(`${model.name}.${name.value}: @group would reveal a restricted field`)
      const field = name.value
      return { field, value: orderValue(field), column, isTime: isTime(typeName), isReference, isFixed }
    }),
  )
  const measures = marks.measure.flatMap(({ field: { name }, minGroup = 1 }) =>
    columnOf(name.value, 'measure').map((column): Measure => {
      if (minGroup === 1 && model.restricted.has(column.property))
        faults.push(`${model.name}.${name.value}: @measure without minGroup would reveal a restricted field`)
      const currency = model.money.get(name.value)?.currency ?? null
      return { field: name.value, value: orderValue(name.value), column, currency, minGroup }
    }),
  )
  summaries.set(model, { dimensions, measures })
  return faults
}
