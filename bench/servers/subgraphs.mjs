// The product’s subgraphs over HTTP, in one process: for every gateway that is measured the same ones.
import tokenKeys from '../../dist/kernel/sign-in/token-keys.js'
import subgraphServers from '../../dist/product/subgraph-server.js'
import subgraphKernel from '../../dist/kernel/execution/start-subgraph.js'
import clocks from '../../dist/kernel/clock.js'
import definitions from '../../dist/subgraphs/index.js'
import databases from '../../dist/kernel/connection/database.js'
import configs from '../../dist/kernel/process/config.js'
import logs from '../../dist/kernel/process/log.js'
import stores from '../../dist/kernel/store/store.js'
import { given, isControl, serve } from './child.mjs'

const { systemClock } = clocks
const config = configs.loadConfig(given.env)
const log = logs.createLogger(config)
const { keyValue, rateLimit, pubSub } = await stores.openStore(config, log)
const services = {
  clock: systemClock,
  log,
  config,
  keyValue,
  rateLimit,
  pubSub,
  keys: tokenKeys.loadTokenKeys(config),
}
let calls = 0
let statements = 0
const at = {}
for (const definition of definitions.subgraphs) {
  const database = await databases.openDatabase({
    url: given.urls[definition.name],
    entities: [...definition.entities],
    connections: 3,
    applicationName: `bench ${definition.name}`,
    onStatement: ({ text }) => {
      if (!isControl(text)) statements += 1
    },
  })
  const running = await subgraphKernel.startSubgraph(definition, database, services)
  const counted = {
    ...running,
    execute: (operation) => {
      calls += 1
      return running.execute(operation)
    },
  }
  const { viewerSecret } = config
  at[definition.name] = (
    await subgraphServers.serveSubgraph(counted, { port: 0, host: '127.0.0.1', viewerSecret, log })
  ).url
}
serve(at, { counts: () => ({ calls, statements }) })
