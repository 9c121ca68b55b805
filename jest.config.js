const { suite } = require('./test/support/jest-suite')

module.exports = suite({
  testPathIgnorePatterns: [
    '/node_modules/',
    '/test/process/',
    '/test/redis/',
    '/test/pg15/',
    '/test/guide/',
    '/test/pgbouncer/',
    '/test/browser/',
    '/test/interop/',
  ],
})
