import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../kernel/process/config'

/** What a source declares of a column. */
export interface Declared {
  notNull?: true
  unique?: true
  /** Of VARCHAR(n) and CHAR(n). */
  maxLength?: number
  /** The entity of the same source that it refers to. */
  references?: string
  check?: string
  /** All values that it can have. */
  values?: string[]
}

export interface SourceColumn extends Declared {
  name: string
  /** The field of the graph; null when the sources' columns that are secrets, tenants or the link itself have none. */
  field: string | null
  /** Why there is no field. */
  reason: string | null
}

export interface SourceEntity {
  /** document.entity */
  name: string
  document: string
  subgraph: string
  type: string
  columns: readonly SourceColumn[]
  /** Sets of columns that are unique together. */
  unique: readonly string[][]
  indexes: readonly { columns: string[]; method?: string; expression?: string }[]
}

interface Coverage {
  entities: Record<string, { type: string; fields: Record<string, string> }>
}
type Declarations = Record<
  string,
  {
    columns: Record<string, Declared>
    unique?: string[][]
    indexes?: { columns: string[]; method?: string; expression?: string }[]
  }
>

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(join(projectRoot, 'test', 'fixtures', name), 'utf8')) as T

/**
 * The entities of the sources that the product is made from, as far as their types are built. `test/fixtures/coverage.json`
 * says where each of their columns lives in the graph, `declared.json` what they declare of it, `decisions.ts` where we do
 * otherwise.
 *
 * @param types that the graph has
 */
export function sourceEntities(types: { has(type: string): boolean }): SourceEntity[] {
  const declared = read<Declarations>('declared.json')
  return Object.entries(read<Coverage>('coverage.json').entities).flatMap(
    ([name, { type: full, fields }]) => {
      const [subgraph, type] = full.split('.') as [string, string]
      if (!types.has(type)) return []
      const { columns = {}, unique = [], indexes = [] } = declared[name] ?? {}
      const document = name.slice(0, name.indexOf('.'))
      return {
        name,
        document,
        subgraph,
        type,
        columns: Object.entries(fields).map(([column, field]) => {
          const isField = !field.startsWith('(')
          return {
            ...columns[column],
            name: column,
            field: isField ? field : null,
            reason: isField ? null : field.slice(1, -1),
          }
        }),
        unique,
        indexes,
      }
    },
  )
}
