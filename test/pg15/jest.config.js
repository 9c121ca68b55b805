const { suite } = require('../support/jest-suite')

/** The tests that reach the database, again on the oldest PostgreSQL we promise, installed by the system. */
process.env.TEST_POSTGRES_BIN ??= '/usr/lib/postgresql/15/bin'

const withoutDatabase = [
  'redis',
  'pgbouncer',
  'guide',
  'browser',
  'interop',
  'registry',
  'gateway',
  'config',
  'money',
  'store',
  'tokens',
]

module.exports = suite({
  testPathIgnorePatterns: [
    '/node_modules/',
    ...withoutDatabase.map((name) => `/test/${name}/`),
    // Of the processes, those that take another PostgreSQL.
    '/test/process/(?!embedded-database|prepare-database|backup)',
  ],
})
