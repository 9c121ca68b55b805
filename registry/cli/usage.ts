import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Fault } from '../fault'
import { daysBefore } from '../verdict'
import { usedText } from '../report/human'
import { readSchema, visibleTo } from '../schema-model'
import { coordinatesNear, didYouMean, hasCoordinate } from '../suggestions'
import { usageIndex, type Usage } from '../usage/usage'
import { readUsage } from '../usage/usage-lines'
import { ok, registryOptions, text, wholeNumber, type Command } from './command'
import { readReference, supergraphFile } from './references'

/** Lists the operations that use something. */
export const usage: Command = {
  name: 'usage',
  positionals: 'COORDINATE',
  count: [1, 1],
  summary:
    'Lists the operations that use a type, field, argument, input field or enum value: User, User.email, Query.users(first:), Plan.TRIAL.',
  options: {
    ...registryOptions,
    usage: {
      type: 'string',
      default: 'database',
      value: 'FILE|database',
      help: 'what clients used: JSON lines, or what the gateways recorded',
    },
    base: {
      type: 'string',
      default: supergraphFile,
      value: 'REF',
      help: 'the schema the operations were sent to',
    },
    days: { type: 'string', default: '30', value: 'N', help: 'how far to look back' },
    json: { type: 'boolean', default: false, help: 'answer in JSON lines, which --usage reads' },
  },
  async run(values, [coordinate = ''], environment) {
    const days = wholeNumber(values, 'days', 1, 3650)
    const { label, document } = await readReference(text(values, 'base'), values, environment)
    const schema = visibleTo(readSchema(document))
    if (!hasCoordinate(schema, coordinate))
      throw new Fault(
        `There is no ${coordinate} in ${label}${didYouMean(coordinate, coordinatesNear(schema, coordinate))}`,
      )
    const since = daysBefore(new Date(environment.now()).toISOString().slice(0, 10), days)
    const place = text(values, 'usage')
    let recorded: Usage
    if (place === 'database') recorded = await (await environment.database()).usage(since)
    else {
      const path = resolve(environment.cwd, place)
      if (!existsSync(path)) throw new Fault(`There is no usage file ${place}`)
      recorded = readUsage(readFileSync(path, 'utf8'), since, place)
    }
    const found = usageIndex(recorded, schema)([coordinate])
    if (values['json']) {
      for (const { clients, ...operation } of found) {
        for (const { client, version, ...seen } of clients) {
          environment.out(JSON.stringify({ ...operation, client: { name: client, version }, ...seen }))
        }
      }
    } else
      environment.out(
        found.length > 0 ? found.map(usedText).join('\n') : `Nobody used ${coordinate} in ${days} days`,
      )
    return ok
  },
}
