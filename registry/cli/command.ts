import { parseArgs, type ParseArgsConfig } from 'node:util'
import type { Compose } from '../composition/composed'
import { Fault } from '../fault'
import type { RegistryStore } from '../versions/store'
import type { Usage } from '../usage/usage'

/** Describes what commands need from outside. */
export interface Environment {
  /** Folder that relative paths start from. */
  cwd: string
  out: (text: string) => void
  /** Milliseconds since 1970. */
  now: () => number
  /** Composes, perhaps in another thread. */
  compose: Compose
  /** The registry and the recorded usage of the configured database; opened when a command asks for it. */
  database: () => Promise<{
    store: RegistryStore
    usage: (since: string) => Promise<Usage>
    close: () => Promise<void>
  }>
}

interface Option {
  type: 'string' | 'boolean'
  multiple?: boolean
  default?: string | boolean
  /** Stands for the value in `--help`. */
  value?: string
  help: string
}

export type Values = Readonly<Record<string, string | boolean | string[] | undefined>>

export interface Command {
  name: string
  /** Holds what follows the name: `A B`. */
  positionals: string
  /** Says how many positionals are needed, and how many may be given. */
  count: readonly [number, number]
  summary: string
  options: Readonly<Record<string, Option>>
  /** Further lines of `--help`. */
  notes?: string
  run(values: Values, positionals: readonly string[], environment: Environment): Promise<number>
}

/** The command did what it was asked, and the answer is yes. */
export const ok = 0
/** The command did what it was asked, and the answer is no: a check failed, a file is stale. */
export const no = 1

/** Says where schemas come from; every command that composes has these. */
export const schemaOptions = {
  schema: {
    type: 'string',
    default: 'schema',
    value: 'DIR',
    help: 'folder with the subgraphs: shared.graphql, <name>.graphql or <name>/',
  },
  subgraph: {
    type: 'string',
    multiple: true,
    value: 'NAME=PATH|URL',
    help: 'one subgraph from a file, a folder or a running service; replaces that of the folder; may be repeated',
  },
  only: {
    type: 'boolean',
    default: false,
    help: 'compose the --subgraph ones alone, not those of the folder',
  },
  header: {
    type: 'string',
    multiple: true,
    value: '"NAME: VALUE"',
    help: 'sent to running services; may be repeated',
  },
} as const satisfies Record<string, Option>

/** Says where versions are kept; every command about versions has these. */
export const registryOptions = {
  registry: {
    type: 'string',
    default: 'schema/registry',
    value: 'DIR|database',
    help: 'where versions are kept',
  },
  variant: { type: 'string', default: 'main', value: 'NAME', help: 'the line of versions' },
} as const satisfies Record<string, Option>

/** @throws Fault when the command line is not what the command takes */
export function readArguments(
  command: Command,
  args: readonly string[],
): { values: Values; positionals: string[] } {
  const options: NonNullable<ParseArgsConfig['options']> = {
    help: { type: 'boolean', short: 'h', default: false },
  }
  for (const [name, option] of Object.entries(command.options)) {
    options[name] = {
      type: option.type,
      multiple: option.multiple ?? false,
      ...(option.default === undefined ? {} : { default: option.default }),
    }
  }
  let parsed: { values: Values; positionals: string[] }
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true }) as typeof parsed
  } catch (error) {
    throw new Fault(
      `${error instanceof Error ? error.message : String(error)}\nSee: schema ${command.name} --help`,
    )
  }
  const [least, most] = command.count
  const { length } = parsed.positionals
  if (!parsed.values['help'] && (length < least || length > most)) {
    throw new Fault(
      `schema ${command.name} takes ${command.positionals || 'no further words'}\nSee: schema ${command.name} --help`,
    )
  }
  return parsed
}

export function helpOf(command: Command): string {
  const options = Object.entries(command.options).map(([name, option]) => {
    const shown = `--${name}${option.value ? ` ${option.value}` : ''}`
    const byDefault =
      option.default !== undefined && option.default !== false ? ` (default ${String(option.default)})` : ''
    return `  ${shown.padEnd(26)} ${option.help}${byDefault}`
  })
  return [
    `schema ${command.name}${command.positionals ? ` ${command.positionals}` : ''}`,
    '',
    command.summary,
    ...(command.notes ? ['', command.notes] : []),
    ...(options.length > 0 ? ['', 'Options', ...options] : []),
  ].join('\n')
}

export function text(values: Values, name: string): string {
  const value = values[name]
  return typeof value === 'string' ? value : ''
}

export function texts(values: Values, name: string): string[] {
  const value = values[name]
  return Array.isArray(value) ? value : []
}

/** @throws Fault when the option is no whole number in the range */
export function wholeNumber(values: Values, name: string, least: number, most: number): number {
  const given = text(values, name)
  const number = Number(given)
  if (/^\d+$/.test(given) && number >= least && number <= most) return number
  throw new Fault(`--${name} must be a whole number from ${least} to ${most}`)
}
