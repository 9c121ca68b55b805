import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'

/** Says which bits of a file's mode are too many, and what to do when one is set. */
export interface KeyFileRule {
  tooOpen: number
  ifOthersRead: string
  /** Makes the error of a file that cannot be used, from what is wrong with it. */
  unusable: (why: string) => Error
}

/**
 * The text of a file that holds keys; null where there is no such file.
 * @throws Error as `unusable` makes it, when others can read the file or this user cannot
 */
export function readKeyFile(file: string, { tooOpen, ifOthersRead, unusable }: KeyFileRule): string | null {
  try {
    if (process.platform !== 'win32' && (statSync(file).mode & tooOpen) !== 0)
      throw unusable(`can be read by others: chmod 600 it, and ${ifOthersRead}`)
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return null
    if (code === 'EACCES')
      throw unusable('belongs to another user: start as that user, or give it to this one')
    throw error
  }
}

/**
 * Writes a file of keys that only its user can read. It appears whole or not at all: `link` refuses an existing name.
 * @returns false when another process was first
 */
export function makeKeyFile(file: string, text: string): boolean {
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const handle = openSync(draft, 'wx', 0o600)
  try {
    writeSync(handle, text)
    fsyncSync(handle)
    linkSync(draft, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    closeSync(handle)
    unlinkSync(draft)
  }
}
