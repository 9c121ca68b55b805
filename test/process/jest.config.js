const { suite } = require('../support/jest-suite')

/** Whole processes and clusters of their own: commands, signals, kill -9, first starts. Slow, so apart from `npm test`. */
module.exports = suite({ testMatch: ['<rootDir>/test/process/**/*.test.ts'] })
