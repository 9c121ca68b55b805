import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { scoreOf } from '../rules/names'
import type { ScreeningHit, ScreeningProvider } from './provider'

/** From this score on somebody is a potential match: low enough for another spelling, high enough for other people. */
export const leastScore = 85

interface Entry {
  id: string
  names: string[]
  birthDates: string[]
  digest: string
}
interface List {
  name: string
  version: string
  entries: Entry[]
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== ''
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** @throws Error for a list that is not whole: a screening with half of it would clear people */
function readList(text: string, file: string): List {
  const value: unknown = JSON.parse(text)
  const fault = (what: string) => new Error(`The list ${file} ${what}`)
  if (!isObject(value) || !isText(value['name']) || !isText(value['version']))
    throw fault('needs a name and a version')
  const given = value['entries']
  if (!Array.isArray(given) || given.length === 0) throw fault('has no entries')
  const entries = given.map((entry: unknown, place): Entry => {
    const { id, names, birthDates = [] } = isObject(entry) ? entry : {}
    if (!isText(id) || !Array.isArray(names) || names.length === 0 || !names.every(isText))
      throw fault(`has an entry without id or names at place ${place + 1}`)
    if (!Array.isArray(birthDates) || !birthDates.every((date) => isText(date) && /^\d{4}/.test(date)))
      throw fault(`has a day of birth without a year at place ${place + 1}`)
    const digest = createHash('sha256')
      .update(JSON.stringify([id, names, birthDates]))
      .digest('base64url')
    return { id, names, birthDates: birthDates as string[], digest }
  })
  return { name: value['name'], version: `${value['name']} ${value['version']}`.slice(0, 100), entries }
}

/**
 * Screens with a list in a file: JSON with `name`, `version` and `entries` of `id`, `names` and `birthDates`. The file is read
 * anew when it was changed; one that is missing or not whole is an error.
 * @param file absolute
 */
export function fileList(file: string): ScreeningProvider {
  let known: { stamp: string; list: List } | undefined
  async function list(signal: AbortSignal): Promise<List> {
    const { mtimeMs, size } = await stat(file)
    const stamp = `${mtimeMs} ${size}`
    if (known?.stamp !== stamp) {
      const text = await readFile(file, { encoding: 'utf8', signal })
      known = { stamp, list: readList(text, file) }
    }
    return known.list
  }
  return {
    listVersion: async (signal) => (await list(signal)).version,
    async screen(subject, signal) {
      const { name, version, entries } = await list(signal)
      const hits = entries.flatMap((entry): ScreeningHit[] => {
        const score = scoreOf(subject, entry)
        if (score < leastScore) return []
        return [
          {
            listName: name,
            entryId: entry.id,
            listedName: entry.names[0]!,
            score,
            entryDigest: entry.digest,
          },
        ]
      })
      return { listVersion: version, hits: hits.sort((a, b) => b.score - a.score) }
    },
  }
}
