import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { changelog } from '../changelog'
import { readOperations } from '../usage/operations'
import { referencePage } from '../reference/page'
import { readSchema } from '../schema-model'
import { current } from '../versions/versions'
import { parseText } from '../composition/subgraph-files'
import { no, ok, registryOptions, text, type Command, type Environment } from './command'
import { openStore, readReference, supergraphFile, unknownVersion } from './references'

/** Writes the changelog of a variant. */
export const changelogCommand: Command = {
  name: 'changelog',
  positionals: '',
  count: [0, 0],
  summary:
    'Writes the changelog of a variant from its history, with what is deprecated and until when it works.',
  options: {
    ...registryOptions,
    out: {
      type: 'string',
      default: 'schema/CHANGELOG.md',
      value: 'FILE',
      help: 'where to write it; - for standard output',
    },
    check: {
      type: 'boolean',
      default: false,
      help: 'write nothing; exit code 1 when the file is out of date',
    },
  },
  async run(values, _positionals, environment) {
    const store = await openStore(values, environment)
    const variant = text(values, 'variant')
    const last = await current(store, variant)
    if (!last) throw await unknownVersion(store, variant, undefined)
    const graph = readSchema(parseText(last.supergraph, variant))
    return written(
      text(values, 'out'),
      changelog(await store.history(variant), graph),
      values['check'] === true,
      environment,
    )
  },
}

/** Writes the schema reference. */
export const docs: Command = {
  name: 'docs',
  positionals: '',
  count: [0, 0],
  summary: 'Writes a searchable reference of the schema: one HTML file that needs no network.',
  options: {
    ...registryOptions,
    base: { type: 'string', default: supergraphFile, value: 'REF', help: 'the schema to describe' },
    operations: {
      type: 'string',
      default: 'test/operations',
      value: 'DIR',
      help: 'examples are taken from these',
    },
    title: { type: 'string', default: 'Schema reference', value: 'TEXT', help: 'title of the page' },
    out: {
      type: 'string',
      default: 'schema/reference.html',
      value: 'FILE',
      help: 'where to write it; - for standard output',
    },
  },
  async run(values, _positionals, environment) {
    const { document } = await readReference(text(values, 'base'), values, environment)
    const examples = readOperations(resolve(environment.cwd, text(values, 'operations')))
    return written(
      text(values, 'out'),
      referencePage(readSchema(document), examples, text(values, 'title')),
      false,
      environment,
    )
  },
}

function written(file: string, content: string, check: boolean, { cwd, out }: Environment): number {
  const path = resolve(cwd, file)
  if (check) {
    if (existsSync(path) && readFileSync(path, 'utf8') === content) {
      out(`${file} is current`)
      return ok
    }
    out(`${file} is out of date: run the same command without --check and commit the result`)
    return no
  }
  if (file === '-') out(content.trimEnd())
  else {
    writeFileSync(path, content)
    out(`Wrote ${file}`)
  }
  return ok
}
