import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { DocumentNode } from 'graphql'
import type { Contract } from '../composition/contracts'
import { Fault } from '../fault'
import { folderStore } from '../versions/folder-store'
import type { RegistryStore } from '../versions/store'
import {
  fetchSubgraph,
  parseText,
  readSubgraph,
  readSubgraphFolder,
  type SubgraphSource,
} from '../composition/subgraph-files'
import { didYouMean } from '../suggestions'
import { find } from '../versions/versions'
import { text, texts, type Environment, type Values } from './command'

/** A schema to compare with. */
export interface Reference {
  label: string
  document: DocumentNode
  /** The contracts of a published version. */
  contracts?: readonly Contract[]
}

/** The committed artefact, as `schema compose` writes it. */
export const supergraphFile = 'schema/supergraph.graphql'
/** Holds what clients see of it, which `schema compose` writes beside it. */
export const apiFile = 'schema/api.graphql'

/**
 * Reads and parses the subgraphs that the options of a command name.
 * @throws Fault when there are none or one is no GraphQL
 */
export async function readSubgraphs(values: Values, environment: Environment): Promise<SubgraphSource[]> {
  return parsed(await findSubgraphs(values, environment))
}

/**
 * Parses what was only found, so that a text that is no GraphQL is told before anything else.
 * @throws Fault when one is none
 */
export function parsed(subgraphs: SubgraphSource[]): SubgraphSource[] {
  for (const { typeDefs } of subgraphs) void typeDefs
  return subgraphs
}

/** Reads the subgraphs that the options of a command name; files are parsed when somebody asks for definitions. */
export async function findSubgraphs(values: Values, { cwd }: Environment): Promise<SubgraphSource[]> {
  const headers = Object.fromEntries(texts(values, 'header').map(headerOf))
  const named = await Promise.all(
    texts(values, 'subgraph').map((option) => {
      const [, name, place] = /^([\w-]+)=(.+)$/.exec(option) ?? []
      if (!name || !place) throw new Fault(`--subgraph ${option}: write NAME=PATH or NAME=URL`)
      return /^https?:\/\//.test(place)
        ? fetchSubgraph(name, place, headers)
        : readSubgraph(name, resolve(cwd, place))
    }),
  )
  if (values['only']) {
    if (named.length === 0) throw new Fault('--only needs at least one --subgraph NAME=PATH|URL')
    return named
  }
  const others = readSubgraphFolder(resolve(cwd, text(values, 'schema')))
  return [...others.filter(({ name }) => !named.some((subgraph) => subgraph.name === name)), ...named]
}

/** Opens the store that `--registry` names. */
export async function openStore(values: Values, environment: Environment): Promise<RegistryStore> {
  const place = text(values, 'registry') || 'schema/registry'
  if (place === 'database') return (await environment.database()).store
  return folderStore(resolve(environment.cwd, place))
}

/**
 * Finds a schema by what people call it: `registry`, `registry:VARIANT`, `registry:VARIANT@3`, a file, a folder of
 * subgraphs, or a commit (its schema/supergraph.graphql; `REF:path` for another file).
 *
 * @throws Fault when there is nothing by that name
 */
export async function readReference(
  name: string,
  values: Values,
  environment: Environment,
): Promise<Reference> {
  const published = /^registry(?::([\w-]+))?(?:@(\d+))?$/.exec(name)
  if (published) {
    const store = await openStore(values, environment)
    const variant = published[1] ?? (text(values, 'variant') || 'main')
    const found = await find(store, variant, published[2] ? Number(published[2]) : null)
    if (!found) throw await unknownVersion(store, variant, published[2])
    const label = `${variant} version ${found.version.version}`
    return { label, document: parseText(found.supergraph, label), contracts: found.version.contracts }
  }
  const path = resolve(environment.cwd, name)
  if (existsSync(path)) {
    if (!statSync(path).isDirectory())
      return { label: name, document: parseText(readFileSync(path, 'utf8'), name) }
    const { supergraph, problems } = await environment.compose(readSubgraphFolder(path))
    if (supergraph !== null) return { label: name, document: parseText(supergraph, name) }
    throw new Fault(
      `${name} does not compose:\n${problems.map(({ code, message }) => `  ${code}: ${message}`).join('\n')}`,
    )
  }
  return readCommitted(name, environment.cwd)
}

/** Says which versions, or which variants, there are instead. */
export async function unknownVersion(
  store: RegistryStore,
  variant: string,
  number: string | undefined,
): Promise<Fault> {
  const last = (await store.history(variant)).at(-1)
  if (last)
    return new Fault(`${variant} in ${store.label} has no version ${number}: the last one is ${last.version}`)
  const variants = await store.variants()
  const others =
    variants.length > 0 ? `the variants are ${variants.join(', ')}` : '"schema publish" makes the first one'
  return new Fault(
    `${store.label} has no variant ${variant}${didYouMean(variant, variants) || `: ${others}`}`,
  )
}

/** Returns what `check` compares with when nothing is said: what was published last, else what was committed last. */
export async function defaultBase(values: Values, environment: Environment): Promise<Reference | null> {
  const store = await openStore(values, environment)
  const variant = text(values, 'variant') || 'main'
  if (await find(store, variant, null)) return readReference(`registry:${variant}`, values, environment)
  // A variant that was named and does not exist is a typing error, unless it is to be published for the first time.
  if (variant !== 'main' && values['variantMayBeNew'] !== true)
    throw await unknownVersion(store, variant, undefined)
  const committed = git(['rev-parse', '--verify', '--quiet', `HEAD:./${supergraphFile}`], environment.cwd)
  return committed === null ? null : readCommitted('HEAD', environment.cwd)
}

function readCommitted(name: string, cwd: string): Reference {
  const [ref = '', path = supergraphFile] = name.split(':')
  // A leading dash would be read as an option of git.
  const content = ref.startsWith('-') ? null : git(['show', `${ref}:./${path}`], cwd)
  if (content === null)
    throw new Fault(
      `There is no file, folder or commit "${name}"${ref === name ? ` with ${supergraphFile}` : ''}`,
    )
  return { label: name, document: parseText(content, name) }
}

/** Runs git; null when it fails or is not there. */
export function git(args: readonly string[], cwd: string): string | null {
  const run = spawnSync('git', args, { cwd, encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 })
  return run.status === 0 ? run.stdout : null
}

function headerOf(option: string): [string, string] {
  const at = option.indexOf(':')
  if (at < 1) throw new Fault(`--header ${option}: write "NAME: VALUE"`)
  return [option.slice(0, at).trim(), option.slice(at + 1).trim()]
}
