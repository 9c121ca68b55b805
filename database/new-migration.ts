import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const minute = 60_000

/**
 * Writes an empty migration `<yyyymmddhhmm>-<name>.ts`, by the time in UTC, or the minute after the latest there is.
 * @param folder the folder `migrations`
 * @param name lower case with hyphens
 * @returns the file's name
 * @throws when the name is not of that form
 */
export function writeMigration(folder: string, name: string, now = new Date()): string {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new Error(`A migration is named in lower case with hyphens, like add-budgets; not "${name}".`)
  const stamp = nextStamp(folder, now)
  const file = `${stamp}-${name}.ts`
  writeFileSync(join(folder, file), template(stamp, name), { flag: 'wx' })
  return file
}

/** The digits that the next migration's file begins with: the time in UTC, or the minute after the latest there is. */
export function nextStamp(folder: string, now: Date): string {
  const latest = readdirSync(folder).reduce((last, file) => Math.max(last, timeOf(file)), 0)
  return stampOf(Math.max(now.getTime(), latest + minute))
}

/** In milliseconds since 1970; 0 for a file that is not named after its time. */
function timeOf(file: string): number {
  const [, year, month, day, hours, minutes] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)-/.exec(file) ?? []
  return year ? Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:00Z`) || 0 : 0
}

const stampOf = (time: number): string => new Date(time).toISOString().slice(0, 16).replaceAll(/\D/g, '')

function template(stamp: string, name: string): string {
  const variable = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
  return `import { migration, sql } from './sql'

/** Holds what this changes, and why. */
export const ${variable} = migration(${stamp}, '${name}', [
  sql('-- what makes it', '-- what takes it away'),
])
`
}
