import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { prepareDatabase } from '../database'
import {
  createOperator,
  disableOperator,
  listOperators,
  OperatorError,
  operatorScopes,
  resetOperatorPassword,
} from '../database/operators'
import { exportKeptDocuments, KeptDocumentsError } from '../database/kept-documents'
import { addSeller, SellerError } from '../database/seller'
import { ConfigError, loadConfig } from '../kernel/process/config'
import { createLogger } from '../kernel/process/log'
import { hashPassword, oneTimePassword } from '../kernel/sign-in/password'

const usage = `Usage: npm run operator -- create --email EMAIL --name NAME [--scopes SCOPE,SCOPE]
       npm run operator -- list
       npm run operator -- reset-password --email EMAIL
       npm run operator -- disable --email EMAIL
       npm run operator -- seller --name NAME --street STREET --city CITY --country DE --tax-id ID
                                  [--postal-code CODE] [--email EMAIL] [--from DAY]
       npm run operator -- documents --out FILE [--slug SLUG]

Keeps the operators of the platform, who stand outside of all tenants and sign in with operatorSignIn, and who the platform is.

  create          adds an operator, and prints a password for the first sign-in
  list            shows who there is, and what they may do
  reset-password  ends all sessions and the second factor, and prints another password; a disabled operator is active again
  disable         ends all sessions; nobody signs in as this operator
  seller          tells the legal entity that issues invoices and credit notes, from a day on (today when not said); what was
                  issued stays as it is, and without one nothing is issued
  documents       writes the invoices, credit notes and payments of tenants that were deleted to a new file, a JSON object a line

  --email   the operator's e-mail address, or that for questions about bills
  --name    the operator's name, which tenants see of whoever enters them; the legal name of a seller
  --scopes  what the operator may do besides tenancy:platform:read; without it, nothing else:
${Object.entries(operatorScopes)
  .map(([scope, allows]) => `              ${scope}\n                ${allows}`)
  .join('\n')}
  --out     a file that there is not yet; its owner alone reads it
  --slug    documents of the tenant that had this slug alone
  --help    print this

The database is the configured one (DATABASE_URL), or else the embedded one, whether or not the server runs.`

/** Describes what the caller typed wrong. */
class UsageError extends Error {}

const verbs = ['create', 'list', 'reset-password', 'disable', 'seller', 'documents'] as const
interface Request {
  verb: (typeof verbs)[number]
  email: string
  name: string
  scopes: string[]
  street: string
  postalCode: string
  city: string
  country: string
  taxId: string
  from: string
  out: string
  slug: string
}

/** Reads the command line; null when it asks for help. */
function readRequest(args: string[]): Request | null {
  const text = { type: 'string' } as const
  const { values, positionals } = parsed(() =>
    parseArgs({
      args,
      options: {
        ...{ email: text, name: text, scopes: text, street: text, 'postal-code': text, city: text },
        ...{ country: text, 'tax-id': text, from: text, out: text, slug: text, help: { type: 'boolean' } },
      },
      allowPositionals: true,
    }),
  )
  if (values.help) return null
  const verb = verbs.find((one) => positionals.length === 1 && positionals[0] === one)
  if (!verb)
    throw new UsageError(`Say what to do: ${verbs.join(', ')}. Got: ${positionals.join(' ') || 'nothing'}`)
  const { email = '', name = '', scopes = '', street = '', city = '', country = '', from = '' } = values
  const { 'postal-code': postalCode = '', 'tax-id': taxId = '', out = '', slug = '' } = values
  const needed = {
    create: { email, name },
    list: {},
    'reset-password': { email },
    disable: { email },
    seller: { name, street, city, country, 'tax-id': taxId },
    documents: { out },
  }[verb]
  const missing = Object.entries(needed).flatMap(([option, value]) => (value ? [] : [`--${option}`]))
  if (missing.length > 0) throw new UsageError(`Missing: ${missing.join(', ')}`)
  const place = { street, postalCode, city, country, taxId, from, out, slug }
  return { verb, email, name, scopes: scopes.split(',').filter((scope) => scope !== ''), ...place }
}

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

/** Does it, and returns what to print. */
async function perform(client: Client, request: Request): Promise<string[]> {
  const { verb, email, name, scopes } = request
  if (verb === 'seller') {
    const { street, postalCode, city, country, taxId, from } = request
    const validFrom = from || new Date().toISOString().slice(0, 10)
    const place = { street, postalCode: postalCode || null, city, country }
    await addSeller(client, { legalName: name, ...place, taxId, email: email || null, validFrom })
    return [`From ${validFrom} on, ${name} issues invoices and credit notes.`]
  }
  if (verb === 'documents') {
    const count = await exportKeptDocuments(client, request.out, request.slug || null)
    return [`${count} documents of deleted tenants are in ${request.out}`]
  }
  if (verb === 'list')
    return (await listOperators(client)).map(
      (one) =>
        `${one.email}  ${one.status}  ${one.name}  last sign-in ${one.lastSignInAt?.toISOString() ?? 'never'}  ${one.scopes.join(' ')}`,
    )
  if (verb === 'disable') {
    await disableOperator(client, email)
    return [`${email.toLowerCase()} is disabled, and all sessions have ended.`]
  }
  const password = oneTimePassword()
  const passwordHash = await hashPassword(password)
  if (verb === 'create') await createOperator(client, { email, name, scopes, passwordHash })
  else await resetOperatorPassword(client, email, passwordHash)
  return [
    `operator  ${email.toLowerCase()}`,
    `password  ${password}`,
    'The password is shown this once. Send it to operatorSignIn together with a newPassword, and set up an authenticator there.',
  ]
}

async function main(): Promise<void> {
  const request = readRequest(process.argv.slice(2))
  if (!request) return console.log(usage)
  const config = loadConfig()
  const log = createLogger({ ...config, logLevel: 'warn' })
  const database = await prepareDatabase(config, log, { attach: true })
  const client = new Client({ connectionString: database.migratorUrl })
  try {
    await client.connect()
    await client.query('BEGIN')
    const lines = await perform(client, request)
    await client.query('COMMIT')
    for (const line of lines) console.log(line)
  } finally {
    await client.end() // an open transaction ends with it, undone
    await database.stop()
  }
}

main().catch((error: unknown) => {
  const foreseen =
    error instanceof UsageError ||
    error instanceof OperatorError ||
    error instanceof SellerError ||
    error instanceof KeptDocumentsError ||
    error instanceof ConfigError
  console.error(error instanceof Error ? error.message : String(error))
  if (error instanceof UsageError) console.error(`\n${usage}`)
  process.exitCode = foreseen ? 2 : 1
})
