import { run } from '../registry/cli'
import { projectRoot } from '../subgraphs/shared/config'

async function main(): Promise<number> {
  return run(process.argv.slice(2), {
    cwd: projectRoot,
    out: (text) => console.log(text),
    now: Date.now,
    database: () => {
      throw new Error('not yet')
    },
  })
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: unknown) => {
    console.error(error)
    process.exitCode = 3
  },
)
