/** Browsers as they name themselves; the first that is found counts, because each also names those before its time. */
const browsers: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
]

const systems: readonly (readonly [RegExp, string])[] = [
  [/\b(?:iPhone|iPad)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
]

const firstOf = (known: readonly (readonly [RegExp, string])[], text: string): string | undefined =>
  known.find(([pattern]) => pattern.test(text))?.[1]

/**
 * A name by which people recognise a device, such as `Firefox on Linux`, or the program's own, such as `curl`; null when
 * nothing is told. What a client says of itself is no proof of anything.
 */
export function deviceLabel(userAgent: string | null): string | null {
  if (!userAgent) return null
  const [browser, system] = [firstOf(browsers, userAgent), firstOf(systems, userAgent)]
  if (browser) return system ? `${browser} on ${system}` : browser
  return /^[\w.-]{1,50}/.exec(userAgent)?.[0] ?? null
}
