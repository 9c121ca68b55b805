import { badUserInput } from '../errors'

/** One thing that a text has, or has not: a word and its forms, words that follow one another, letters without spaces. */
export type SearchTerm = ({ word: string } | { phrase: string } | { letters: string }) & { not?: true }

/** Words as they were asked for: a text is found that has everything of one group. */
export type SearchGroups = readonly (readonly SearchTerm[])[]

const longestSearch = 200
const mostTerms = 20

/** Letters of scripts that put no spaces between words, and Hangul, whose words are joined with their endings. */
const unspaced =
  '\\u0e00-\\u0eff\\u1780-\\u17ff\\u3005\\u3040-\\u30ff\\u3400-\\u4dbf\\u4e00-\\u9fff\\uac00-\\ud7af'
const letterRuns = new RegExp(`[${unspaced}]+|[^${unspaced}]+`, 'gu')
const isUnspaced = new RegExp(`^[${unspaced}]`, 'u')
const saysSomething = /[\p{L}\p{N}]/u

/**
 * Reads what somebody looks for: words that must all be there, `"words in a row"`, `or` between alternatives, `-` before what must
 * not be there. The function `shared.search_query` makes PostgreSQL's query of it.
 * Throws BAD_USER_INPUT, with the reason, for a text that is empty or too long, and for one that selects nothing: an open
 * quotation mark, an alternative that says nothing, or only what must not be there.
 */
export function parseSearch(text: string, place = 'query'): SearchGroups {
  if (text.trim() === '' || [...text].length > longestSearch)
    throw badUserInput(`${place}: give 1 to ${longestSearch} characters`)
  if ((text.match(/"/g) ?? []).length % 2 > 0)
    throw badUserInput(`${place}: a quotation mark is open: close it, or leave it out`)
  const groups: SearchTerm[][] = [[]]
  for (const [, minus, phrase, word] of text.normalize('NFC').matchAll(/(-?)(?:"([^"]*)"|([^\s"]+))/gu)) {
    if (word?.toLowerCase() === 'or' && !minus) {
      groups.push([])
      continue
    }
    const not = minus ? ({ not: true } as const) : {}
    groups.at(-1)!.push(...termsOf(phrase, word).map((term) => ({ ...term, ...not })))
  }
  if (groups.flat().length > mostTerms) throw badUserInput(`${place}: give ${mostTerms} words at most`)
  for (const group of groups)
    if (!group.some(({ not }) => !not))
      throw badUserInput(
        `${place}: ${groups.length > 1 ? 'each alternative needs' : 'give'} a word that must be there`,
      )
  return groups
}

function termsOf(phrase: string | undefined, word: string | undefined): SearchTerm[] {
  const said = phrase ?? word ?? ''
  if (!saysSomething.test(said)) return []
  const runs = (said.match(letterRuns) ?? []).filter((run) => saysSomething.test(run))
  return runs.map((run) => {
    if (isUnspaced.test(run)) return { letters: run }
    return phrase === undefined ? { word: run } : { phrase: run }
  })
}
