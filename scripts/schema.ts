import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import type { Task } from '../registry/composition/compose-thread'

// Composition makes far more short-lived objects than V8 expects of a program this short: a third of its time was
// collecting them.
setFlagsFromString('--max-semi-space-size=64')
// And nearly everything runs too seldom to be worth optimizing: compiling it took as much CPU as it saved, and more.
setFlagsFromString(
  Number.parseInt(process.versions.v8) < 12
    ? '--interrupt-budget=500000'
    : '--invocation-count-for-turbofan=10000',
)

// Composing takes longer than everything else together: this thread does nothing else, so that it loads what composes
// at once, while another one starts and finds out what to compose.
const commands = new Worker(join(__dirname, 'schema-command.js'), { argv: process.argv.slice(2) })
let loading: Promise<(task: Task) => void> | undefined
const composer = () =>
  (loading ??= import('../registry/composition/composer.js').then((composing) =>
    composing.composer(commands),
  ))

commands.on('message', (task: Task) => void composer().then((compose) => compose(task)))
commands.on('error', (error) => {
  console.error(error.message)
  process.exitCode = 3
})
// Everything was written by now; ending at once spares this thread tidying up what it composed with.
commands.on('exit', (code) => process.stdout.write('', () => process.exit(process.exitCode ?? code)))
if (['compose', 'check', 'publish'].includes(process.argv[2] ?? '')) void composer()
