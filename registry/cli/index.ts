import { Fault } from '../fault'
import { didYouMean } from '../suggestions'
import { approve } from './approve'
import { changelogCommand, docs } from './documents'
import { check } from './check'
import { helpOf, readArguments, type Command, type Environment } from './command'
import { compose } from './compose'
import { diff } from './diff'
import { explain } from './explain'
import { print } from './print'
import { operations } from './operations'
import { usage } from './usage'
import { fetchVersion, history, publish, rollback } from './versions'

/** All commands, in the order a change takes. */
export const commands: readonly Command[] = [
  compose,
  print,
  check,
  diff,
  explain,
  approve,
  publish,
  history,
  rollback,
  fetchVersion,
  usage,
  operations,
  changelogCommand,
  docs,
]

/** The caller typed something wrong, or something it needs is not there. */
const couldNotRun = 2

/**
 * Runs a command line.
 * @returns the exit code: 0 yes, 1 no (a check failed, a file is stale), 2 it could not run
 */
export async function run(args: readonly string[], environment: Environment): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === 'help' || name.startsWith('-')) {
    environment.out(overview())
    return name === undefined || /^(help|--help|-h)$/.test(name) ? 0 : couldNotRun
  }
  const command = commands.find((candidate) => candidate.name === name)
  try {
    if (!command)
      throw new Fault(
        `There is no command "${name}"${didYouMean(
          name,
          commands.map((known) => known.name),
        )}\n\n${overview()}`,
      )
    const { values, positionals } = readArguments(command, rest)
    if (!values['help']) return await command.run(values, positionals, environment)
    environment.out(helpOf(command))
    return 0
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    environment.out(error.message)
    return couldNotRun
  }
}

function overview(): string {
  return [
    'npm run schema -- COMMAND [--help]',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(11)} ${summary}`),
    '',
    'Exit codes: 0 yes, 1 no (a check failed, a file is stale), 2 the command could not run, 3 a fault of the tool itself.',
  ].join('\n')
}
