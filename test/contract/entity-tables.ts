import { getMetadataArgsStorage } from 'typeorm'
import type { Table } from '../../database/rows'
import { typeOfId } from '../../isolation/surface'
import { subgraphs } from '../../subgraphs'

/** The names of all entities. */
export const entityNames: ReadonlyMap<string, string> = new Map(
  subgraphs.flatMap(({ entities }) => entities).map(({ name }) => [name, name] as const),
)

/** The table of an entity, as its class declares it: names of tables are never guessed from names of types. */
export function tableOf(typeName: string): string | undefined {
  const entity = subgraphs.flatMap(({ entities }) => entities).find(({ name }) => name === typeName)
  const declared = getMetadataArgsStorage().tables.find(({ target }) => target === entity)
  return declared && `${declared.schema}.${declared.name}`
}

/**
 * The entity whose ids an input takes: the one that it is named after, or that its column refers to.
 * @param input `id`, `departmentId`, `headId`
 * @param about the entity that the mutation is about
 */
export function entityOfId(tables: readonly Table[], input: string, about: string): string | undefined {
  const named = input === 'id' ? about : typeOfId(input, entityNames)
  if (named) return named
  const column = input.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  const table = tables.find(({ name }) => name === tableOf(about))
  const parent = table?.references.find(({ columns }) => columns.includes(column))?.parent
  return [...entityNames.keys()].find((name) => parent && tableOf(name) === parent)
}
