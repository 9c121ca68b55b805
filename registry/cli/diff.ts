import { apiChanges, diff as difference } from '../diff'
import { readSchema } from '../schema-model'
import { changeHash } from '../change'
import { ok, registryOptions, type Command } from './command'
import { readReference } from './references'

/** Lists the differences between two schemas. */
export const diff: Command = {
  name: 'diff',
  positionals: 'A B',
  count: [2, 2],
  summary:
    'Lists the differences between two schemas: registry[:VARIANT][@N], files, folders of subgraphs, or commits.',
  options: {
    ...registryOptions,
    api: {
      type: 'boolean',
      default: false,
      help: 'only what clients see: no access, cost, ownership or tags',
    },
    json: { type: 'boolean', default: false, help: 'answer in JSON' },
  },
  async run(values, [a = '', b = ''], environment) {
    const [before, after] = [
      await readReference(a, values, environment),
      await readReference(b, values, environment),
    ]
    const compare = values['api'] ? apiChanges : difference
    const changes = compare(readSchema(before.document), readSchema(after.document))
    environment.out(
      values['json']
        ? JSON.stringify(
            changes.map((change) => ({ ...change, hash: changeHash(change) })),
            null,
            2,
          )
        : changes
            .map(({ severity, code, message }) => `${severity.padEnd(9)} ${code}: ${message}`)
            .join('\n') || 'No differences.',
    )
    return ok
  },
}
