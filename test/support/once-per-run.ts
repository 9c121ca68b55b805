import { createHash } from 'node:crypto'
import { existsSync, linkSync, readFileSync, writeFileSync } from 'node:fs'
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
  writeFileSync(`${file}.${process.pid}`, make())
  try {
    // Appears whole, and only once: of several who make it at the same time, the first one's text is everybody's.
    linkSync(`${file}.${process.pid}`, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  return readFileSync(file, 'utf8')
}
