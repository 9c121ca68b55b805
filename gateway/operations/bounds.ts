/** Describes what one document may hold. All of it is counted before the document is validated. */
export interface DocumentBounds {
  /** Characters of its text, blanks and comments included. */
  characters: number
  /** Lexical tokens. */
  tokens: number
  /** Levels of fields, fragments resolved. */
  depth: number
  /** Fields selected by one operation, fragments resolved. */
  selections: number
  /** Fields that one operation selects at its root, fragments resolved. */
  rootFields: number
  /** Fields that one mutation selects at its root, fragments resolved: each is planned and run by itself. */
  mutations: number
  /** Names under which one field stands in one place of the answer. */
  aliases: number
  /** Selections of one name in one place of the answer. */
  repetitions: number
  /** Pairs of selections that validation compares, because both answer to one name in one place. */
  pairs: number
  operations: number
  fragments: number
  /** Spreads of fragments, those inside of fragments counted each time they are reached. */
  spreads: number
  /** Of all operations together. */
  variables: number
  directives: number
  /** On one field, fragment, operation or variable. */
  directivesPerNode: number
  /** Characters of one string or number. */
  literal: number
  /** Levels of lists and objects in a value, of lists in a type. */
  valueDepth: number
  /** Says how many errors validation reports before it ends. */
  errors: number
}
