import pino from 'pino'
import type { Config } from './config'

export type Logger = pino.Logger

/**
 * Members that never reach a log, at the top of a logged object, one and two levels inside. The last guard, not the
 * first: code logs what it means to log, and variables of operations not at all.
 */
const secretMembers = [
  'password',
  'newPassword',
  'currentPassword',
  'passwordHash',
  'secret',
  'token',
  'accessToken',
  'refreshToken',
  'apiKey',
  'authorization',
  'cookie',
  '["x-api-key"]',
  '["x-viewer"]',
  'viewerSecret',
  'databaseAppSecret',
  'databaseUrl',
  'databaseUrls',
  'redisUrl',
  'smtpUrl',
  'secretAccessKey',
  'invitationToken',
  'tokenPrivateKey',
  'encryptionKeys',
  'encryptionTransit',
  'auditPrivateKey',
  'demoPassword',
  'connectionString',
]

/** The names of all fields that the schema marks `@sensitive`, and of columns of the same kind. A contract test compares. */
const sensitiveMembers = [
  ...['email', 'username', 'firstName', 'lastName', 'fullName', 'fullNameOverride', 'avatarUrl', 'phone'],
  ...['preferences', 'metadata', 'content', 'data', 'changes', 'ipAddress', 'userAgent', 'deviceLabel'],
  ...['subjectName', 'subjectBirthDate', 'listedName', 'comment', 'rationale', 'sourceIp', 'destinationIp'],
  ...['customerEmail', 'requesterEmail', 'subject', 'description', 'body'],
  ...['salary', 'performanceScore', 'retentionRisk', 'mfaSecret', 'reason', 'correctionReason'],
  ...['commission', 'flatAmount', 'base', 'rate', 'transaction'],
  ...['decisionNote', 'verification', 'legalGround', 'outcome', 'extensionReason'],
  ...['place', 'note'],
]

/**
 * The structured log: one JSON object per line, instants as ISO text.
 *
 * @param destination where lines go, standard output by default
 */
export function createLogger(config: Pick<Config, 'logLevel'>, destination?: pino.DestinationStream): Logger {
  const options: pino.LoggerOptions = {
    level: config.logLevel,
    base: undefined,
    timestamp: isoTime(),
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: describeError },
    redact: {
      paths: ['', '*.', '*.*.'].flatMap((inside) =>
        [...secretMembers, ...sensitiveMembers].map((name) =>
          name.startsWith('[') ? `${inside.replace(/\.$/, '')}${name}` : `${inside}${name}`,
        ),
      ),
      censor: '[redacted]',
    },
  }
  return destination ? pino(options, destination) : pino(options)
}

/**
 * A logger of the same lines at the same place that does not look for secrets: for a line whose members are all known
 * and none of which can be one. Looking through one line of a request takes longer than writing it.
 */
export function withoutRedaction(log: Logger): Logger {
  return log.child({}, { redact: [] })
}

/** The present instant as pino wants it; only the milliseconds are written anew within one second. */
function isoTime(): () => string {
  let second = NaN
  let text = ''
  return () => {
    const now = Date.now()
    const ms = now % 1000
    if (now - ms !== second) {
      second = now - ms
      text = `,"time":"${new Date(second).toISOString().slice(0, -4)}`
    }
    return `${text}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z"`
  }
}

/** Error members worth a line. The rest stays out: database errors carry the row's values in detail and parameters. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { code, constraint, cause } = error as Error & { code?: unknown; constraint?: unknown }
  return {
    type: error.constructor.name,
    message: error.message,
    stack: error.stack,
    code,
    constraint,
    cause: cause === undefined ? undefined : describeError(cause),
  }
}
