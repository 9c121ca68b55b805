const { TestEnvironment } = require('jest-environment-node')

/** Prints the GraphQL operations of a test that fails: query, variables and answer. */
module.exports = class extends TestEnvironment {
  async handleTestEvent(event) {
    const operations = this.global.testOperations
    if (!operations) return
    if (event.name === 'test_start') operations.length = 0
    if (event.name === 'test_fn_failure' && operations.length > 0) {
      const shown = operations.map((describe) => describe())
      process.stderr.write(`\nLast operations of "${event.test.name}":\n\n${shown.join('\n\n')}\n\n`)
    }
  }
}
