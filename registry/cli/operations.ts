import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { typedClient } from '../client'
import { namedOperations, persistedDocuments } from '../usage/manifest'
import { operationFaults, readOperations } from '../usage/operations'
import { readSchema } from '../schema-model'
import { no, ok, registryOptions, text, type Command } from './command'
import { readReference, supergraphFile } from './references'

/** Validates the operations of the repository, and makes what is made of them. */
export const operations: Command = {
  name: 'operations',
  positionals: '',
  count: [0, 0],
  summary:
    'Validates the operations of this repository and writes the manifest of persisted documents and the typed client.',
  options: {
    ...registryOptions,
    operations: {
      type: 'string',
      default: 'test/operations',
      value: 'DIR',
      help: 'where the .graphql files are',
    },
    base: { type: 'string', default: supergraphFile, value: 'REF', help: 'the schema they are for' },
    manifest: {
      type: 'string',
      value: 'FILE',
      help: 'write the persisted documents: id, name, type and body',
    },
    client: {
      type: 'string',
      value: 'FILE',
      help: 'write a TypeScript module with a typed document for each operation',
    },
    check: { type: 'boolean', default: false, help: 'write nothing; exit code 1 when a file is out of date' },
  },
  async run(values, _positionals, environment) {
    const files = readOperations(resolve(environment.cwd, text(values, 'operations')))
    const schema = readSchema((await readReference(text(values, 'base'), values, environment)).document)
    const faults = operationFaults(schema, files)
    if (faults.length > 0) {
      environment.out(
        faults
          .map(
            ({ operation, message, location }) =>
              `${location ? `${location.file}:${location.line}:${location.column} ` : ''}${operation}: ${message}`,
          )
          .join('\n'),
      )
      return no
    }
    const named = namedOperations(files)
    const wanted: [string, string][] = []
    if (text(values, 'manifest')) wanted.push([text(values, 'manifest'), persistedDocuments(named)])
    if (text(values, 'client')) wanted.push([text(values, 'client'), typedClient(schema, named)])
    const stale = wanted.filter(([file, content]) => {
      const path = resolve(environment.cwd, file)
      return !existsSync(path) || readFileSync(path, 'utf8') !== content
    })
    if (values['check']) {
      for (const [file] of stale)
        environment.out(`${file} is out of date: run the same command without --check and commit the result`)
      return stale.length > 0 ? no : ok
    }
    for (const [file, content] of stale) {
      const path = resolve(environment.cwd, file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
    }
    environment.out(
      `${named.length} operations in ${files.length} files are valid${stale.map(([file]) => `; wrote ${file}`).join('')}`,
    )
    return ok
  },
}
