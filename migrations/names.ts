/**
 * Pairs of letters that look alike, the second the Latin one, in lower case. Where the capital looks like another letter
 * than the small one, the capital decides: the names of system roles are in capitals. From Unicode UTS #39, for the
 * scripts that people type beside Latin.
 */
const lookAlikes = [
  ['аеорсухіјѕһԁԛԝкмтвнгзь', 'aeopcyxljshdqwkmtbhr3b'],
  ['αοερτυικνμηχζβ', 'aoeptylknmhxzb'],
  ['ıłøđɑɡħŧ', 'llodaght'],
  ['01i', 'oll'],
] as const

/** Equal for equal spellings: case, width, ligatures and the number of blanks aside. It is immutable. */
export function spelling(column: string): string {
  const folded = `lower(normalize(${column}, NFKC) COLLATE "und-x-icu")`
  const sharp = `replace(replace(${folded}, 'ß', 'ss'), 'ς', 'σ')`
  return `regexp_replace(normalize(${sharp}, NFKC), '\\s+', ' ', 'g')`
}

/** Equal for spellings that people take for one another: accents, punctuation and look-alikes of other scripts aside. */
function look(column: string): string {
  const plain = `regexp_replace(normalize(${spelling(column)}, NFD), '[\\u0300-\\u036f\\s[:punct:]]', '', 'g')`
  const [from, to] = [0, 1].map((side) => lookAlikes.map((pair) => pair[side]).join(''))
  return `nullif(replace(translate(${plain}, '${from}', '${to}'), 'rn', 'm'), '')`
}

/** Says how names are compared: by how they are spelled, or, where they name somebody's rights, by how they look. */
export type NameComparison = 'spelling' | 'look'

/** The stored column by which the names of a column are compared, as in CREATE TABLE. */
export function comparedName(column: string, by: NameComparison): string {
  const expression = by === 'spelling' ? spelling(column) : look(column)
  return `${column}_${by} text COLLATE "C" GENERATED ALWAYS AS (${expression}) STORED`
}
