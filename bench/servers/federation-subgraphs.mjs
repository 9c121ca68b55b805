// Four subgraphs of a library on four ports. They answer from memory, and the same question with the same answer: what
// is measured is the gateway before them, not they.
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { schemas } from '../federation/subgraphs.mjs'
import { given, serve } from './child.mjs'

const { execute, parse } = createRequire(new URL('../../package.json', import.meta.url))('graphql')

let calls = 0
const at = {}
const { delayMs = 0 } = given
for (const [name, schema] of Object.entries(schemas)) {
  const answers = new Map()
  async function answer(body) {
    const known = answers.get(body)
    if (known) return known
    const { query, variables, operationName } = JSON.parse(body)
    const document = parse(query)
    const result = JSON.stringify(
      await execute({ schema, document, variableValues: variables, operationName, contextValue: {} }),
    )
    if (answers.size > 5_000) answers.clear()
    answers.set(body, result)
    return result
  }
  const server = createServer((request, response) => {
    calls += 1
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', async () => {
      const text = await answer(Buffer.concat(chunks).toString())
      const send = () => {
        response.writeHead(200, {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        })
        response.end(text)
      }
      if (delayMs > 0) setTimeout(send, delayMs)
      else send()
    })
  })
  server.keepAliveTimeout = 60_000
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  at[name] = `http://127.0.0.1:${server.address().port}/graphql`
}
serve(at, { counts: () => ({ calls, statements: 0 }) })
