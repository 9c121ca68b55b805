import { z } from 'zod'
import { subgraphNames, type SubgraphName } from '../schema/subgraph-names'

/** Names who logs in to the database: one role per subgraph, and the gateway. */
export const databaseRoles = [...subgraphNames, 'gateway'] as const

/** Says how a fault is worded: it follows the variable's name and says what to do. */
export function fault(message: string): { error: () => string } {
  return { error: () => message }
}

/** A variable that may be left out; it is null then. */
export function optional<T>(type: z.ZodType<T, string>) {
  return type.optional().transform((value) => value ?? null)
}

/** One of a few words, in exactly this spelling. */
export function oneOf<const T extends readonly string[]>(...words: T) {
  return z.enum(words, fault(`must be one of ${words.join(', ')}`))
}

/** A whole number in decimal digits, bounds included. */
export function wholeNumber(least: number, most: number) {
  const wanted = fault(`must be a whole number from ${least} to ${most}`)
  return z
    .string()
    .regex(/^\d{1,9}$/, wanted)
    .transform(Number)
    .refine((number) => number >= least && number <= most, wanted)
}

/** Text that nobody can guess: HMAC keys and password derivation stand on it. */
export const secret = z
  .string()
  .min(32, fault('is too short: use 32 or more random characters (openssl rand -base64 32)'))

/** A URL whose text may hold a password: a fault never repeats it. */
export function secretUrl(protocols: readonly string[]) {
  const wanted = `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`
  return z.string().refine((text) => {
    const url = parsedUrl(text)
    return url !== null && protocols.includes(url.protocol) && url.hostname !== ''
  }, fault(wanted))
}

export const postgresUrl = secretUrl(['postgres:', 'postgresql:'])

/** The address of an application, which paths are put behind; comes out without a slash at the end. */
export const publicUrl = z.string().transform((text, context): string => {
  const url = parsedUrl(text)
  const isAddress = url && ['http:', 'https:'].includes(url.protocol)
  if (isAddress && !url.username && !url.password && !/[?#]/.test(text)) return url.href.replace(/\/$/, '')
  context.addIssue({
    code: 'custom',
    message: 'must be an http:// or https:// URL without credentials, query and fragment',
  })
  return z.NEVER
})

/** An address, or `Name <address>`, that mails come from. */
export const mailSender = z
  .string()
  .regex(
    /^(?:[^<>"\p{Cc}]+ <[^\s<>@,;]+@[^\s<>@,;]+>|[^\s<>@,;]+@[^\s<>@,;]+)$/u,
    fault('must be an e-mail address, or Name <address>'),
  )

/** `in-process`, or `name=url,…` with known names, each once, and http(s) URLs without credentials. */
export const subgraphUrls = z
  .string()
  .transform((text, context): 'in-process' | Partial<Record<SubgraphName, string>> => {
    if (text === 'in-process') return text
    const urls: Partial<Record<SubgraphName, string>> = {}
    for (const part of text.split(',').map((entry) => entry.trim())) {
      const [name = '', url = ''] = splitOnce(part, '=')
      const known = subgraphNames.find((candidate) => candidate === name)
      const problem = known ? urlProblem(known, url, urls) : unknownName(name)
      if (problem) context.addIssue({ code: 'custom', message: problem })
      else if (known) urls[known] = url
    }
    return urls
  })

function unknownName(name: string): string {
  return `names no subgraph with "${name}": use in-process, or name=url,… with ${subgraphNames.join(', ')}`
}

function urlProblem(name: SubgraphName, text: string, others: Partial<Record<SubgraphName, string>>) {
  const url = parsedUrl(text)
  if (others[name]) return `names ${name} twice`
  if (!url || !['http:', 'https:'].includes(url.protocol))
    return `needs an http:// or https:// URL for ${name}`
  if (!url.username && !url.password) return null
  return `must not carry credentials in the URL of ${name}: VIEWER_SECRET authenticates the gateway`
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator)
  return at < 0 ? [text.trim()] : [text.slice(0, at).trim(), text.slice(at + 1).trim()]
}

function parsedUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null
}

/** Origins of web pages, as browsers name them: scheme, host and port, nothing behind. */
export const origins = z.string().transform((text, context): string[] =>
  text.split(',').flatMap((given) => {
    const origin = given.trim()
    const isOrigin = /^https?:\/\//.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin
    if (!isOrigin)
      context.addIssue({
        code: 'custom',
        message: `must hold origins such as https://app.example, not ${origin}`,
      })
    return isOrigin ? [origin] : []
  }),
)
