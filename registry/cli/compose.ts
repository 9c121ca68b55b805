import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'graphql'
import { contractSupergraph } from '../composition/contract-supergraph'
import { contractSchema, readContracts } from '../composition/contracts'
import { Fault } from '../fault'
import { didYouMean } from '../suggestions'
import { humanProblems } from '../report/human'
import { readSchema } from '../schema-model'
import { apiText } from './artefacts'
import { no, ok, schemaOptions, text, type Command } from './command'
import { apiFile, readSubgraphs, supergraphFile } from './references'

/** Composes the subgraphs and writes the supergraph and what clients see of it, or with `--check` compares it. */
export const compose: Command = {
  name: 'compose',
  positionals: '',
  count: [0, 0],
  summary:
    'Composes the subgraphs into the supergraph and the schema that clients see. Hints are errors. The order of the subgraphs changes nothing.',
  options: {
    ...schemaOptions,
    out: {
      type: 'string',
      default: supergraphFile,
      value: 'FILE',
      help: 'where to write the supergraph; - for standard output',
    },
    check: {
      type: 'boolean',
      default: false,
      help: 'write nothing; exit code 1 when a file is not what the subgraphs compose to',
    },
    api: {
      type: 'string',
      value: 'FILE',
      help: `where to write the schema clients see; - for standard output (default ${apiFile}, beside the default --out)`,
    },
    contract: { type: 'string', value: 'NAME', help: 'compose this contract of schema/contracts.json' },
  },
  async run(values, _positionals, environment) {
    const { problems, supergraph } = await environment.compose(await readSubgraphs(values, environment), {
      thorough: true,
    })
    if (supergraph === null) {
      environment.out(humanProblems(problems))
      return no
    }
    const contract = text(values, 'contract')
    const composed = contract
      ? ofContract(supergraph, contract, resolve(environment.cwd, text(values, 'schema'), 'contracts.json'))
      : supergraph
    const file = text(values, 'out')
    const api = text(values, 'api') || (file === supergraphFile && !contract ? apiFile : '')
    const artefacts = new Map([[file, composed]])
    if (api) artefacts.set(api, apiText(composed))
    const isCurrent = (place: string, content: string) => {
      const path = resolve(environment.cwd, place)
      return place !== '-' && existsSync(path) && readFileSync(path, 'utf8') === content
    }
    let stale = false
    for (const [place, content] of artefacts) {
      if (values['check']) {
        const current = isCurrent(place, content)
        stale ||= !current
        const advice = 'is out of date: run "npm run schema -- compose" and commit the result'
        environment.out(`${place} ${current ? 'is current' : advice}`)
      } else if (place === '-') environment.out(content.trimEnd())
      else {
        if (!isCurrent(place, content)) writeFileSync(resolve(environment.cwd, place), content)
        environment.out(`Wrote ${place}`)
      }
    }
    return stale ? no : ok
  },
}

function ofContract(supergraph: string, name: string, path: string): string {
  const contract = readContracts(path).find((candidate) => candidate.name === name)
  if (!contract)
    throw new Fault(
      `${path} has no contract "${name}"${didYouMean(
        name,
        readContracts(path).map((known) => known.name),
      )}`,
    )
  const { hidden, faults } = contractSchema(readSchema(parse(supergraph, { noLocation: true })), contract)
  if (faults.length > 0) throw new Fault(faults.map(({ message }) => message).join('\n'))
  return contractSupergraph(supergraph, hidden)
}
