const { createRequire, isBuiltin } = require('node:module')
const { Script } = require('node:vm')
const { default: Runtime } = require('jest-runtime')

/** Compiled modules of this worker by file, with the text they were compiled from. */
const compiled = new Map()

/**
 * Loads our own modules anew for each test file, and packages from node_modules once for each worker: to evaluate
 * graphql, Apollo and TypeORM for every file took most of the suite's time. Goes with environment.js.
 */
module.exports = class extends Runtime {
  constructor(...settings) {
    super(...settings)
    this.executor.compile = (text, filename) => {
      const known = compiled.get(filename)
      if (known?.text === text) return known.script.runInThisContext()
      const head = `(function (${this.executor.injectedModuleParameters.join(', ')}) {`
      const script = new Script(`${head}${text}\n})`, { filename, columnOffset: -head.length })
      compiled.set(filename, { text, script })
      return script.runInThisContext()
    }
  }

  requireModule(from, name, options, isActual) {
    const isPackage = name && !/^[./]|^[a-z]:\\/i.test(name) && !isBuiltin(name)
    // What Jest's own modules require is left to Jest: they keep the state of the file that runs.
    const isOurs = !options?.isInternalModule && !from.includes('/node_modules/')
    if (isPackage && isOurs) return createRequire(from)(name)
    return super.requireModule(from, name, options, isActual)
  }
}
