const { suite } = require('../support/jest-suite')

/** Needs a redis-server on the PATH and no PostgreSQL. */
module.exports = suite({
  testMatch: ['<rootDir>/test/redis/**/*.test.ts'],
  globalSetup: undefined,
  globalTeardown: undefined,
})
