import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'graphql'
import { allChanges, check, type CheckReport } from '../check'
import { changelog } from '../changelog'
import { readContracts } from '../composition/contracts'
import { parseText } from '../composition/subgraph-files'
import { humanReport, verdict } from '../report/human'
import { readSchema } from '../schema-model'
import { versionHash, type Version } from '../versions/store'
import {
  current,
  find,
  publish as publishVersion,
  rollback as rollBack,
  verified,
} from '../versions/versions'
import { checkOptions, readJudging, runCheck, usageOptions } from './check'
import {
  no,
  ok,
  registryOptions,
  schemaOptions,
  text,
  wholeNumber,
  type Command,
  type Environment,
  type Values,
} from './command'
import { git, openStore, unknownVersion } from './references'

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
    const report = await runCheck(
      { ...values, base: last ? `registry:${variant}` : undefined, variantMayBeNew: true },
      environment,
    )
    if (!report.passed || report.supergraph === null) {
      environment.out(
        `Not published. ${verdict(report)}\nSee: schema check --base ${last ? `registry:${variant}` : 'FILE'}`,
      )
      return no
    }
    const contracts = readContracts(join(resolve(environment.cwd, text(values, 'schema')), 'contracts.json'))
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
      const found = await find(store, variant, wholeNumber({ N: number }, 'N', 1, 1_000_000))
      if (!found) throw await unknownVersion(store, variant, number)
      environment.out(
        values['json']
          ? JSON.stringify(found.version, null, 2)
          : found.version.changes
              .map(({ severity, code, message }) => `${severity.padEnd(9)} ${code}: ${message}`)
              .join('\n') || 'No changes.',
      )
      return ok
    }
    if (versions.length === 0 && (variant !== 'main' || (await store.variants()).length > 0))
      throw await unknownVersion(store, variant, undefined)
    if (values['json'])
      environment.out(
        JSON.stringify(
          versions.map((version) => ({ ...version, hash: versionHash(version) })),
          null,
          2,
        ),
      )
    else if (versions.length === 0)
      environment.out(`${store.label} has no version yet: "schema publish" makes the first one`)
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
  summary:
    'Checks what going back to an earlier version breaks, and makes it the current one, as a new version: nothing is taken out of the history.',
  options: {
    ...registryOptions,
    ...usageOptions,
    schema: schemaOptions.schema,
    ...said,
    force: {
      type: 'boolean',
      default: false,
      help: 'go back although changes are blocked; the history keeps that the check failed',
    },
  },
  notes: 'Nothing changes when the check fails (exit code 1), unless --force is given.',
  async run(values, [number = ''], environment) {
    const store = await openStore(values, environment)
    const variant = text(values, 'variant')
    const to = wholeNumber({ N: number }, 'N', 1, 1_000_000)
    const [last, target] = [await current(store, variant), await find(store, variant, to)]
    if (!last || !target) throw await unknownVersion(store, variant, number)
    const report = await checkRollback(last, target, values, environment)
    const forced = values['force'] === true
    if (!report.passed && !forced) {
      environment.out(`${humanReport(report)}\nNothing was changed: --force goes back all the same.`)
      return no
    }
    const changes = allChanges(
      model(last.supergraph),
      model(target.supergraph),
      last.version.contracts,
      target.version.contracts,
    )
    const by = { ...saidBy(values, environment), checkPassed: report.passed, changes }
    const version = await rollBack(store, variant, to, by)
    environment.out(
      `${variant} version ${version.version} is version ${to} again (${changes.length} changes)${report.passed ? '' : ', by force'}`,
    )
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
    if (!found) throw await unknownVersion(store, text(values, 'variant'), number)
    environment.out(found.supergraph.trimEnd())
    return ok
  },
}

/** The check that publishing makes, for a supergraph that was composed before. */
async function checkRollback(
  last: { version: Version; supergraph: string },
  target: { version: Version; supergraph: string },
  values: Values,
  environment: Environment,
): Promise<CheckReport> {
  const { version, supergraph } = last
  const input = {
    subgraphs: [],
    base: {
      label: `${version.variant} version ${version.version}`,
      document: parseText(supergraph, version.variant),
    },
    baseContracts: version.contracts,
    contracts: target.version.contracts,
    ...(await readJudging(values, environment)),
    strict: false,
    operations: [],
    lint: false,
    artefacts: [],
    approve: null,
  }
  return check(input, async () => ({ supergraph: target.supergraph, problems: [] }))
}

function model(sdl: string) {
  return readSchema(parse(sdl, { noLocation: true }))
}

function saidBy(values: Values, { cwd, now }: Environment) {
  return {
    author: text(values, 'author') || git(['config', 'user.name'], cwd)?.trim() || 'unknown',
    note: text(values, 'note') || null,
    commit: git(['rev-parse', 'HEAD'], cwd)?.trim() ?? null,
    at: new Date(now()).toISOString(),
  }
}
