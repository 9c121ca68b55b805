import { setFlagsFromString } from 'node:v8'
import { run } from '../registry/cli'
import { projectRoot } from '../subgraphs/shared/config'
import { openRegistry } from './registry'

// Composition makes far more short-lived objects than V8 expects of a program this short: a third of its time was
// collecting them.
setFlagsFromString('--max-semi-space-size=64')

async function main(): Promise<number> {
  let registry: ReturnType<typeof openRegistry> | undefined
  try {
    return await run(process.argv.slice(2), {
      cwd: projectRoot,
      out: (text) => console.log(text),
      now: Date.now,
      database: () => (registry ??= openRegistry()),
    })
  } finally {
    await (await registry?.catch(() => undefined))?.close()
  }
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 3
  },
)
