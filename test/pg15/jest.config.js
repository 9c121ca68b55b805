const { suite } = require('../support/jest-suite')

/** The whole test tree again on the oldest PostgreSQL we promise, installed by the system. */
process.env.TEST_POSTGRES_BIN ??= '/usr/lib/postgresql/15/bin'

module.exports = suite({ testPathIgnorePatterns: ['/node_modules/', '/test/redis/'] })
