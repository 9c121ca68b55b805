import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { readOperations } from '../../registry/usage/operations'
import { projectRoot } from '../../kernel/process/config'
import type { SubgraphName } from '../../kernel/schema/subgraph-names'
import { serveSubgraph } from '../../product/subgraph-server'
import { freePort } from '../support/free-port'
import { startGraph, testClient, type TestClient, type TestGraph } from '../support/graph'
import { startViewerSigner } from './viewer-signer'

const secret = 'a secret of the tests, long enough to be one'
const folder = mkdtempSync(join(tmpdir(), 'interop-'))
const closing: (() => unknown)[] = []
let graph: TestGraph
let hive: string

beforeAll(async () => {
  graph = await startGraph({ demo: true })
  const { services, subgraphs } = graph.server
  const urls = new Map<SubgraphName, string>()
  for (const [name, running] of subgraphs) {
    const server = await serveSubgraph(running, {
      port: 0,
      host: '127.0.0.1',
      viewerSecret: secret,
      log: services.log,
    })
    closing.unshift(() => server.close())
    urls.set(name, server.url)
  }
  const signer = await startViewerSigner(graph, secret, urls)
  closing.unshift(() => signer.close())
  const supergraph = join(folder, 'supergraph.graphql')
  const committed = readFileSync(join(projectRoot, 'schema', 'supergraph.graphql'), 'utf8')
  writeFileSync(supergraph, committed.replaceAll(/http:\/\/(\w+):4000\/graphql/g, `${signer.url}/$1`))
  hive = await startHive(supergraph)
})

afterAll(async () => {
  for (const close of closing) await close()
  await graph.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Starts Hive Gateway on a free port and waits until it answers. */
async function startHive(supergraph: string): Promise<string> {
  const port = await freePort()
  const bin = join(__dirname, 'node_modules', '.bin', 'hive-gateway')
  const config = join(__dirname, 'gateway.config.mjs')
  const args = ['supergraph', supergraph, '--host', '127.0.0.1', '--port', String(port), '-c', config]
  const child: ChildProcess = spawn(process.execPath, [bin, ...args], { cwd: __dirname })
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  closing.unshift(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const url = `http://127.0.0.1:${port}/graphql`
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`Hive Gateway ended with ${child.exitCode ?? child.signalCode}:\n${output}`)
    const answer = await testClient(url, '', {})
      .query('{ __typename }')
      .catch(() => null)
    if (answer?.data) return url
    await setTimeout(250)
  }
}

const through = (client: TestClient) => testClient(hive, client.userId, client.headers)

const operations = [
  ...readOperations(join(projectRoot, 'test', 'operations')).map(({ file, text }) => [file, text] as const),
  [
    'entities, there and back',
    '{ employees(first: 3) { totalCount nodes { employeeNumber department { name } user { fullName roles { name } } } } }',
  ],
  [
    'arguments, enums and variables',
    'query ($n: Int = 2) { departments(first: $n) { nodes { name } pageInfo { hasNextPage } } }',
  ],
  ['the schema itself', '{ __type(name: "Employee") { kind fields { name } } }'],
] as const

test.each(operations)('answers alike: %s', async (_name, operation) => {
  const admin = await graph.demo('acme', 'admin')
  const ours = await admin.data(operation)
  const theirs = await through(admin).query(operation)
  expect(theirs.errors ?? []).toEqual([])
  expect(theirs.data).toEqual(ours)
})

test('keeps tenants apart, and who may not read gets nothing', async () => {
  const operation = '{ tenant { name } employees(first: 1) { totalCount } }'
  for (const [slug, user] of [
    ['acme', 'hr'],
    ['globex', 'hr'],
    ['acme', 'viewer'],
  ] as const) {
    const client = await graph.demo(slug, user)
    const [ours, theirs] = [await client.query(operation), await through(client).query(operation)]
    expect(theirs.data).toEqual(ours.data)
    expect(theirs.errors?.map(({ extensions }) => extensions.code)).toEqual(
      ours.errors?.map(({ extensions }) => extensions.code),
    )
  }
})

test('a subgraph answers nobody but who signs', async () => {
  const theirs = await testClient(hive, '', {}).query('{ employees(first: 1) { totalCount } }')
  expect(theirs.data?.['employees'] ?? null).toBeNull()
  expect(theirs.errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED')
})
