import { runChild } from './fixtures/child'
import { startTestGateway } from './fixtures/start'

/** An environment that invites Apollo's packages to report. */
const inviting = {
  APOLLO_KEY: 'service:tests:secret',
  APOLLO_GRAPH_REF: 'tests@current',
  APOLLO_SCHEMA_REPORTING: 'true',
  NODE_ENV: 'development',
}

async function attempts(...args: string[]): Promise<{ outside: string[]; stdout: string }> {
  const child = runChild('test/gateway/fixtures/gateway-process.ts', args, inviting, [
    'test/gateway/no-outside.js',
  ])
  const [, list] = await child.printed(/^outside: (.*)$/m)
  await child.exit
  return { outside: JSON.parse(list!) as string[], stdout: child.stdout() }
}

it('connects to nothing outside this machine, even when the environment invites it', async () => {
  const { outside, stdout } = await attempts()
  expect(stdout).toContain(
    'answered {"user":{"name":"User 1","employee":{"title":"Title e1","claims":[{"amount":10}]}},"boom":null}',
  )
  expect(outside).toEqual([])
})

it('would notice: a stock gateway does connect', async () => {
  expect((await attempts('stock')).outside).not.toEqual([])
})

it('registers no schema: asked to without a key, a stock server would refuse to start', async () => {
  process.env.APOLLO_SCHEMA_REPORTING = 'true'
  try {
    await (await startTestGateway()).close()
  } finally {
    delete process.env.APOLLO_SCHEMA_REPORTING
  }
})
