import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { unenforcedFeatures } from '../registry/composition/compose'
import { startGateway } from '../gateway/gateway'
import { operationsInManifest } from '../gateway/plans/expected-operations'
import { readPersistedDocuments } from '../gateway/operations/persisted-documents'
import { forwardedHeaders, remoteDataSource } from '../gateway/subgraphs/remote'
import { anonymous } from '../gateway/operations/viewer'
import { folderStore } from '../registry/versions/folder-store'
import { followVariant } from '../registry/versions/poll-variant'
import { createLogger } from '../kernel/process/log'
import { openRegistry } from './registry'

const usage = `npm run gateway -- --supergraph FILE | --registry DIR|database [options]

Serves a composed Federation 2 supergraph over its HTTP subgraphs: no sign-in, and no database unless it is the registry.

--supergraph FILE         the composed supergraph; subgraph URLs are those in the file
--registry DIR|database   follow what "npm run schema -- publish" puts there: new versions are loaded while it runs, one
                          that cannot be served is refused and the last good one stays
--variant NAME            of the registry, default main
--poll MS                 how often to look for a new version, default 10000
--port N                  default 4000; 0 = any free port
--host H                  default 127.0.0.1
--forward-header NAME     pass this header of the client on to every subgraph; may be repeated; default: none
--operations FILE         a manifest of persisted documents: clients may send their ids, and they are prepared after the
                          start, before anybody asks; may be repeated
--documents any|known     known: only documents of the manifests are executed; default any
--timeout MS              for one subgraph's answer, default 30000
--log-level LEVEL         default info; "silent" prints the ready line only
--subgraphs-enforce-access
                          load a supergraph with @authenticated, @requiresScopes or @policy. This gateway does not
                          enforce them: say so only if every subgraph does by itself, on _entities as well. What is
                          @inaccessible is hidden without it
--help`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      supergraph: { type: 'string' },
      registry: { type: 'string' },
      variant: { type: 'string', default: 'main' },
      poll: { type: 'string', default: '10000' },
      port: { type: 'string', default: '4000' },
      host: { type: 'string', default: '127.0.0.1' },
      'forward-header': { type: 'string', multiple: true, default: [] },
      operations: { type: 'string', multiple: true, default: [] },
      documents: { type: 'string', default: 'any' },
      timeout: { type: 'string', default: '30000' },
      'log-level': { type: 'string', default: 'info' },
      'subgraphs-enforce-access': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return console.log(usage)
  if ((values.supergraph === undefined) === (values.registry === undefined)) {
    throw new Error(`Say either --supergraph or --registry\n\n${usage}`)
  }
  const port = wholeNumber('--port', values.port, 65_535)
  const timeoutMs = wholeNumber('--timeout', values.timeout, 600_000)
  const intervalMs = wholeNumber('--poll', values.poll, 3_600_000)
  const { documents } = values
  if (documents !== 'any' && documents !== 'known') throw new Error('--documents must be any or known')
  const manifests = values.operations.map((file) => resolve(file))
  if (documents === 'known' && manifests.length === 0)
    throw new Error('--documents known needs a manifest of persisted documents: --operations FILE')
  const persistedDocuments = readPersistedDocuments(manifests)
  const accept = (supergraph: string) => {
    const { bySubgraphs, unknown } = unenforcedFeatures(supergraph)
    if (unknown.length > 0) {
      throw new Error(
        `The supergraph asks its router for ${listed(unknown)}, which this gateway does not know. Serve it with a router that does.`,
      )
    }
    if (bySubgraphs.length === 0 || values['subgraphs-enforce-access']) return
    throw new Error(
      `The supergraph leaves ${listed(bySubgraphs)} to its router, and this gateway does not ` +
        'enforce them. If every subgraph enforces them itself, say so with --subgraphs-enforce-access.',
    )
  }
  const registry = values.registry === 'database' ? await openRegistry() : null
  const supergraph = values.supergraph
    ? readFileSync(values.supergraph, 'utf8')
    : {
        ...followVariant(
          registry?.store ?? folderStore(resolve(values.registry ?? '')),
          values.variant,
          accept,
        ),
        intervalMs,
      }
  if (typeof supergraph === 'string') accept(supergraph)
  const log = createLogger({ logLevel: values['log-level'] })
  const headers = forwardedHeaders(values['forward-header'])
  const gateway = await startGateway({
    supergraph,
    dataSource: ({ name, url }) => {
      if (!url) throw new Error(`The supergraph has no URL for the subgraph ${name}`)
      return remoteDataSource({ name, url, headers, log, timeoutMs })
    },
    resolveViewer: anonymous,
    callersSignIn: false,
    log,
    host: values.host,
    port,
    limits: { pageLimit: Infinity },
    foreignSubgraphs: true,
    persistedDocuments,
    documents,
    expectedOperations: async () => manifests.flatMap(operationsInManifest),
  }).catch(async (error: unknown) => {
    await registry?.close()
    throw error
  })
  const stop = (signal: string) => {
    log.info({ signal }, 'stopping')
    return gateway.close().then(() => registry?.close())
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal))
  console.log(`ready ${gateway.url}`)
}

function listed(features: readonly string[]): string {
  return features.map((name) => (name.includes(':') ? name : `@${name}`)).join(', ')
}

function wholeNumber(name: string, text: string, max: number): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number > max) throw new Error(`${name} must be a whole number from 0 to ${max}`)
  return number
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
})
