const { suite } = require('../support/jest-suite')

/** Needs pgbouncer on the PATH (Debian: apt-get install pgbouncer). */
module.exports = suite({
  testMatch: ['<rootDir>/test/pgbouncer/**/*.test.ts'],
  // A test asks every question of the graph, over few connections.
  testTimeout: 900_000,
})
