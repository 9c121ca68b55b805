import { parseArgs } from 'node:util'
import { subgraphs } from '../subgraphs'
import { serve } from '../product/serve-subgraph'

const names = subgraphs.map(({ name }) => name).join(', ')
const usage = `Usage: npm run subgraph -- NAME [--port N]

Serves one subgraph alone over HTTP, for a gateway with SUBGRAPHS=NAME=http://host:N/graphql.
NAME is one of ${names}.
Both need the same VIEWER_SECRET: the subgraph answers nothing but what the gateway signed with it.

  --port N   listen on this port, default PORT; 0 takes a free one
  --help     print this`

function main(): void {
  const { values, positionals } = parseArgs({
    options: { port: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  })
  if (values.help) return console.log(usage)
  const [name, ...others] = positionals
  const definition = subgraphs.find((one) => one.name === name)
  if (!definition || others.length > 0) throw new Error(`Name one subgraph: ${names}.\n\n${usage}`)
  const port = values.port === undefined ? undefined : Number(values.port)
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535))
    throw new Error(`--port ${values.port}: give a port number, 0 to 65535`)
  serve(definition, port)
}

try {
  main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
