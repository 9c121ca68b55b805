import type { ColumnModel, EntityModel } from '../schema/entity-model'
import { badUserInput } from '../errors'

/** One value of an order, as it arrives from the graph. */
export interface OrderInput {
  field: string
  direction?: 'ASC' | 'DESC' | null
}

/** An order that the code chooses. */
export interface OrderChoice {
  property: string
  direction: 'ASC' | 'DESC'
}

/** A value that rows are ordered by. */
export interface OrderKey {
  column: ColumnModel
  descending: boolean
}

/**
 * Describes what a list is ordered by: one to three values, then the id. Rows without a value come last in either
 * direction.
 */
export interface Order {
  /** The same for equal orders; part of every cursor. */
  name: string
  keys: readonly OrderKey[]
}

/** Says how many values one list is ordered by at most. */
export const longestOrder = 3

/**
 * The order that the client asked for, or else the given one. Throws BAD_USER_INPUT for more than {@link longestOrder}
 * values, and for a value that is given twice.
 */
export function readOrder(
  model: EntityModel,
  orderBy: readonly OrderInput[] | null | undefined,
  fallback: OrderChoice = { property: 'createdAt', direction: 'DESC' },
): Order {
  const asked =
    orderBy && orderBy.length > 0
      ? orderBy.map(({ field, direction }) => ({
          property: propertyOfOrder(field),
          direction: direction ?? 'ASC',
        }))
      : [fallback]
  if (asked.length > longestOrder)
    throw badUserInput(`orderBy: give at most ${longestOrder} values, not ${asked.length}`)
  const keys = asked.map(({ property, direction }, place) => {
    const column = model.columns.get(property)
    if (!column) throw new Error(`order ${property} is no column of ${model.name}`)
    if (asked.findIndex((other) => other.property === property) < place)
      throw badUserInput(
        `orderBy: ${orderBy![place]!.field} is given twice; the first decides, leave out the other`,
      )
    return { column, descending: direction === 'DESC' }
  })
  return { name: asked.map(({ property, direction }) => `${property} ${direction}`).join(', '), keys }
}

/** The property that an order's enum value names: `HIRE_DATE` is `hireDate`. */
export function propertyOfOrder(value: string): string {
  return value.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}
