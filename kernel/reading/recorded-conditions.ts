import type { SubgraphContext } from '../context'
import type { EntityModel } from '../schema/entity-model'
import { sensitiveClasses } from '../sensitive/classes'
import { noteCondition, noteOf } from '../sensitive/recorded-reads'
import type { CursorOrder, Position } from './cursor'
import type { Filter } from './filter'

type Row = Readonly<Record<string, unknown>>

/** Entity → property → the fields of recorded classes that its value is part of. */
const recorded = new WeakMap<EntityModel, ReadonlyMap<string, readonly string[]>>()

function recordedFields(model: EntityModel): ReadonlyMap<string, readonly string[]> {
  const known = recorded.get(model)
  if (known) return known
  const found = new Map<string, string[]>()
  for (const [field, name] of model.sensitive) {
    if (sensitiveClasses[name].reads === 'unrecorded') continue
    // Row rules read along whose the row is.
    for (const property of model.fields.get(field) ?? [])
      if (property !== 'id' && property !== 'userId')
        found.set(property, [...(found.get(property) ?? []), field])
  }
  recorded.set(model, found)
  return found
}

/**
 * Notes a filter over recorded fields as a read of them: which rows it finds, or that it finds none, tells their values.
 * @param rows what the viewer is shown of the rows that it found; none where they are only counted
 */
export function noteConditions(
  context: SubgraphContext,
  model: EntityModel,
  filter: Filter | null,
  rows: readonly unknown[],
): void {
  if (!filter || recordedFields(model).size === 0) return
  noteProperties(context, model, propertiesOf(model, filter, new Set()), rows)
}

/**
 * Notes the conditions of a page: its filter, and the cursor that it begins behind. Whoever writes a cursor by hand asks which
 * rows lie beyond a value.
 */
export function notePage(
  context: SubgraphContext,
  page: { model: EntityModel; filter: Filter | null; position: Position | null; order: CursorOrder },
  rows: readonly unknown[],
): void {
  const { model, filter, position, order } = page
  noteConditions(context, model, filter, rows)
  if (!position) return
  const properties = order.keys.map(({ column }) => column.property)
  noteProperties(context, model, properties, rows)
}

/** Notes that rows were chosen by these properties, where they are of recorded fields. */
export function noteProperties(
  context: SubgraphContext,
  model: EntityModel,
  properties: Iterable<string>,
  rows: readonly unknown[],
): void {
  const fields = new Set([...properties].flatMap((property) => recordedFields(model).get(property) ?? []))
  for (const field of fields)
    noteCondition(context, model.name, field, model.sensitive.get(field)!, rows as readonly Row[])
}

function propertiesOf(model: EntityModel, filter: Filter, found: Set<string>): Set<string> {
  for (const [name, value] of Object.entries(filter)) {
    if (value === undefined || value === null) continue
    if (name === 'and' || name === 'or')
      for (const inner of value as readonly Filter[]) propertiesOf(model, inner, found)
    else if (name === 'not') propertiesOf(model, value as Filter, found)
    else if (name === 'search') for (const property of model.searched) found.add(property)
    else found.add(name)
  }
  return found
}

/**
 * Returns what notes the read of a cursor, which holds the values that rows are ordered by; undefined where none of them
 * is recorded.
 */
export function cursorNote(
  context: SubgraphContext,
  model: EntityModel,
  { keys }: CursorOrder,
): ((row: Row) => void) | undefined {
  const known = recordedFields(model)
  if (known.size === 0) return undefined
  const notes = keys.flatMap(({ column: { property } }) =>
    (known.get(property) ?? []).map(
      (field) => [property, noteOf(model.name, field, model.sensitive.get(field)!)] as const,
    ),
  )
  if (notes.length === 0) return undefined
  return (row) => {
    for (const [property, note] of notes)
      if (row[property] !== null && row[property] !== undefined) note(context, row)
  }
}
