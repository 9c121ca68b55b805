import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Writes an empty migration NNNN-name.ts, numbered after the highest there is, and adds it to the list in index.ts.
 * @param folder the folder `migrations`
 * @param name lower case with hyphens
 * @returns the file's name
 * @throws when the name is not of that form or the file exists
 */
export function writeMigration(folder: string, name: string): string {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new Error(`A migration is named in lower case with hyphens, like add-budgets; not "${name}".`)
  const number =
    1 + Math.max(0, ...readdirSync(folder).map((known) => Number(/^\d{4}(?=-)/.exec(known)?.[0] ?? 0)))
  const file = `${String(number).padStart(4, '0')}-${name}`
  const variable = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
  writeFileSync(join(folder, `${file}.ts`), template(number, name, variable), { flag: 'wx' })
  const list = readFileSync(join(folder, 'index.ts'), 'utf8')
  const imported = list.replace(/((?:import .*\n)+)/, `$1import { ${variable} } from './${file}'\n`)
  const listed = imported.replace(/(export const migrations = \[[^\]]*?),?\s*\]/, `$1,\n  ${variable},\n]`)
  writeFileSync(join(folder, 'index.ts'), listed)
  return `${file}.ts`
}

function template(number: number, name: string, variable: string): string {
  return `import { migration, sql } from './sql'

/** What this changes, and why. */
export const ${variable} = migration(${number}, '${name}', [
  sql('-- what makes it', '-- what takes it away'),
])
`
}
