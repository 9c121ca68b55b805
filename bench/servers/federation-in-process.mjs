// Our gateway with the four subgraphs of the library in its own process. They execute every fetch: nothing is kept of
// their answers.
import { readFileSync } from 'node:fs'
import gateways from '../../dist/gateway/gateway.js'
import sources from '../../dist/gateway/subgraphs/local.js'
import viewers from '../../dist/gateway/operations/viewer.js'
import execution from '../../dist/kernel/execution/compile.js'
import logs from '../../dist/kernel/process/log.js'
import { schemas } from '../federation/subgraphs.mjs'
import { given, serve } from './child.mjs'

let calls = 0
/** A subgraph as the gateway takes it in process. */
function running(schema) {
  const execute = execution.compiledExecution(schema)
  return {
    execute: async ({ document, operationName, variables, context }) => {
      calls += 1
      return execute({ document, operationName, variableValues: variables, contextValue: context })
    },
  }
}

// All else as `npm run gateway` has it.
const gateway = await gateways.startGateway({
  supergraph: readFileSync(given.supergraph, 'utf8'),
  dataSource: ({ name }) => sources.localDataSource(running(schemas[name])),
  resolveViewer: viewers.anonymous,
  log: logs.createLogger({ logLevel: 'info' }),
  host: '127.0.0.1',
  port: 0,
  callersSignIn: false,
  limits: { pageLimit: Infinity },
  foreignSubgraphs: true,
})
serve(gateway.url, { counts: () => ({ calls, statements: 0 }) })
