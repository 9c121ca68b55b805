import { folded } from '../reading/folded'
import type { SearchGroups } from './search-query'

/**
 * Holds what PostgreSQL puts around a match: characters of Unicode's private use area, which texts do not contain by
 * themselves. Markup would not be distinguishable from markup in the text.
 */
export const matchStart = '\uE000'
export const matchStop = '\uE001'

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  [matchStart]: '<mark>',
  [matchStop]: '</mark>',
}

/** A fragment as HTML: its own characters escaped, so that nothing of it runs in a page, and its matches in `<mark>`. */
export function highlighted(fragment: string): string {
  return fragment.replace(/[&<>"'\uE000\uE001]/g, (character) => entities[character]!)
}

const headlineOptions = `StartSel=${matchStart}, StopSel=${matchStop}, MaxFragments=2, MaxWords=25, MinWords=8`

/**
 * SQL of the passages of a text that match, by the forms of its language, with marks around the matches.
 * @param text SQL of the text
 * @param language SQL of its language
 * @param groups a placeholder of the JSON of what is looked for
 */
export function headlineSql(text: string, language: string, groups: string): string {
  const own = `translate(coalesce(${text}, ''), '${matchStart}${matchStop}', '')`
  return `ts_headline(shared.search_config(${language}), ${own}, shared.search_query(${groups}::jsonb), '${headlineOptions}')`
}

/** Characters that a passage shows on each side of a match. */
const around = 80

/**
 * The passages of a text that match, as HTML. Where the forms of the language find nothing, because an accent was left out
 * or the script has no spaces, letters are compared without case and accents.
 * @param headline what {@link headlineSql} selected: the passages, or the beginning of the text when nothing matches
 * @param text the whole text
 */
export function passages(headline: string, text: string, groups: SearchGroups): string {
  if (headline.includes(matchStart)) return highlighted(headline)
  const wanted = groups
    .flat()
    .filter(({ not }) => !not)
    .map((term) => folded('word' in term ? term.word : 'phrase' in term ? term.phrase : term.letters))
  const found = firstMatch([...text], wanted)
  if (!found) return highlighted(headline)
  const letters = [...text]
  const before = letters.slice(Math.max(0, found.start - around), found.start).join('')
  const after = letters.slice(found.stop, found.stop + around).join('')
  const match = letters.slice(found.start, found.stop).join('')
  return highlighted(`${before}${matchStart}${match}${matchStop}${after}`)
}

/** The place at which one of the folded texts first stands; folding may make several letters of one, so places are kept. */
function firstMatch(
  letters: readonly string[],
  wanted: readonly string[],
): { start: number; stop: number } | null {
  let plain = ''
  const places: number[] = []
  for (const [place, letter] of letters.entries())
    for (const one of folded(letter)) {
      plain += one
      for (let unit = 0; unit < one.length; unit++) places.push(place)
    }
  for (const text of wanted) {
    const at = text === '' ? -1 : plain.indexOf(text)
    if (at >= 0) return { start: places[at]!, stop: places[at + text.length - 1]! + 1 }
  }
  return null
}
