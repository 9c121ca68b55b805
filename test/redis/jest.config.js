const { suite } = require('../support/jest-suite')

/** Needs a redis-server on the PATH. */
module.exports = suite({ testMatch: ['<rootDir>/test/redis/**/*.test.ts'] })
