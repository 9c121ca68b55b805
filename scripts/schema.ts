import { setFlagsFromString } from 'node:v8'
import { composeThread } from '../registry/compose-thread'

// Composition makes far more short-lived objects than V8 expects of a program this short: a third of its time was
// collecting them.
setFlagsFromString('--max-semi-space-size=64')
// And nearly everything runs too seldom to be worth optimizing: compiling it took as much CPU as it saved, and more.
setFlagsFromString(
  Number.parseInt(process.versions.v8) < 12
    ? '--interrupt-budget=500000'
    : '--invocation-count-for-turbofan=10000',
)

async function main(): Promise<number> {
  const args = process.argv.slice(2)
  // Composing takes longer than everything else together: it begins to load before the rest does.
  let thread = ['compose', 'check', 'publish'].includes(args[0] ?? '') ? composeThread(satisfiable) : null
  const [{ run }, { openRegistry }, { projectRoot }] = await Promise.all([
    import('../registry/cli/index.js'),
    import('./registry.js'),
    import('../subgraphs/shared/project-root.js'),
  ])
  let registry: ReturnType<typeof openRegistry> | undefined
  try {
    return await run(args, {
      cwd: projectRoot,
      out: (text) => console.log(text),
      now: Date.now,
      compose: (subgraphs, options) => (thread ??= composeThread(satisfiable))(subgraphs, options),
      database: () => (registry ??= openRegistry()),
    })
  } finally {
    await (await registry?.catch(() => undefined))?.close()
  }
}

async function satisfiable(supergraph: string): Promise<boolean> {
  const [{ plainlySatisfiable }, { readSupergraph }] = await Promise.all([
    import('../registry/satisfiability.js'),
    import('../registry/supergraph-text.js'),
  ])
  return plainlySatisfiable(readSupergraph(supergraph))
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
