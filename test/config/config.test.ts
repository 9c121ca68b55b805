import { readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { parseEnv } from 'node:util'
import { generateKeyPairSync } from 'node:crypto'
import {
  ConfigError,
  overrideApolloVariables,
  loadConfig,
  projectRoot,
  variableNames,
  demoDocuments,
} from '../../kernel/process/config'
import { subgraphNames } from '../../kernel/schema/subgraph-names'

const secret = 'a-secret-of-thirty-two-characters'
const url = 'postgresql://migrator:pa55word@db.example:5432/graph'
const { privateKey } = generateKeyPairSync('ed25519')
const jwk = privateKey.export({ format: 'jwk' })
const jwks = { keys: [{ kty: jwk.kty, crv: jwk.crv, x: jwk.x }] }

const masterKeys = `main:${Buffer.alloc(32, 1).toString('base64')}`

/** The faults of a configuration that is refused. */
function faultsOf(env: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig(env)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  throw new Error('The configuration was accepted')
}

describe('the configuration', () => {
  test('needs nothing: every variable has a default', () => {
    expect(loadConfig({})).toEqual({
      nodeEnv: 'development',
      host: '127.0.0.1',
      port: 4000,
      dataDir: join(projectRoot, '.data'),
      databaseUrl: null,
      databaseAppSecret: null,
      databaseUrls: {},
      databaseConnections: 42,
      databaseBinding: 'prepared',
      statementTimeoutMs: 10_000,
      redisUrl: null,
      screeningList: expect.stringMatching(/sample-list\.json$/) as string,
      jobs: true,
      keptDays: { sessions: 30, usage: 400, jobs: 30 },
      subgraphs: 'in-process',
      viewerSecret: null,
      tokenIssuer: 'tenantgraph',
      tokenPrivateKey: null,
      tokenPublicKeys: null,
      encryptionKeys: null,
      encryptionKeyFile: null,
      encryptionTransit: null,
      pageLimit: 100,
      passwordRounds: 12,
      anonymousPerMinute: 1200,
      tenantCostPerMinute: 10_000_000,
      connectionsPerAddress: 2000,
      introspection: 'public',
      nestedPageLimit: 50,
      logLevel: 'info',
      demoPassword: 'demo-password',
      persistedDocuments: [demoDocuments],
      documents: 'any',
      corsOrigins: [],
      dashboard: true,
      trustProxy: false,
      publicUrl: 'http://127.0.0.1:4000',
      smtpUrl: null,
      mailFrom: 'tenantgraph <no-reply@localhost>',
      s3: null,
      auditPrivateKey: null,
      auditPublicKeys: null,
    })
  })

  test('G5: persisted documents are the demo’s outside of production only, and can be the only ones', () => {
    const safe = { NODE_ENV: 'production' }
    expect(loadConfig(safe)).toMatchObject({ persistedDocuments: [], documents: 'any', dashboard: false })
    const named = loadConfig({ ...safe, PERSISTED_DOCUMENTS: 'a.json, /b.json', DOCUMENTS: 'known' })
    expect(named).toMatchObject({
      persistedDocuments: [join(projectRoot, 'a.json'), '/b.json'],
      documents: 'known',
    })
    expect(faultsOf({ ...safe, DOCUMENTS: 'known' })).toEqual([
      'DOCUMENTS=known needs PERSISTED_DOCUMENTS: name the manifests of the documents that are to be executed',
    ])
  })

  test('takes every variable', () => {
    const config = loadConfig({
      NODE_ENV: 'production',
      HOST: '0.0.0.0',
      PORT: '0',
      DATA_DIR: '/var/lib/graph',
      DATABASE_URL: url,
      DATABASE_APP_SECRET: secret,
      DATABASE_URL_HR: 'postgres://hr@db.example/graph',
      DATABASE_CONNECTIONS: '7',
      DATABASE_BINDING: 'unnamed',
      STATEMENT_TIMEOUT_MS: '500',
      REDIS_URL: 'rediss://:pw@cache.example:6380/2',
      SUBGRAPHS: 'hr=http://10.0.0.5:4105/graphql, finance = https://finance.example/graphql?a=b',
      VIEWER_SECRET: secret,
      TOKEN_ISSUER: 'example',
      TOKEN_PRIVATE_KEY: JSON.stringify(jwk),
      TOKEN_PUBLIC_KEYS: JSON.stringify(jwks),
      ENCRYPTION_KEYS: masterKeys,
      PAGE_LIMIT: '200',
      RATE_LIMIT_PER_MINUTE: '60',
      TENANT_COST_PER_MINUTE: '50000',
      CONNECTIONS_PER_ADDRESS: '100',
      INTROSPECTION: 'off',
      NESTED_PAGE_LIMIT: '10',
      LOG_LEVEL: 'warn',
      DEMO_PASSWORD: 'another password',
      TRUST_PROXY: 'true',
      PUBLIC_URL: 'https://app.example/office/',
      SMTP_URL: 'smtps://u%40x:pw@mail.example',
      MAIL_FROM: 'Example <no-reply@app.example>',
      S3_URL: 'https://s3.example/files/',
      AUDIT_PRIVATE_KEY: JSON.stringify(jwk),
      AUDIT_PUBLIC_KEYS: JSON.stringify(jwks),
      S3_REGION: 'eu-central-1',
      S3_ACCESS_KEY_ID: 'key',
      S3_SECRET_ACCESS_KEY: 'hunter2',
    })
    expect(config).toMatchObject({
      nodeEnv: 'production',
      host: '0.0.0.0',
      port: 0,
      dataDir: '/var/lib/graph',
      databaseUrl: url,
      databaseAppSecret: secret,
      databaseUrls: { hr: 'postgres://hr@db.example/graph' },
      databaseConnections: 7,
      databaseBinding: 'unnamed',
      statementTimeoutMs: 500,
      redisUrl: 'rediss://:pw@cache.example:6380/2',
      subgraphs: { hr: 'http://10.0.0.5:4105/graphql', finance: 'https://finance.example/graphql?a=b' },
      viewerSecret: secret,
      tokenIssuer: 'example',
      encryptionKeys: masterKeys,
      pageLimit: 200,
      anonymousPerMinute: 60,
      tenantCostPerMinute: 50_000,
      connectionsPerAddress: 100,
      introspection: 'off',
      nestedPageLimit: 10,
      logLevel: 'warn',
      demoPassword: 'another password',
      trustProxy: true,
      publicUrl: 'https://app.example/office',
      smtpUrl: 'smtps://u%40x:pw@mail.example',
      mailFrom: 'Example <no-reply@app.example>',
      auditPrivateKey: JSON.stringify(jwk),
      auditPublicKeys: JSON.stringify(jwks),
      s3: {
        url: 'https://s3.example/files',
        region: 'eu-central-1',
        accessKeyId: 'key',
        secretAccessKey: 'hunter2',
      },
    })
    expect(config.databaseUrls).toEqual({ hr: 'postgres://hr@db.example/graph' })
  })

  test('O9 shows the schema to signed-in callers in production, and to everybody elsewhere, unless told', () => {
    const shown = (more: NodeJS.ProcessEnv) =>
      loadConfig({ DEMO_PASSWORD: 'another password', ...more }).introspection
    expect(shown({ NODE_ENV: 'production' })).toBe('signed-in')
    expect(shown({ NODE_ENV: 'development' })).toBe('public')
    expect(shown({ NODE_ENV: 'production', INTROSPECTION: 'public' })).toBe('public')
    expect(() => shown({ INTROSPECTION: 'true' })).toThrow(
      'INTROSPECTION must be one of public, signed-in, off',
    )
  })

  test('takes an empty variable as not set', () => {
    expect(loadConfig({ PORT: '', DATABASE_URL: ' ', LOG_LEVEL: '' })).toEqual(loadConfig({}))
  })

  test('reports all faults at once, one line each, without a word of a secret', () => {
    const error = (() => {
      try {
        return loadConfig({
          PORT: 'http',
          LOG_LEVEL: 'loud',
          DATABASE_URL: 'mysql://root:hunter2@db',
          SUBGRAPHS: 'billing=http://x',
          TOKEN_PRIVATE_KEY: '{"d":"hunter2"',
        })
      } catch (thrown) {
        return thrown as ConfigError
      }
    })() as ConfigError
    expect(error.message.split('\n')).toEqual([
      'The configuration has 7 faults (.env.example explains every variable):',
      ...error.faults.map((line) => `  ${line}`),
    ])
    expect(error.faults.map((line) => line.split(' ')[0])).toEqual([
      'PORT',
      'DATABASE_URL',
      'SUBGRAPHS',
      'TOKEN_PRIVATE_KEY',
      'LOG_LEVEL',
      'DATABASE_APP_SECRET',
      'VIEWER_SECRET',
    ])
    expect(error.message).not.toContain('hunter2')
  })

  test.each([
    ['PORT', '65536', 'PORT must be a whole number from 0 to 65535'],
    ['PORT', '-1', 'PORT must be a whole number from 0 to 65535'],
    ['PORT', '4e3', 'PORT must be a whole number from 0 to 65535'],
    ['NODE_ENV', 'prod', 'NODE_ENV must be one of production, development, test'],
    ['STATEMENT_TIMEOUT_MS', '0', 'STATEMENT_TIMEOUT_MS must be a whole number from 100 to 600000'],
    ['PAGE_LIMIT', '1000000', 'PAGE_LIMIT must be a whole number from 1 to 1000'],
    ['DATABASE_CONNECTIONS', '0', 'DATABASE_CONNECTIONS must be a whole number from 1 to 10000'],
    ['DATABASE_BINDING', 'none', 'DATABASE_BINDING must be one of prepared, unnamed, pipeline'],
    ['TRUST_PROXY', 'yes', 'TRUST_PROXY must be one of true, false'],
    ['DEMO_PASSWORD', 'short', 'DEMO_PASSWORD must have 8 to 72 characters'],
    ['DEMO_PASSWORD', 'é'.repeat(37), 'DEMO_PASSWORD must have 8 to 72 characters'],
    ['REDIS_URL', 'localhost:6379', 'REDIS_URL must be a URL that begins with redis:// or rediss://'],
    [
      'DATABASE_URL_HR',
      'hr.example',
      'DATABASE_URL_HR must be a URL that begins with postgres:// or postgresql://',
    ],
    [
      'VIEWER_SECRET',
      'short',
      'VIEWER_SECRET is too short: use 32 or more random characters (openssl rand -base64 32)',
    ],
    [
      'DATABASE_URL_SALES',
      url,
      'DATABASE_URL_SALES names no role: the roles are IDENTITY, TENANCY, INSIGHTS, COMPLIANCE, HR, FINANCE, GATEWAY',
    ],
    ['POSTGRES_DB', 'graph', 'POSTGRES_DB has no effect without POSTGRES_HOST: set that too, or remove it'],
    [
      'PUBLIC_URL',
      'app.example',
      'PUBLIC_URL must be an http:// or https:// URL without credentials, query and fragment',
    ],
    [
      'PUBLIC_URL',
      'ftp://app.example',
      'PUBLIC_URL must be an http:// or https:// URL without credentials, query and fragment',
    ],
    [
      'PUBLIC_URL',
      'https://u:p@app.example',
      'PUBLIC_URL must be an http:// or https:// URL without credentials, query and fragment',
    ],
    [
      'PUBLIC_URL',
      'https://app.example/?a=b',
      'PUBLIC_URL must be an http:// or https:// URL without credentials, query and fragment',
    ],
    [
      'PUBLIC_URL',
      'https://app.example/#a',
      'PUBLIC_URL must be an http:// or https:// URL without credentials, query and fragment',
    ],
    ['MAIL_FROM', 'nobody', 'MAIL_FROM must be an e-mail address, or Name <address>'],
    ['MAIL_FROM', 'a@b.example, c@d.example', 'MAIL_FROM must be an e-mail address, or Name <address>'],
    ['MAIL_FROM', 'A <a@b.example>, c@d.example', 'MAIL_FROM must be an e-mail address, or Name <address>'],
    [
      'MAIL_FROM',
      'A\nBcc: x@y.example <a@b.example>',
      'MAIL_FROM must be an e-mail address, or Name <address>',
    ],
    ['SMTP_URL', 'mail.example:25', 'SMTP_URL must be a URL that begins with smtp:// or smtps://'],
  ])('refuses %s=%s', (name, value, fault) => {
    const beside = name === 'SMTP_URL' ? { MAIL_FROM: 'a@b.example', PUBLIC_URL: 'https://b.example' } : {}
    expect(faultsOf({ ...beside, [name]: value })).toEqual([fault])
  })

  test.each([
    [
      'billing=http://x',
      'SUBGRAPHS names no subgraph with "billing": use in-process, or name=url,… with identity, tenancy, insights, compliance, hr, finance',
    ],
    ['hr=http://a,hr=http://b', 'SUBGRAPHS names hr twice'],
    ['hr', 'SUBGRAPHS needs an http:// or https:// URL for hr'],
    ['hr=ftp://a', 'SUBGRAPHS needs an http:// or https:// URL for hr'],
    [
      'hr=http://u:p@a',
      'SUBGRAPHS must not carry credentials in the URL of hr: VIEWER_SECRET authenticates the gateway',
    ],
  ])('refuses SUBGRAPHS=%s', (value, fault) => {
    expect(faultsOf({ SUBGRAPHS: value, VIEWER_SECRET: secret })).toEqual([fault])
  })

  test.each([
    ['TOKEN_PRIVATE_KEY', 'no JSON'],
    ['TOKEN_PRIVATE_KEY', JSON.stringify({ ...jwk, d: undefined })],
    [
      'TOKEN_PRIVATE_KEY',
      JSON.stringify({ ...jwk, x: generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x }),
    ],
    ['TOKEN_PRIVATE_KEY', JSON.stringify(generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' }))],
    ['AUDIT_PRIVATE_KEY', 'no JSON'],
    ['AUDIT_PUBLIC_KEYS', JSON.stringify({ keys: [jwk] })],
    ['TOKEN_PUBLIC_KEYS', JSON.stringify({ keys: [] })],
    ['TOKEN_PUBLIC_KEYS', JSON.stringify({ keys: [jwk] })],
    ['TOKEN_PUBLIC_KEYS', JSON.stringify({ keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AA' }] })],
    ['TOKEN_PUBLIC_KEYS', JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] })],
  ])('refuses %s=%s', (name, value) => {
    expect(faultsOf({ [name]: value })).toEqual([
      expect.stringMatching(new RegExp(`^${name} (must|has|holds) `)),
    ])
  })
})

test('mail that leaves needs a sender and where its links lead', () => {
  expect(faultsOf({ SMTP_URL: 'smtp://mail.example' })).toEqual([
    expect.stringMatching(/^MAIL_FROM is missing/),
    expect.stringMatching(/^PUBLIC_URL is missing/),
  ])
})

test('a bucket needs its key, and a key its bucket', () => {
  expect(faultsOf({ S3_URL: 'https://s3.example/files' })).toEqual([
    'S3_ACCESS_KEY_ID is missing: S3_URL needs the key of the bucket',
    'S3_SECRET_ACCESS_KEY is missing: S3_URL needs the key of the bucket',
  ])
  expect(faultsOf({ S3_SECRET_ACCESS_KEY: 'hunter2' })).toEqual([
    'S3_SECRET_ACCESS_KEY has no effect without S3_URL: set that too, or remove it',
  ])
})

describe('an external database', () => {
  const external = { DATABASE_URL: url, DATABASE_APP_SECRET: secret }
  const ownUrls = Object.fromEntries(
    [...subgraphNames, 'gateway'].map((role) => [`DATABASE_URL_${role.toUpperCase()}`, url]),
  )

  test('needs the secret that its roles derive from, or a URL for each of them', () => {
    const { DATABASE_URL_GATEWAY, ...six } = ownUrls
    expect(loadConfig(external).databaseAppSecret).toBe(secret)
    expect(faultsOf({ DATABASE_URL: url })).toEqual([
      expect.stringMatching(/^DATABASE_APP_SECRET is missing/),
    ])
    expect(faultsOf({ DATABASE_URL: url, ...six })).toHaveLength(1)
    expect(loadConfig({ DATABASE_URL: url, ...six, DATABASE_URL_GATEWAY }).databaseAppSecret).toBeNull()
  })

  test('C6 takes encryption keys from one place, whole', () => {
    const transit = {
      ENCRYPTION_TRANSIT_URL: 'https://vault.example/v1/transit',
      ENCRYPTION_TRANSIT_KEY: 'graph',
      ENCRYPTION_TRANSIT_TOKEN: 's3cret',
    }
    expect(loadConfig(transit).encryptionTransit).toEqual({
      url: 'https://vault.example/v1/transit',
      key: 'graph',
      token: 's3cret',
    })
    expect(loadConfig({ ENCRYPTION_KEY_FILE: '/run/keys' }).encryptionKeyFile).toBe('/run/keys')
    expect(faultsOf({ ENCRYPTION_TRANSIT_URL: transit.ENCRYPTION_TRANSIT_URL })).toEqual([
      'ENCRYPTION_TRANSIT_KEY, ENCRYPTION_TRANSIT_TOKEN is missing: a key service needs all of ENCRYPTION_TRANSIT_URL, ENCRYPTION_TRANSIT_KEY, ENCRYPTION_TRANSIT_TOKEN',
    ])
    expect(faultsOf({ ENCRYPTION_KEYS: masterKeys, ENCRYPTION_KEY_FILE: '/run/keys' })).toEqual([
      'ENCRYPTION_KEYS and ENCRYPTION_KEY_FILE both say where encryption keys are: remove all but one',
    ])
    expect(faultsOf({ ENCRYPTION_KEYS: 'main:c2hvcnQ=' })).toEqual([
      'ENCRYPTION_KEYS must be name:key,… with 32 bytes in Base64 as key (openssl rand -base64 32)',
    ])
  })

  test('lets nobody from outside sign in with the known demo password in production', () => {
    const open = { NODE_ENV: 'production', HOST: '0.0.0.0' }
    expect(faultsOf(open)).toEqual([expect.stringMatching(/^DEMO_PASSWORD is missing/)])
    expect(loadConfig({ ...open, DEMO_PASSWORD: 'something else' }).demoPassword).toBe('something else')
    expect(loadConfig({ ...open, HOST: '127.0.0.1' }).host).toBe('127.0.0.1')
  })
  test('in production needs the signing key from outside, or public keys where identity runs elsewhere', () => {
    const production = { ...external, NODE_ENV: 'production' }
    const distributed = {
      ...production,
      VIEWER_SECRET: secret,
      SUBGRAPHS: 'identity=http://10.0.0.5:4101/graphql',
    }
    expect(faultsOf(production)).toEqual([expect.stringMatching(/^TOKEN_PRIVATE_KEY is missing/)])
    expect(faultsOf({ ...production, TOKEN_PUBLIC_KEYS: JSON.stringify(jwks) })).toHaveLength(1)
    expect(loadConfig({ ...production, TOKEN_PRIVATE_KEY: JSON.stringify(jwk) }).nodeEnv).toBe('production')
    expect(faultsOf(distributed)).toHaveLength(1)
    expect(loadConfig({ ...distributed, TOKEN_PUBLIC_KEYS: JSON.stringify(jwks) }).tokenPrivateKey).toBeNull()
  })

  test('may be given in parts', () => {
    const parts = {
      POSTGRES_HOST: 'db',
      POSTGRES_DB: 'my graph',
      POSTGRES_USER: 'a@b',
      DATABASE_APP_SECRET: secret,
    }
    expect(loadConfig(parts).databaseUrl).toBe('postgresql://a%40b@db:5432/my%20graph')
    expect(loadConfig({ ...parts, POSTGRES_PASSWORD: 'p:w/', POSTGRES_PORT: '6432' }).databaseUrl).toBe(
      'postgresql://a%40b:p%3Aw%2F@db:6432/my%20graph',
    )
    expect(loadConfig({ ...parts, POSTGRES_HOST: '::1' }).databaseUrl).toBe(
      'postgresql://a%40b@[::1]:5432/my%20graph',
    )
    expect(loadConfig({ ...parts, POSTGRES_HOST: '/run/pg' }).databaseUrl).toBe(
      'postgresql://a%40b@%2Frun%2Fpg:5432/my%20graph',
    )
    expect(faultsOf({ ...parts, POSTGRES_DB: '' })).toHaveLength(1)
    expect(faultsOf({ ...parts, DATABASE_URL: url })).toEqual([
      'DATABASE_URL and POSTGRES_HOST both name a database: remove one of them',
    ])
  })

  test('behind HTTP subgraphs needs the secret that signs the viewer', () => {
    expect(faultsOf({ SUBGRAPHS: 'hr=http://10.0.0.5:4105/graphql' })).toEqual([
      expect.stringMatching(/^VIEWER_SECRET is missing/),
    ])
  })
})

describe('.env.example', () => {
  const text = readFileSync(join(projectRoot, '.env.example'), 'utf8')
  const uncommented = text.replace(/^# ([A-Z0-9_]+=)/gm, '$1')

  test('lists exactly the variables that are read', () => {
    expect(Object.keys(parseEnv(uncommented)).sort()).toEqual([...variableNames].sort())
  })

  test('sets nothing, and shows the defaults', () => {
    expect(parseEnv(text)).toEqual({})
    expect(loadConfig(parseEnv(uncommented))).toEqual(loadConfig({}))
  })
})

test('the project root holds package.json', () => {
  expect(isAbsolute(projectRoot)).toBe(true)
  expect(JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))).toMatchObject({
    name: 'tenantgraph',
  })
})

test("the environment switches neither the libraries' telemetry on nor the planner's limits off", () => {
  const limits = [
    'APOLLO_DISABLE_SECURITY_RECURSIVE_SELECTIONS_CHECK',
    'APOLLO_DISABLE_SECURITY_NON_LOCAL_SELECTIONS_CHECK',
  ]
  for (const name of limits) process.env[name] = 'true'
  overrideApolloVariables()
  expect(process.env.APOLLO_TELEMETRY_DISABLED).toBe('true')
  expect(limits.filter((name) => name in process.env)).toEqual([])
})
