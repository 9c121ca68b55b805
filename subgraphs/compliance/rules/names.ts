/** The words of a name in the form in which they are compared: without accents, punctuation and case. */
export function comparedWords(name: string): string[] {
  const plain = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replaceAll('ø', 'o')
    .replaceAll('ł', 'l')
    .replaceAll('đ', 'd')
    .replaceAll('æ', 'ae')
  return plain.replace(/['’`]/g, '').match(/[\p{L}\p{N}]+/gu) ?? []
}

/** Jaro's similarity of two texts: 0 to 1 (M. A. Jaro, 1989). */
function jaro(one: string, other: string): number {
  if (one === other) return 1
  const reach = Math.max(Math.floor(Math.max(one.length, other.length) / 2) - 1, 0)
  const taken = new Array<boolean>(other.length).fill(false)
  const common: string[] = []
  for (const [place, letter] of [...one].entries()) {
    const from = Math.max(place - reach, 0)
    const found = [...other].findIndex(
      (candidate, at) => at >= from && at <= place + reach && !taken[at] && candidate === letter,
    )
    if (found < 0) continue
    taken[found] = true
    common.push(letter)
  }
  if (common.length === 0) return 0
  const inOrder = [...other].filter((_, place) => taken[place])
  const transposed = common.filter((letter, place) => letter !== inOrder[place]).length / 2
  const count = common.length
  return (count / one.length + count / other.length + (count - transposed) / count) / 3
}

/** Jaro and Winkler's similarity: a common beginning of up to four letters counts more (W. E. Winkler, 1990). */
export function similarityOfWords(one: string, other: string): number {
  const similarity = jaro(one, other)
  let prefix = 0
  while (prefix < 4 && prefix < one.length && one[prefix] === other[prefix]) prefix += 1
  return similarity + prefix * 0.1 * (1 - similarity)
}

/**
 * The similarity of two names, 0 to 100, whatever the order of their words: each word of the shorter name is compared with the
 * best word that is left of the other. Words that only one has cost less, since lists have more given names than papers.
 */
export function similarityOfNames(one: readonly string[], other: readonly string[]): number {
  const [shorter, longer] = one.length <= other.length ? [one, other] : [other, one]
  if (shorter.length === 0) return 0
  const left = [...longer]
  let sum = 0
  for (const word of shorter) {
    const scores = left.map((candidate) => similarityOfWords(word, candidate))
    const best = scores.indexOf(Math.max(...scores))
    sum += scores[best]!
    left.splice(best, 1)
  }
  const missing = left.length * (shorter.length === 1 ? 0.3 : 0.08)
  return Math.round((Math.max(sum / shorter.length - missing, 0) * 1000) / 10)
}

/**
 * The score of a person against an entry of a list, 0 to 100: of the most similar of its names, less 25 where both have a day
 * of birth and the years are more than one apart. Nobody is cleared by a day of birth alone.
 */
export function scoreOf(
  subject: { name: string; birthDate: string | null },
  entry: { names: readonly string[]; birthDates: readonly string[] },
): number {
  const words = comparedWords(subject.name)
  const best = Math.max(0, ...entry.names.map((name) => similarityOfNames(words, comparedWords(name))))
  if (subject.birthDate === null || entry.birthDates.length === 0) return best
  const year = Number(subject.birthDate.slice(0, 4))
  const isNear = entry.birthDates.some((date) => Math.abs(Number(date.slice(0, 4)) - year) <= 1)
  return isNear ? best : Math.max(best - 25, 0)
}
