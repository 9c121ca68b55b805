import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compose } from '../gateway/compose'
import { subgraphs } from '../subgraphs'
import { projectRoot } from '../subgraphs/shared/config'

const usage = `npm run schema -- compose [--check]

compose   composes the subgraphs into schema/supergraph.graphql; hints are errors
--check   writes nothing; exit code 1 when the file is not what the subgraphs compose to`

/** Composes the six subgraphs and writes the artefact, or with `check` compares it. */
function composeCommand(check: boolean): void {
  const file = join(projectRoot, 'schema', 'supergraph.graphql')
  const composed = compose(subgraphs.map(({ name, typeDefs }) => ({ name, typeDefs })))
  if (!check) return writeFileSync(file, composed)
  if (!existsSync(file) || readFileSync(file, 'utf8') !== composed) {
    throw new Error(
      'schema/supergraph.graphql is out of date: run "npm run schema -- compose" and commit the result',
    )
  }
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) console.log(usage)
  else if (positionals.join(' ') === 'compose') composeCommand(values.check)
  else throw new Error(`What to do?\n\n${usage}`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
