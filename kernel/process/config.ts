import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { z } from 'zod'
import { contradictions, urlVariable } from './config-rules'
import {
  databaseRoles,
  fault,
  mailSender,
  optional,
  oneOf,
  postgresUrl,
  origins,
  publicUrl,
  secret,
  secretUrl,
  subgraphUrls,
  wholeNumber,
} from './config-values'
import { readKeyRing } from '../encryption/key-ring'
import { projectRoot } from './project-root'
import { privateKeyFromJwk, publicKeysFromJwks } from '../sign-in/token-keys'
import { passwordRounds } from '../sign-in/password-rounds'
import type { SubgraphName } from '../schema/subgraph-names'

export { projectRoot }

/** Describes what the product is told from outside. `.env.example` explains each variable behind it. */
export interface Config {
  nodeEnv: 'production' | 'development' | 'test'
  host: string
  /** 0 = any free port. */
  port: number
  /** Absolute. */
  dataDir: string
  /** The migrator's URL; null = the embedded server (or the system's binaries). */
  databaseUrl: string | null
  /** Passwords of the application roles are derived from it; null with the embedded server: made on first start. */
  databaseAppSecret: string | null
  /** Own URLs of single roles; each of them wins over the derived one. */
  databaseUrls: Partial<Record<SubgraphName | 'gateway', string>>
  /** Total of all pools of this process. */
  databaseConnections: number
  databaseBinding: 'prepared' | 'unnamed' | 'pipeline'
  statementTimeoutMs: number
  redisUrl: string | null
  /** Tells whether this process does the jobs of its subgraphs. */
  jobs: boolean
  /** Days after which jobs remove what has ended. */
  keptDays: { sessions: number; usage: number; jobs: number }
  /** Says where the subgraphs answer; names left out run in this process. */
  subgraphs: 'in-process' | Partial<Record<SubgraphName, string>>
  /** Signs the viewer between gateway and HTTP subgraphs. */
  viewerSecret: string | null
  tokenIssuer: string
  /** JWK and JWKS as JSON text; both null: kept in `dataDir`. */
  tokenPrivateKey: string | null
  tokenPublicKeys: string | null
  /** Master keys of encrypted columns as text; null: `encryptionKeyFile`, `encryptionTransit`, or kept in `dataDir`. */
  encryptionKeys: string | null
  /** Absolute; holds the same text. */
  encryptionKeyFile: string | null
  /** A key service that wraps instead. */
  encryptionTransit: { url: string; key: string; token: string } | null
  pageLimit: number
  /** Requests of anonymous callers from one network address in a minute. */
  anonymousPerMinute: number
  /** Estimated cost of one tenant's operations in a minute. */
  tenantCostPerMinute: number
  connectionsPerAddress: number
  /** To whom introspection, suggestions and the explorer are shown. */
  introspection: 'public' | 'signed-in' | 'off'
  nestedPageLimit: number
  logLevel: string
  demoPassword: string
  /** bcrypt's cost. No variable sets it: lower only in tests, which make many users. */
  passwordRounds: number
  /** Manifests of documents that clients may name by their id; absolute paths. */
  persistedDocuments: string[]
  /** Tells whether other documents than those are executed. */
  documents: 'any' | 'known' | 'known-without-key'
  /** Origins whose pages may call from a browser, as browsers name them. */
  corsOrigins: readonly string[]
  /** Tells whether the dashboard is served. */
  dashboard: boolean
  /** Tells whether X-Forwarded-For names the client. */
  trustProxy: boolean
  /** Address at which people find the application, without a slash at the end: links in mails begin with it. */
  publicUrl: string
  /** Null: mails become files in `dataDir`. */
  smtpUrl: string | null
  /** An address, or `Name <address>`. */
  mailFrom: string
  /** JWK and JWKS as JSON text; both null: kept in `dataDir`. */
  auditPrivateKey: string | null
  auditPublicKeys: string | null
  /** The list that people are screened against, absolute; null: nobody can be screened. */
  screeningList: string | null
  /** The bucket of files; null: they are kept in `dataDir`. */
  s3: { url: string; region: string; accessKeyId: string; secretAccessKey: string } | null
}

/** Everything that is wrong with the configuration, so that it is mended in one go. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'

  constructor(readonly faults: readonly string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`} (.env.example explains every variable):\n${faults.map((line) => `  ${line}`).join('\n')}`,
    )
  }
}

const variables = z.object({
  NODE_ENV: oneOf('production', 'development', 'test').default('development'),
  HOST: z.string().default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535).default(4000),
  DATA_DIR: z.string().default('.data'),
  DATABASE_URL: optional(postgresUrl),
  POSTGRES_HOST: optional(z.string()),
  POSTGRES_PORT: wholeNumber(1, 65_535).default(5432),
  POSTGRES_DB: optional(z.string()),
  POSTGRES_USER: optional(z.string()),
  POSTGRES_PASSWORD: optional(z.string()),
  DATABASE_APP_SECRET: optional(secret),
  DATABASE_URL_IDENTITY: optional(postgresUrl),
  DATABASE_URL_TENANCY: optional(postgresUrl),
  DATABASE_URL_INSIGHTS: optional(postgresUrl),
  DATABASE_URL_COMPLIANCE: optional(postgresUrl),
  DATABASE_URL_HR: optional(postgresUrl),
  DATABASE_URL_FINANCE: optional(postgresUrl),
  DATABASE_URL_GATEWAY: optional(postgresUrl),
  DATABASE_CONNECTIONS: wholeNumber(1, 10_000).default(42),
  DATABASE_BINDING: oneOf('prepared', 'unnamed', 'pipeline').default('prepared'),
  // 0 would mean "no limit" to PostgreSQL: no variable may switch a guard off.
  STATEMENT_TIMEOUT_MS: wholeNumber(100, 600_000).default(10_000),
  REDIS_URL: optional(secretUrl(['redis:', 'rediss:'])),
  JOBS: oneOf('on', 'off').default('on'),
  KEEP_SESSIONS_DAYS: wholeNumber(1, 3650).default(30),
  // The registry judges changes by the last 30 days.
  KEEP_USAGE_DAYS: wholeNumber(31, 3650).default(400),
  // A key of a job is unique for as long.
  KEEP_JOBS_DAYS: wholeNumber(7, 3650).default(30),
  SUBGRAPHS: subgraphUrls.default('in-process'),
  VIEWER_SECRET: optional(secret),
  TOKEN_ISSUER: z.string().max(200).default('tenantgraph'),
  TOKEN_PRIVATE_KEY: optional(parsedBy(privateKeyFromJwk)),
  TOKEN_PUBLIC_KEYS: optional(parsedBy(publicKeysFromJwks)),
  ENCRYPTION_KEYS: optional(parsedBy(readKeyRing)),
  ENCRYPTION_KEY_FILE: optional(z.string()),
  ENCRYPTION_TRANSIT_URL: optional(secretUrl(['http:', 'https:'])),
  ENCRYPTION_TRANSIT_KEY: optional(z.string()),
  ENCRYPTION_TRANSIT_TOKEN: optional(z.string()),
  PAGE_LIMIT: wholeNumber(1, 1000).default(100),
  NESTED_PAGE_LIMIT: wholeNumber(1, 1000).default(50),
  // Guards as well: the smallest still lets people sign in, the largest bounds nothing but memory.
  RATE_LIMIT_PER_MINUTE: wholeNumber(10, 999_999_999).default(1200),
  TENANT_COST_PER_MINUTE: wholeNumber(50_000, 999_999_999).default(10_000_000),
  CONNECTIONS_PER_ADDRESS: wholeNumber(10, 1_000_000).default(2000),
  INTROSPECTION: optional(oneOf('public', 'signed-in', 'off')),
  LOG_LEVEL: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info'),
  // bcrypt reads 72 bytes; what lies behind them would not be checked.
  DEMO_PASSWORD: z
    .string()
    .refine(
      (text) => text.length >= 8 && Buffer.byteLength(text) <= 72,
      fault('must have 8 to 72 characters'),
    )
    .default('demo-password'),
  PERSISTED_DOCUMENTS: optional(z.string()),
  DOCUMENTS: oneOf('any', 'known', 'known-without-key').default('any'),
  CORS_ORIGINS: origins.default([]),
  DASHBOARD: optional(oneOf('on', 'off')),
  TRUST_PROXY: oneOf('true', 'false').default('false'),
  PUBLIC_URL: optional(publicUrl),
  SMTP_URL: optional(secretUrl(['smtp:', 'smtps:'])),
  AUDIT_PRIVATE_KEY: optional(parsedBy(privateKeyFromJwk)),
  AUDIT_PUBLIC_KEYS: optional(parsedBy(publicKeysFromJwks)),
  SCREENING_LIST: optional(z.string()),
  S3_URL: optional(publicUrl),
  S3_REGION: z.string().max(50).default('us-east-1'),
  S3_ACCESS_KEY_ID: optional(z.string()),
  S3_SECRET_ACCESS_KEY: optional(z.string()),
  MAIL_FROM: mailSender.default('tenantgraph <no-reply@localhost>'),
})

/**
 * Holds what the product's own operations were made into; served where nothing else is said, and never in production.
 */
export const demoDocuments = join(projectRoot, 'test', 'operations', 'generated', 'persisted-documents.json')

/** A sample clears everybody who is not in it, so production goes without a list until it is given one. */
function screeningList(given: string | null, environment: Config['nodeEnv']): string | null {
  const sample = 'subgraphs/compliance/screening/sample-list.json'
  const file = given ?? (environment === 'production' ? null : sample)
  return file && resolve(projectRoot, file)
}

/** The names of all variables that are read. A contract test holds `.env.example` against them. */
export const variableNames: readonly string[] = Object.keys(variables.shape)

/**
 * Reads and checks the configuration. A variable that is empty counts as not set.
 *
 * @param env by default the process's environment over the project's `.env` file; tests (NODE_ENV=test) read no file,
 * so that they do not depend on the machine.
 * @throws ConfigError with one line per fault, saying what to do. No line repeats a secret.
 */
export function loadConfig(env: NodeJS.ProcessEnv = environment()): Config {
  const given = Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value?.trim() ? [[name, value.trim()]] : [])),
  )
  const parsed = variables.safeParse(given)
  const faults = [
    ...(parsed.error?.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`) ?? []),
    ...contradictions(given),
  ]
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults)
  const value = parsed.data
  return {
    nodeEnv: value.NODE_ENV,
    host: value.HOST,
    port: value.PORT,
    dataDir: resolve(projectRoot, value.DATA_DIR),
    databaseUrl: value.DATABASE_URL ?? urlFromParts(value),
    databaseAppSecret: value.DATABASE_APP_SECRET,
    databaseUrls: Object.fromEntries(
      databaseRoles.flatMap((role) => (given[urlVariable(role)] ? [[role, given[urlVariable(role)]]] : [])),
    ),
    databaseConnections: value.DATABASE_CONNECTIONS,
    databaseBinding: value.DATABASE_BINDING,
    statementTimeoutMs: value.STATEMENT_TIMEOUT_MS,
    redisUrl: value.REDIS_URL,
    jobs: value.JOBS === 'on',
    keptDays: {
      sessions: value.KEEP_SESSIONS_DAYS,
      usage: value.KEEP_USAGE_DAYS,
      jobs: value.KEEP_JOBS_DAYS,
    },
    subgraphs: value.SUBGRAPHS,
    viewerSecret: value.VIEWER_SECRET,
    tokenIssuer: value.TOKEN_ISSUER,
    tokenPrivateKey: value.TOKEN_PRIVATE_KEY,
    tokenPublicKeys: value.TOKEN_PUBLIC_KEYS,
    encryptionKeys: value.ENCRYPTION_KEYS,
    encryptionKeyFile: value.ENCRYPTION_KEY_FILE && resolve(projectRoot, value.ENCRYPTION_KEY_FILE),
    encryptionTransit: value.ENCRYPTION_TRANSIT_URL
      ? {
          url: value.ENCRYPTION_TRANSIT_URL,
          key: value.ENCRYPTION_TRANSIT_KEY!,
          token: value.ENCRYPTION_TRANSIT_TOKEN!,
        }
      : null,
    pageLimit: value.PAGE_LIMIT,
    anonymousPerMinute: value.RATE_LIMIT_PER_MINUTE,
    tenantCostPerMinute: value.TENANT_COST_PER_MINUTE,
    connectionsPerAddress: value.CONNECTIONS_PER_ADDRESS,
    introspection: value.INTROSPECTION ?? (value.NODE_ENV === 'production' ? 'signed-in' : 'public'),
    nestedPageLimit: value.NESTED_PAGE_LIMIT,
    logLevel: value.LOG_LEVEL,
    demoPassword: value.DEMO_PASSWORD,
    passwordRounds,
    persistedDocuments:
      value.PERSISTED_DOCUMENTS?.split(',').map((file) => resolve(projectRoot, file.trim())) ??
      (value.NODE_ENV === 'production' ? [] : [demoDocuments]),
    documents: value.DOCUMENTS,
    corsOrigins: value.CORS_ORIGINS,
    dashboard: (value.DASHBOARD ?? (value.NODE_ENV === 'production' ? 'off' : 'on')) === 'on',
    trustProxy: value.TRUST_PROXY === 'true',
    publicUrl: value.PUBLIC_URL ?? `http://${value.HOST}:${value.PORT}`,
    smtpUrl: value.SMTP_URL,
    mailFrom: value.MAIL_FROM,
    auditPrivateKey: value.AUDIT_PRIVATE_KEY,
    auditPublicKeys: value.AUDIT_PUBLIC_KEYS,
    screeningList: screeningList(value.SCREENING_LIST, value.NODE_ENV),
    s3: value.S3_URL
      ? {
          url: value.S3_URL,
          region: value.S3_REGION,
          accessKeyId: value.S3_ACCESS_KEY_ID ?? '',
          secretAccessKey: value.S3_SECRET_ACCESS_KEY ?? '',
        }
      : null,
  }
}

/**
 * Returns what Apollo's packages read from the environment themselves when they are constructed: reports of usage and
 * the look for cloud metadata are off, and the planner's limits against hostile selections cannot be switched off.
 */
export function overrideApolloVariables(): void {
  process.env.APOLLO_TELEMETRY_DISABLED = 'true'
  delete process.env.APOLLO_DISABLE_SECURITY_RECURSIVE_SELECTIONS_CHECK
  delete process.env.APOLLO_DISABLE_SECURITY_NON_LOCAL_SELECTIONS_CHECK
}

function urlFromParts(value: z.infer<typeof variables>): string | null {
  if (!value.POSTGRES_HOST) return null
  const user = encodeURIComponent(value.POSTGRES_USER ?? '')
  const password = value.POSTGRES_PASSWORD ? `:${encodeURIComponent(value.POSTGRES_PASSWORD)}` : ''
  const host = value.POSTGRES_HOST.includes(':')
    ? `[${value.POSTGRES_HOST}]`
    : encodeURIComponent(value.POSTGRES_HOST)
  return `postgresql://${user}${password}@${host}:${value.POSTGRES_PORT}/${encodeURIComponent(value.POSTGRES_DB ?? '')}`
}

/** A text that the given reader accepts; the reader's error says what is wrong with it. */
function parsedBy(read: (text: string) => unknown) {
  return z.string().superRefine((text, context) => {
    try {
      read(text)
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'cannot be read' })
    }
  })
}

function environment(): NodeJS.ProcessEnv {
  const file = join(projectRoot, '.env')
  if (process.env.NODE_ENV === 'test' || !existsSync(file)) return process.env
  return { ...parseEnv(readFileSync(file, 'utf8')), ...process.env }
}
