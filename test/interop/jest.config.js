const { suite } = require('../support/jest-suite')

/** Another router over our subgraphs. `npm run test:interop` installs it in this folder first. */
module.exports = suite({ testMatch: ['<rootDir>/test/interop/**/*.test.ts'] })
