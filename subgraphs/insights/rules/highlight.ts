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
