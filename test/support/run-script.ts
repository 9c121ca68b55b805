import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { projectRoot } from '../../kernel/process/config'
import type { TestDatabase } from './postgres'

/** Runs a command of `scripts/` to its end, as an operator does, over a database of somebody else's server. */
export function runScript(
  name: string,
  args: readonly string[],
  { database, dataDir }: { database: TestDatabase; dataDir: string },
): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: 'test',
    DATA_DIR: dataDir,
    DATABASE_URL: database.migratorUrl,
    DATABASE_APP_SECRET: database.roleSecret,
  }
  const hook = join(projectRoot, 'test', 'support', 'typescript.js')
  const script = join(projectRoot, 'scripts', `${name}.ts`)
  return new Promise((resolve) => {
    execFile(process.execPath, ['--require', hook, script, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}
