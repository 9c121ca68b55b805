/** Tells whether what a field returns now fits wherever the old type was expected: `String` → `String!`. */
export function outputFits(before: string, after: string): boolean {
  if (before === after) return true
  if (isNonNull(after)) return outputFits(isNonNull(before) ? ofNonNull(before) : before, ofNonNull(after))
  if (isNonNull(before)) return false
  return isList(before) && isList(after) && outputFits(ofList(before), ofList(after))
}

/** Tells whether every value and variable that the old type took is taken by the new one: `[ID!]!` → `[ID]`. */
export function inputFits(before: string, after: string): boolean {
  return outputFits(after, before)
}

/** Tells whether the types differ in nothing but `!`. */
export function sameWithoutNonNull(before: string, after: string): boolean {
  return before.replaceAll('!', '') === after.replaceAll('!', '')
}

/** Tells whether a value must be given: the type refuses null and there is no default. */
export function isRequired(input: { type: string; defaultValue: string | undefined }): boolean {
  return isNonNull(input.type) && input.defaultValue === undefined
}

const isNonNull = (type: string) => type.endsWith('!')
const ofNonNull = (type: string) => type.slice(0, -1)
const isList = (type: string) => type.startsWith('[')
const ofList = (type: string) => type.slice(1, -1)
