const { availableParallelism } = require('node:os')

/** How TypeScript becomes what Node runs: the product's settings (.swcrc). */
const typescript = {
  swcrc: false,
  jsc: {
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
    target: 'es2022',
    keepClassNames: true,
  },
  module: { type: 'commonjs' },
  sourceMaps: 'inline',
}
exports.typescript = typescript

/** The jest settings every suite shares; each suite adds which tests it runs. */
exports.suite = (settings) => ({
  rootDir: require('path').join(__dirname, '../..'),
  testEnvironment: '<rootDir>/test/support/environment.js',
  runtime: '<rootDir>/test/support/runtime.js',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.data', '<rootDir>/bench'],
  // Tests wait for PostgreSQL a good part of the time: one worker more than there are cores.
  maxWorkers: availableParallelism() + 1,
  // Far beyond what a test takes: a machine that is slow, or shared, is no failure.
  testTimeout: 180_000,
  // Timers that outlive a test file keep its graph for some minutes: a worker that has grown begins anew.
  workerIdleMemoryLimit: '1.5GB',
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  transform: {
    '^.+\\.ts$': ['@swc/jest', typescript],
  },
  ...settings,
})
