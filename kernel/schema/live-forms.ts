import { article, described, words } from './derived-forms'

/** The name of the subscription that tells of what a root field of `Query` shows one of: `employeeChanged` of `employee`. */
export const liveFieldName = (queryField: string): string => `${queryField}Changed`

/**
 * The field of `Subscription` that tells of changes of a type.
 * @param queryField the field of `Query` that shows one by its id; who is told, and what, is what that field answers
 */
export function liveField(queryField: string, type: string): string {
  const noun = words(type)
  return `type Parent {
    ${described(
      `${article(noun).replace(/^./, (letter) => letter.toUpperCase())} each time that it is added or changes, as \`${queryField}\` shows it; nothing of what the viewer may not see.`,
      `${liveFieldName(queryField)}(
      ${described('UUIDs of those to follow; all that the viewer may see when omitted.', 'ids: [ID!]')}
      ${described('Continue after this `cursor` of an earlier stream; from now on when omitted.', 'after: String')}
    ): ${type}Change`,
    )} }`
}

/** The type that {@link liveField} returns. */
export function liveForm(queryField: string, type: string): string {
  const noun = words(type)
  return `
    ${described(`What a stream tells of ${article(noun)}.`, `type ${type}Change`)} {
      ${described(`\`CHANGED\`, or \`RESET\` when changes were missed.`, 'kind: ChangeKind!')}
      ${described('Its place in the stream: give it back as `after`, or as the header `Last-Event-ID`.', 'cursor: String!')}
      ${described(`The ${noun} as it is now; null with \`RESET\` alone.`, `${queryField}: ${type}`)}
    }`
}

/** The enum of what messages of streams are about, of every subgraph that has a stream. */
export const changeKindForm = (): string => `
  ${described('What a message of a stream is about.', 'enum ChangeKind')} {
    ${described('Something was added, or changed.', 'CHANGED')}
    ${described('Changes were missed, because the stream was resumed too late or read too slowly: read again what you show; the stream goes on from here.', 'RESET')}
  }`
