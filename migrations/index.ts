import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Migration } from './sql'

/** A baseline (0006-hr.ts) or what came later (202611281030-add-budgets.ts): number and name, without the ending. */
const fileName = /^((\d{4}(?:\d{8})?)-([a-z][a-z0-9]*(?:-[a-z0-9]+)*))\.[jt]s$/

const load = createRequire(__filename)

/**
 * The migrations in a folder by number, those of four digits (the baselines) first. Each file exports one, made by
 * `migration()` with the number and the name that its file has.
 * @throws for a file that holds something else
 */
export function readMigrations(folder: string): Migration[] {
  const files = readdirSync(folder).flatMap((file) => {
    const [, path, digits, name] = fileName.exec(file) ?? []
    return path ? [{ path, number: Number(digits), name: `${name}-${digits!.padStart(13, '0')}` }] : []
  })
  files.sort((a, b) => a.number - b.number || (a.name < b.name ? -1 : 1))
  return files.map(({ path, name }) => {
    const exported = Object.values(load(join(folder, path)) as Record<string, Migration>)
    const [made] = exported
    if (exported.length !== 1 || typeof made !== 'function' || new made().name !== name)
      throw new Error(
        `migrations/${path} must export one migration with the number and the name of the file: ${name}`,
      )
    return made
  })
}

/** Every migration, in the order it is applied. One that was released is never changed. */
export const migrations: readonly Migration[] = readMigrations(__dirname)
