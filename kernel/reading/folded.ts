/** Letters of their own that people write without their mark, and what they write instead. */
const plainLetters: Readonly<Record<string, string>> = {
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ħ: 'h',
  ŧ: 't',
  ı: 'i',
  ς: 'σ',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
}

const otherLetters = new RegExp(`[${Object.keys(plainLetters).join('')}]`, 'g')

/** A text without case and accents: `Élan` and `elan` are equal. The function `shared.folded` does the same in SQL. */
export function folded(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(otherLetters, (letter) => plainLetters[letter]!)
}

/** The SQL of a condition that the texts of an expression contain, or begin with, what a placeholder's text says. */
export function likeFolded(expression: string, placeholder: string): string {
  return `shared.folded(${expression}) LIKE ${placeholder}`
}

/** `LIKE` pattern for {@link likeFolded} that finds the text literally: its wildcards are escaped. */
export function foldedPattern(text: string, place: 'anywhere' | 'start'): string {
  const literal = folded(text).replace(/[\\%_]/g, (character) => `\\${character}`)
  return place === 'anywhere' ? `%${literal}%` : `${literal}%`
}
