/**
 * `node --require ./test/support/typescript.js script.ts`: runs TypeScript in a child process without a build.
 * The settings are those the tests are transformed with.
 */
const { transformFileSync } = require('@swc/core')
const { typescript } = require('./jest-suite')

require.extensions['.ts'] = (module, file) => module._compile(transformFileSync(file, typescript).code, file)
