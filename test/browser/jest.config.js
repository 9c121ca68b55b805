const { suite } = require('../support/jest-suite')

/** Needs a Chromium: /usr/bin/chromium or what CHROMIUM names. */
module.exports = suite({ testMatch: ['<rootDir>/test/browser/**/*.test.ts'] })
