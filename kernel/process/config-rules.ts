import { databaseRoles } from './config-values'
import type { SubgraphName } from '../schema/subgraph-names'

/** Faults that lie between variables rather than in one of them. `given` holds the variables that are set. */
export function contradictions(given: Record<string, string | undefined>): string[] {
  const faults: string[] = []
  const external = given.DATABASE_URL ?? given.POSTGRES_HOST
  if (given.DATABASE_URL && given.POSTGRES_HOST) {
    faults.push('DATABASE_URL and POSTGRES_HOST both name a database: remove one of them')
  }
  if (given.POSTGRES_HOST && !(given.POSTGRES_DB && given.POSTGRES_USER)) {
    faults.push('POSTGRES_HOST needs POSTGRES_DB and POSTGRES_USER (the role that migrates) beside it')
  }
  for (const name of ['POSTGRES_DB', 'POSTGRES_USER', 'POSTGRES_PASSWORD']) {
    if (given[name] && !external)
      faults.push(`${name} has no effect without POSTGRES_HOST: set that too, or remove it`)
  }
  if (external && !given.DATABASE_APP_SECRET && !databaseRoles.every((role) => given[urlVariable(role)])) {
    faults.push(
      'DATABASE_APP_SECRET is missing: with an external database set 32 or more random characters (openssl rand -base64 32); the passwords of the application roles are derived from it',
    )
  }
  for (const name of Object.keys(given)) {
    if (name.startsWith('DATABASE_URL_') && !databaseRoles.map(urlVariable).includes(name)) {
      faults.push(
        `${name} names no role: the roles are ${databaseRoles.map((role) => role.toUpperCase()).join(', ')}`,
      )
    }
  }
  const distributed = given.SUBGRAPHS !== undefined && given.SUBGRAPHS !== 'in-process'
  if (distributed && !given.VIEWER_SECRET) {
    faults.push(
      'VIEWER_SECRET is missing: gateway and HTTP subgraphs share 32 or more random characters (openssl rand -base64 32)',
    )
  }
  const signsElsewhere = /(^|,)\s*identity\s*=/.test(given.SUBGRAPHS ?? '') && given.TOKEN_PUBLIC_KEYS
  if (given.NODE_ENV === 'production' && external && !given.TOKEN_PRIVATE_KEY && !signsElsewhere) {
    faults.push(
      'TOKEN_PRIVATE_KEY is missing: in production with an external database set an Ed25519 key as JWK (docs/decisions/0006-sessions-and-tokens.md shows how to make one)',
    )
  }
  const transit = ['ENCRYPTION_TRANSIT_URL', 'ENCRYPTION_TRANSIT_KEY', 'ENCRYPTION_TRANSIT_TOKEN']
  const missing = transit.filter((name) => !given[name])
  if (missing.length > 0 && missing.length < transit.length)
    faults.push(`${missing.join(', ')} is missing: a key service needs all of ${transit.join(', ')}`)
  const keySources = ['ENCRYPTION_KEYS', 'ENCRYPTION_KEY_FILE', 'ENCRYPTION_TRANSIT_URL'].filter(
    (name) => given[name],
  )
  if (keySources.length > 1)
    faults.push(`${keySources.join(' and ')} both say where encryption keys are: remove all but one`)
  if (given.DOCUMENTS?.startsWith('known') && given.NODE_ENV === 'production' && !given.PERSISTED_DOCUMENTS) {
    faults.push(
      `DOCUMENTS=${given.DOCUMENTS} needs PERSISTED_DOCUMENTS: name the manifests of the documents that are to be executed`,
    )
  }
  for (const name of ['MAIL_FROM', 'PUBLIC_URL']) {
    if (given.SMTP_URL && !given[name])
      faults.push(
        `${name} is missing: with SMTP_URL mails leave, so say whom they come from and where links lead`,
      )
  }
  for (const name of ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY']) {
    if (given.S3_URL && !given[name]) faults.push(`${name} is missing: S3_URL needs the key of the bucket`)
    if (given[name] && !given.S3_URL)
      faults.push(`${name} has no effect without S3_URL: set that too, or remove it`)
  }
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(given.HOST ?? '127.0.0.1')
  if (given.NODE_ENV === 'production' && !external && !loopback && !given.DEMO_PASSWORD) {
    faults.push(
      'DEMO_PASSWORD is missing: in production the demo users of the embedded database must not be open to everybody who reaches HOST',
    )
  }
  return faults
}

/** The variable that holds a role's own URL. */
export function urlVariable(role: SubgraphName | 'gateway'): string {
  return `DATABASE_URL_${role.toUpperCase()}`
}
