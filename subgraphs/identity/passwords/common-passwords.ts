import { readFileSync } from 'node:fs'

/** Between the passwords of the list; none holds it. */
const between = '\n'
let list: string | undefined

/**
 * Tells whether many people use this as their password: the list of zxcvbn-ts (MIT; 40,000 from published leaks, in lower
 * case). It is read when the first password is looked at, and kept as one text: 400 KB, where a set would take 4 MB.
 */
export function isCommonPassword(text: string): boolean {
  list ??= [
    '',
    ...(JSON.parse(
      readFileSync(require.resolve('@zxcvbn-ts/language-common/src/passwords.json'), 'utf8'),
    ) as string[]),
    '',
  ].join(between)
  return list.includes(between + text + between)
}
