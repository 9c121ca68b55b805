import { createHmac, randomBytes } from 'node:crypto'

/** Describes the content of a record, which decisions are about. */
export interface Content {
  type: string
  customerId: string | null
  employeeId: string | null
  subjectName: string | null
  subjectBirthDate: string | null
  riskScore: number | null
  data: unknown
  metadata: unknown
}

/** A new key of a record's digests. */
export const newDigestKey = (): string => randomBytes(32).toString('base64url')

const digest = (key: string, value: unknown): string =>
  createHmac('sha256', key).update(JSON.stringify(value)).digest('base64url')

/** JSON with the members of every object in the order of their names, so that equal values have equal texts. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(members.map(([name, member]) => [name, ordered(member)]))
}

/** HMAC-SHA-256 (RFC 2104) of the content, with the record's own key: whoever lacks it finds nothing out by guessing. */
export function contentDigest(key: string, content: Content): string {
  const { type, customerId, employeeId, subjectName, subjectBirthDate, riskScore, data, metadata } = content
  return digest(key, [
    ...[type, customerId, employeeId, subjectName, subjectBirthDate, riskScore],
    ...[ordered(data), ordered(metadata)],
  ])
}

/** The same of what a screening compared: a person with an entry of a list. */
export function comparedDigest(
  key: string,
  { subjectName, subjectBirthDate }: Pick<Content, 'subjectName' | 'subjectBirthDate'>,
  entryDigest: string,
): string {
  return digest(key, [subjectName, subjectBirthDate, entryDigest])
}
