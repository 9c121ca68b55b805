import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readApprovals } from '../versions/approvals'
import { check as checkSchema, type CheckInput, type CheckReport } from '../check'
import { readContracts } from '../composition/contracts'
import { Fault } from '../fault'
import { daysBefore } from '../verdict'
import { readOperations } from '../usage/operations'
import { githubReport, gitlabReport, junitReport } from '../report/annotations'
import { humanReport, verdict } from '../report/human'
import { jsonReport } from '../report/json'
import { markdownReport } from '../report/markdown'
import type { Usage } from '../usage/usage'
import { readUsage } from '../usage/usage-lines'
import {
  no,
  ok,
  registryOptions,
  schemaOptions,
  text,
  texts,
  wholeNumber,
  type Command,
  type Environment,
  type Values,
} from './command'
import { committedArtefacts } from './artefacts'
import { explanation } from './explain'
import { defaultBase, findSubgraphs, parsed, readReference } from './references'

const formats: Record<string, (report: CheckReport, verbose: boolean) => string> = {
  human: (report, verbose) => humanReport(report, { verbose }),
  json: jsonReport,
  github: (report) => [githubReport(report), verdict(report)].filter(Boolean).join('\n'),
  gitlab: gitlabReport,
  junit: junitReport,
  markdown: markdownReport,
}

/** Holds what decides whether a change is blocked; going back to a version asks for the same. */
export const usageOptions = {
  usage: {
    type: 'string',
    multiple: true,
    value: 'FILE|database',
    help: 'what clients used: JSON lines, or what the gateways recorded; may be repeated',
  },
  days: { type: 'string', default: '30', value: 'N', help: 'unused for so long counts as unused' },
} as const satisfies Command['options']

/** The options of a check; `publish` runs one as well. */
export const checkOptions = {
  ...schemaOptions,
  ...registryOptions,
  base: {
    type: 'string',
    value: 'REF',
    help: 'compare with: registry[:VARIANT][@N], a file, a folder, or a commit; default: the registry, else HEAD',
  },
  ...usageOptions,
  operations: {
    type: 'string',
    default: 'test/operations',
    value: 'DIR',
    help: 'operations of this repository, which must stay valid',
  },
  'no-lint': { type: 'boolean', default: false, help: 'do not ask the house rules' },
  strict: { type: 'boolean', default: false, help: 'block dangerous changes as well' },
} as const satisfies Command['options']

/** Says whether a schema change may land. */
export const check: Command = {
  name: 'check',
  positionals: '',
  count: [0, 0],
  summary: 'Composes the subgraphs and says what their change breaks, for whom, and whether it may land.',
  options: {
    ...checkOptions,
    format: {
      type: 'string',
      default: 'human',
      value: Object.keys(formats).join('|'),
      help: 'how to answer',
    },
    output: {
      type: 'string',
      multiple: true,
      value: 'FORMAT=FILE',
      help: 'write another format to a file as well; may be repeated',
    },
    verbose: { type: 'boolean', default: false, help: 'list safe changes one by one' },
    explain: { type: 'string', value: 'CODE', help: 'say what a code means, and check nothing' },
  },
  notes: [
    'A change is blocked when it is breaking and was used, or nobody knows whether it was; when its deprecation promised it',
    'for longer; and when it shows data to more people. schema/approvals.json lets single changes pass ("schema approve").',
    '',
    'Exit codes: 0 nothing is blocked and no file is stale, 1 something is, 2 the check could not run, 3 a fault of the tool.',
  ].join('\n'),
  async run(values, _positionals, environment) {
    const code = text(values, 'explain')
    if (code) {
      environment.out(explanation(code))
      return ok
    }
    const format = formatOf(text(values, 'format'))
    const outputs = texts(values, 'output').map((option) => {
      const [name = '', ...file] = option.split('=')
      return { write: formatOf(name), file: resolve(environment.cwd, file.join('=')) }
    })
    const report = await runCheck(values, environment, committedArtefacts(values, environment))
    for (const { write, file } of outputs) writeFileSync(file, `${write(report, false)}\n`)
    environment.out(format(report, values['verbose'] === true))
    return report.passed ? ok : no
  },
}

/** Runs a check as its options say. */
export async function runCheck(
  values: Values,
  environment: Environment,
  artefacts: CheckInput['artefacts'] = [],
): Promise<CheckReport> {
  const folder = resolve(environment.cwd, text(values, 'schema'))
  const subgraphs = await findSubgraphs(values, environment)
  // The longest part, in a thread of its own: it begins before anything is parsed here.
  const composing = environment.compose(subgraphs)
  composing.catch(() => undefined) // told below, unless reading fails first
  parsed(subgraphs)
  const name = text(values, 'base')
  const base = name ? await readReference(name, values, environment) : await defaultBase(values, environment)
  const input = {
    subgraphs,
    base,
    baseContracts: base?.contracts,
    contracts: readContracts(join(folder, 'contracts.json')),
    ...(await readJudging(values, environment)),
    artefacts,
    approve: {
      options: optionsAgain(values),
      until: daysBefore(new Date(environment.now()).toISOString().slice(0, 10), -30),
    },
    strict: values['strict'] === true,
    operations: readOperations(resolve(environment.cwd, text(values, 'operations'))),
    lint: values['no-lint'] !== true,
  }
  return checkSchema(input, () => composing)
}

/** The options by which a further command finds the same changes, as they are typed. */
function optionsAgain(values: Values): string {
  const names = ['base', 'registry', 'variant', 'schema', 'subgraph', 'only', 'header', 'strict'] as const
  return names
    .flatMap((name) => {
      const { default: usual } = checkOptions[name] as { default?: unknown }
      const given = [values[name] ?? []].flat().filter((value) => value !== usual)
      return given.map((value) => (value === true ? ` --${name}` : ` --${name} ${quoted(String(value))}`))
    })
    .join('')
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** Returns what decides whether changes are blocked. */
export async function readJudging(
  values: Values,
  environment: Environment,
): Promise<Pick<CheckInput, 'approvals' | 'usage' | 'days' | 'today'>> {
  const days = wholeNumber(values, 'days', 1, 3650)
  const today = new Date(environment.now()).toISOString().slice(0, 10)
  const folder = resolve(environment.cwd, text(values, 'schema'))
  return {
    approvals: readApprovals(join(folder, 'approvals.json')),
    usage: await readAllUsage(texts(values, 'usage'), daysBefore(today, days), environment),
    days,
    today,
  }
}

async function readAllUsage(
  places: readonly string[],
  since: string,
  environment: Environment,
): Promise<Usage | null> {
  const read = await Promise.all(
    places.map(async (place) => {
      if (place === 'database') return (await environment.database()).usage(since)
      const path = resolve(environment.cwd, place)
      if (!existsSync(path)) throw new Fault(`There is no usage file ${place}`)
      return readUsage(readFileSync(path, 'utf8'), since, place)
    }),
  )
  if (read.length === 0) return null
  // What one record has missed, another may have seen; together they are complete since the latest of their beginnings.
  const beginnings = read.flatMap(({ from }) => from ?? [])
  return { from: beginnings.sort().at(-1) ?? null, operations: read.flatMap(({ operations }) => operations) }
}

function formatOf(name: string) {
  const format = Object.hasOwn(formats, name) ? formats[name] : undefined
  if (format) return format
  throw new Fault(`There is no format "${name}": ${Object.keys(formats).join(', ')}`)
}
