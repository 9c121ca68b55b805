import { createHash } from 'node:crypto'

/** An event as a source reports it, with its time. */
export interface ReportedEvent {
  source: string
  eventId: string
  eventType: string
  name: string
  userId?: string | null
  customerId?: string | null
  sessionId?: string | null
  properties?: unknown
  occurredAt: string
}

/** A fault of an event, and its field. */
export interface EventFault {
  message: string
  field: string
}

const day = 86_400_000
const mostDaysAgo = 30
const mostMsAhead = 5 * 60_000
const mostBytes = 32 * 1024
const mostKeys = 100

/** Names of personal data, in small letters without what stands between words. */
const personal = new Set([
  ...['email', 'emailaddress', 'mail', 'phone', 'phonenumber', 'telephone', 'mobile', 'mobilenumber', 'fax'],
  ...['firstname', 'lastname', 'fullname', 'surname', 'givenname', 'familyname', 'maidenname', 'middlename'],
  ...['address', 'street', 'streetaddress', 'homeaddress', 'postaladdress', 'zip', 'zipcode', 'postcode'],
  ...['birthdate', 'birthday', 'dateofbirth', 'dob', 'age', 'gender', 'religion', 'ethnicity', 'nationality'],
  ...['ssn', 'socialsecuritynumber', 'nationalid', 'passport', 'passportnumber', 'taxid', 'driverslicense'],
  ...['iban', 'bankaccount', 'accountnumber', 'creditcard', 'cardnumber', 'cvv', 'cvc', 'salary'],
  ...['password', 'passwd', 'secret', 'token', 'accesstoken', 'refreshtoken', 'apikey', 'cookie'],
  ...['ip', 'ipaddress', 'ipv4', 'ipv6', 'latitude', 'longitude', 'lat', 'lng', 'lon', 'geolocation'],
])

/** All keys of a value, those inside of it too. */
function keysOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)])
}

const plain = (key: string): string => key.toLowerCase().replace(/[^a-z0-9]/g, '')

/** Tells what is wrong with an event at an instant; null when nothing is. */
export function eventFault(event: ReportedEvent, now: Date): EventFault | null {
  for (const [field, most] of [
    ['source', 100],
    ['eventId', 255],
    ['name', 100],
    ['sessionId', 100],
  ] as const) {
    const text = event[field]
    if (text === undefined || text === null) continue
    if (text === '') return { field, message: `${field} must not be empty` }
    if ([...text].length > most) return { field, message: `${field} must have at most ${most} characters` }
  }
  const at = Date.parse(event.occurredAt)
  if (at > now.getTime() + mostMsAhead || at < now.getTime() - mostDaysAgo * day)
    return { field: 'occurredAt', message: 'occurredAt must be at most 30 days ago and 5 minutes ahead' }
  return propertiesFault(event.properties)
}

function propertiesFault(properties: unknown): EventFault | null {
  const field = 'properties'
  if (properties === undefined) return null
  if (typeof properties !== 'object' || properties === null || Array.isArray(properties))
    return { field, message: 'properties must be a JSON object' }
  if (Buffer.byteLength(JSON.stringify(properties)) > mostBytes)
    return { field, message: 'properties must have at most 32 KiB' }
  const keys = keysOf(properties)
  if (keys.length > mostKeys) return { field, message: `properties must have at most ${mostKeys} keys` }
  const found = keys.find((key) => personal.has(plain(key)))
  return found === undefined
    ? null
    : { field, message: `properties must not hold personal data: leave out "${found.slice(0, 50)}"` }
}

/** A digest of what an event says: equal for what a source sends twice, whatever the order of the properties. */
export function fingerprint({ occurredAt, ...event }: ReportedEvent, isTimed: boolean): string {
  const said = { ...event, occurredAt: isTimed ? new Date(occurredAt).toISOString() : null }
  return createHash('sha256')
    .update(JSON.stringify(sorted(said)))
    .digest('hex')
}

/** A value whose members are in the order of their names; null is as good as nothing. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value ?? null
  const members = Object.entries(value).filter(([, member]) => member !== undefined && member !== null)
  return members.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, sorted(member)])
}
