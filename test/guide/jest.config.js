const { suite } = require('../support/jest-suite')

/** Builds, type-checks and tests a copy of the project: too long for every `npm test`. */
module.exports = suite({
  testMatch: ['<rootDir>/test/guide/**/*.test.ts'],
  globalSetup: undefined,
  globalTeardown: undefined,
})
