import { DefaultNamingStrategy } from 'typeorm'

/** The column of a property, as SQL spells it: `firstName` is `first_name`, `isoCode2` is `iso_code_2`. */
export const columnNameOf = (property: string): string =>
  property.replace(/[A-Z]|(?<=[a-z])[0-9]+/g, (part) => `_${part.toLowerCase()}`)

/** Names the columns of entities; a name that an entity gives itself is kept. */
export class SnakeCaseColumns extends DefaultNamingStrategy {
  override columnName(property: string, given: string | undefined): string {
    return given ?? columnNameOf(property)
  }
}
