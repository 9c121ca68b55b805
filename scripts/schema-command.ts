import { parentPort } from 'node:worker_threads'
import { run } from '../registry/cli'
import { composeThread } from '../registry/composition/compose-thread'
import { plainlySatisfiable } from '../registry/composition/satisfiability'
import { readSupergraph } from '../registry/composition/supergraph-text'
import { projectRoot } from '../kernel/process/project-root'
import { openRegistry } from './registry'

// The thread that schema.ts starts: it runs the command, and asks the other one to compose.
async function main(port: NonNullable<typeof parentPort>): Promise<number> {
  let registry: ReturnType<typeof openRegistry> | undefined
  try {
    return await run(process.argv.slice(2), {
      cwd: projectRoot,
      out: (text) => console.log(text),
      now: Date.now,
      compose: composeThread((supergraph) => plainlySatisfiable(readSupergraph(supergraph)), port),
      database: () => (registry ??= openRegistry()),
    })
  } finally {
    await (await registry?.catch(() => undefined))?.close()
  }
}

if (!parentPort) throw new Error('scripts/schema.ts starts this')
main(parentPort).then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 3
  },
)
