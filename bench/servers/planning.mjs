// A gateway over subgraphs that answer nothing, so that parsing and planning are what is left of a request. It measures
// by how much its event loop comes late.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { readFileSync } from 'node:fs'
import logs from '../../dist/kernel/process/log.js'
import gateways from '../../dist/gateway/gateway.js'
import { given, serve } from './child.mjs'

const log = logs.createLogger({ logLevel: 'error' })
const started = performance.now()
const gateway = await gateways.startGateway({
  supergraph: readFileSync(given.supergraph, 'utf8'),
  dataSource: () => ({
    process: async () => ({ data: {} }),
    ping: async () => undefined,
    close: async () => undefined,
  }),
  resolveViewer: async () => null,
  log,
  host: '127.0.0.1',
  port: 0,
  callersSignIn: false,
  limits: { pageLimit: Infinity },
  foreignSubgraphs: true,
  ...given.options,
})
const startMs = performance.now() - started

const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()
const ms = (nanoseconds) => nanoseconds / 1e6
serve(gateway.url, {
  begin: async () => {
    delay.reset()
    return true
  },
  end: async () => ({
    startMs,
    rssMiB: process.memoryUsage.rss() / 2 ** 20,
    p50: ms(delay.percentile(50)),
    p99: ms(delay.percentile(99)),
    max: ms(delay.max),
  }),
})
