import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'graphql'
import { allChanges } from '../check'
import { changelog } from '../changelog'
import { readContracts } from '../composition/contracts'
import { Fault } from '../fault'
import { verdict } from '../report/human'
import { readSchema } from '../schema-model'
import { versionHash } from '../versions/store'
import {
  current,
  find,
  publish as publishVersion,
  rollback as rollBack,
  verified,
} from '../versions/versions'
import { checkOptions, runCheck } from './check'
import {
  no,
  ok,
  registryOptions,
  text,
  wholeNumber,
  type Command,
  type Environment,
  type Values,
} from './command'
import { git, openStore } from './references'

const said = {
  author: {
    type: 'string',
    value: 'NAME',
    help: 'who publishes; default: the name in the git configuration',
  },
  note: { type: 'string', value: 'TEXT', help: 'what it is about' },
} as const satisfies Command['options']

/** Adds a version to the registry. */
export const publish: Command = {
  name: 'publish',
  positionals: '',
  count: [0, 0],
  summary:
    'Checks the schema against the current version and adds it to the registry; gateways that follow the variant load it.',
  options: {
    ...checkOptions,
    ...said,
    changelog: {
      type: 'string',
      default: 'schema/CHANGELOG.md',
      value: 'FILE',
      help: 'written anew from the history; - for none',
    },
  },
  notes:
    'Nothing is published when the check fails (exit code 1). Publishing what is current already adds nothing.',
  async run(values, _positionals, environment) {
    const store = await openStore(values, environment)
    const variant = text(values, 'variant')
    const last = await current(store, variant)
    const report = await runCheck({ ...values, base: last ? `registry:${variant}` : undefined }, environment)
    if (!report.passed || report.supergraph === null) {
      environment.out(
        `Not published. ${verdict(report)}\nSee: schema check --base ${last ? `registry:${variant}` : 'FILE'}`,
      )
      return no
    }
    const contracts = readContracts(join(resolve(environment.cwd, text(values, 'schema')), 'contracts.json'))
    const model = (sdl: string) => readSchema(parse(sdl, { noLocation: true }))
    const changes = last
      ? allChanges(model(last.supergraph), model(report.supergraph), last.version.contracts, contracts)
      : []
    const { version, added } = await publishVersion(store, {
      ...saidBy(values, environment),
      variant,
      supergraph: report.supergraph,
      checkPassed: last ? report.passed : null,
      changes,
      contracts,
    })
    const file = text(values, 'changelog')
    if (file !== '-')
      writeFileSync(
        resolve(environment.cwd, file),
        changelog(await store.history(variant), model(report.supergraph)),
      )
    environment.out(
      added
        ? `Published ${variant} version ${version.version} (${version.supergraph.slice(0, 12)}, ${changes.length} changes) to ${store.label}`
        : `${variant} version ${version.version} is this schema already`,
    )
    return ok
  },
}

/** Lists versions. */
export const history: Command = {
  name: 'history',
  positionals: '[N]',
  count: [0, 1],
  summary:
    'Lists the versions of a variant, the newest first, and verifies that none was changed; with N the changes of that one.',
  options: { ...registryOptions, json: { type: 'boolean', default: false, help: 'answer in JSON' } },
  async run(values, [number], environment) {
    const store = await openStore(values, environment)
    const variant = text(values, 'variant')
    const versions = await verified(store, variant)
    if (number !== undefined) {
      const found = await find(store, variant, Number(number))
      if (!found) throw new Fault(`${variant} has no version ${number}`)
      environment.out(
        values['json']
          ? JSON.stringify(found.version, null, 2)
          : found.version.changes
              .map(({ severity, code, message }) => `${severity.padEnd(9)} ${code}: ${message}`)
              .join('\n') || 'No changes.',
      )
      return ok
    }
    if (values['json'])
      environment.out(
        JSON.stringify(
          versions.map((version) => ({ ...version, hash: versionHash(version) })),
          null,
          2,
        ),
      )
    else if (versions.length === 0)
      environment.out(
        `${store.label} has no version of ${variant}; variants: ${(await store.variants()).join(', ') || 'none'}`,
      )
    else {
      environment.out(
        [...versions]
          .reverse()
          .map((version) =>
            [
              String(version.version).padStart(4),
              version.publishedAt.slice(0, 16).replace('T', ' '),
              version.supergraph.slice(0, 12),
              `${version.changes.length} changes`,
              version.author,
              version.commit?.slice(0, 10) ?? '',
              version.rollbackOf === null ? '' : `back to ${version.rollbackOf}`,
              version.note ?? '',
            ]
              .filter(Boolean)
              .join('  '),
          )
          .join('\n'),
      )
    }
    return ok
  },
}

/** Makes an earlier version current again. */
export const rollback: Command = {
  name: 'rollback',
  positionals: 'N',
  count: [1, 1],
  summary: 'Makes an earlier version the current one, as a new version: nothing is taken out of the history.',
  options: { ...registryOptions, ...said },
  async run(values, [number = ''], environment) {
    const store = await openStore(values, environment)
    const to = wholeNumber({ N: number }, 'N', 1, 1_000_000)
    const version = await rollBack(store, text(values, 'variant'), to, saidBy(values, environment))
    environment.out(`${version.variant} version ${version.version} is version ${to} again`)
    return ok
  },
}

/** Prints a version's supergraph. */
export const fetchVersion: Command = {
  name: 'fetch',
  positionals: '[N]',
  count: [0, 1],
  summary: 'Prints the supergraph of a version, of the current one without N.',
  options: registryOptions,
  async run(values, [number], environment) {
    const store = await openStore(values, environment)
    const found = await find(
      store,
      text(values, 'variant'),
      number === undefined ? null : wholeNumber({ N: number }, 'N', 1, 1_000_000),
    )
    if (!found) throw new Fault(`${store.label} has no such version of ${text(values, 'variant')}`)
    environment.out(found.supergraph.trimEnd())
    return ok
  },
}

function saidBy(values: Values, { cwd, now }: Environment) {
  return {
    author: text(values, 'author') || git(['config', 'user.name'], cwd)?.trim() || 'unknown',
    note: text(values, 'note') || null,
    commit: git(['rev-parse', 'HEAD'], cwd)?.trim() ?? null,
    at: new Date(now()).toISOString(),
  }
}
