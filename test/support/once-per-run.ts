import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The text that `make` returns, made by the first test file that asks and read by the others of the same run, in
 * whichever process. For what takes long and depends on the key and the product's code alone.
 */
export function oncePerRun(key: string, make: () => string): string {
  const folder = process.env.TEST_RUN
  if (!folder) throw new Error('TEST_RUN is not set: jest makes it in test/support/global-setup.ts')
  const file = join(folder, createHash('sha256').update(key).digest('hex'))
  if (existsSync(file)) return readFileSync(file, 'utf8')
  const text = make()
  // Appears whole: another process may read it at any moment.
  writeFileSync(`${file}.${process.pid}`, text)
  renameSync(`${file}.${process.pid}`, file)
  return text
}
