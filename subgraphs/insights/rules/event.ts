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

/**
 * The instant up to which months for events are sure to be there: a year ahead are made every day. Only the clock of a
 * sandbox goes further.
 * @param now the true time, not the one of a sandbox
 */
export const lastMonthMade = (now: Date): Date =>
  new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 12))

/**
 * Tells what is wrong with an event; null when nothing is.
 * @param now the tenant's time
 * @param until the instant before which events can be kept
 */
export function eventFault(event: ReportedEvent, now: Date, until: Date): EventFault | null {
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
  if (at >= until.getTime()) {
    const month = until.toISOString().slice(0, 7)
    return {
      field: 'occurredAt',
      message: `occurredAt must be before ${month}: this sandbox is too far ahead`,
    }
  }
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
