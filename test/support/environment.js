const performance = require('node:perf_hooks')
const { ModernFakeTimers } = require('@jest/fake-timers')
const { ModuleMocker } = require('jest-mock')

// prom-client never stops the monitor that it asks for, and a monitor holds the test in which it was made: one for all.
const monitor = performance.monitorEventLoopDelay({ resolution: 10 })
performance.monitorEventLoopDelay = () => monitor

/** Globals that belong to one test file; what it did to them is undone when it ends. */
const ownGlobals = ['console', 'typeormMetadataArgsStorage', 'testOperations']

/** What jest-circus keeps of a file in symbols: its tests, who is told of them, and its limits of time. */
const circusState = new Set([
  'JEST_STATE_SYMBOL',
  'EVENT_HANDLERS',
  'TEST_TIMEOUT_SYMBOL',
  'RETRY_TIMES',
  'RETRY_TIMES_SETTER',
  'RETRY_IMMEDIATELY',
  'WAIT_BEFORE_RETRY',
  'LOG_ERRORS_BEFORE_RETRY',
])

/**
 * The worker's own realm instead of a fresh one for each file: packages from node_modules are loaded once (see
 * runtime.js), `instanceof` holds between them and our code, and globals are reached at full speed.
 * Prints the GraphQL operations of a test that fails: query, variables and answer.
 */
module.exports = class {
  constructor({ projectConfig }) {
    this.global = globalThis
    this.moduleMocker = new ModuleMocker(globalThis)
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis })
    this.fakeTimers = this.fakeTimersModern
    this.kept = new Map(ownGlobals.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]))
    this.env = { ...process.env }
    this.exit = process.exit
    for (const name of ['typeormMetadataArgsStorage', 'testOperations']) delete globalThis[name]
  }

  async setup() {}

  async teardown() {
    this.fakeTimersModern.dispose()
    // Packages are shared with the next file: spies on them end with this one.
    this.moduleMocker.restoreAllMocks()
    process.exit = this.exit
    for (const name of Object.keys(process.env)) if (!(name in this.env)) delete process.env[name]
    Object.assign(process.env, this.env)
    for (const symbol of Object.getOwnPropertySymbols(globalThis))
      if (circusState.has(symbol.description)) delete globalThis[symbol]
    for (const [name, descriptor] of this.kept)
      if (descriptor) Object.defineProperty(globalThis, name, descriptor)
      else delete globalThis[name]
  }

  exportConditions() {
    return ['node', 'node-addons']
  }

  getVmContext() {
    return null
  }

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
