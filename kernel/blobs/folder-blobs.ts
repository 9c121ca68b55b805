import { randomBytes } from 'node:crypto'
import { constants, type Dirent } from 'node:fs'
import { access, mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { BlobFault, type BlobInfo } from './blob-store'
import type { RawBlobs } from './checked'
import { measured, verified } from './measured'

/** A file begins with one line of this length that says what it is: with the content in one file, they cannot part. */
const headBytes = 512
/** Follows the last part of a key, which cannot hold it: `a` and `a/b` can both be keys. */
const ending = '@'

/** Files in a folder, for their owner only: `<folder>/<tenant>/<key>@`. */
export function folderBlobs(folder: string): RawBlobs {
  const fileOf = (key: string) => join(folder, ...key.split('/')) + ending

  async function opened(key: string): Promise<{ handle: FileHandle; info: BlobInfo } | null> {
    const handle = await open(fileOf(key), 'r').catch(nothing)
    if (!handle) return null
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0)
      return { handle, info: infoIn(buffer.subarray(0, bytesRead)) }
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  return {
    async put(key, source, options = {}) {
      const file = fileOf(key)
      // A name that no key can have, beside the file: one disk, so that renaming is all or nothing.
      const draft = join(dirname(file), `.${randomBytes(12).toString('hex')}`)
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      const handle = await open(draft, 'wx', 0o600)
      try {
        let info!: BlobInfo
        let place = headBytes
        for await (const chunk of measured(source, options, (whole) => (info = whole))) {
          await handle.write(chunk, 0, chunk.byteLength, place)
          place += chunk.byteLength
        }
        await handle.write(headOf(info), 0, headBytes, 0)
        await handle.sync()
        await handle.close()
        await rename(draft, file)
        return info
      } catch (error) {
        await handle.close().catch(() => undefined)
        await rm(draft, { force: true })
        throw error
      }
    },
    async get(key) {
      const found = await opened(key)
      if (!found) return null
      const content = found.handle.createReadStream({ start: headBytes })
      const body = Readable.from(verified(content, found.info), { objectMode: false })
      body.on('close', () => content.destroy())
      return { ...found.info, body }
    },
    async info(key) {
      const found = await opened(key)
      await found?.handle.close()
      return found?.info ?? null
    },
    delete: (key) => rm(fileOf(key), { force: true }),
    async *list(prefix) {
      yield* keysBelow(join(folder, ...prefix.split('/').filter(Boolean)), prefix)
    },
    downloadUrl: async () => null,
    async ping() {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await access(folder, constants.W_OK)
    },
    close: async () => {},
  }
}

async function* keysBelow(folder: string, prefix: string): AsyncGenerator<string, void, undefined> {
  const entries = (await readdir(folder, { withFileTypes: true }).catch(nothing)) ?? []
  const named = entries.flatMap((entry) => nameOf(entry)).sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const { name, isFolder } of named) {
    if (isFolder) yield* keysBelow(join(folder, name.slice(0, -1)), prefix + name)
    else yield prefix + name
  }
}

/** Folders as they stand in keys, so that all are in one order. */
function nameOf(entry: Dirent): { name: string; isFolder: boolean }[] {
  if (entry.isDirectory()) return [{ name: `${entry.name}/`, isFolder: true }]
  return entry.name.endsWith(ending) ? [{ name: entry.name.slice(0, -1), isFolder: false }] : []
}

const headOf = (info: BlobInfo): Buffer => Buffer.from(`${JSON.stringify(info).padEnd(headBytes - 1)}\n`)

function infoIn(head: Buffer): BlobInfo {
  try {
    const { bytes, sha256, contentType } = JSON.parse(head.toString('utf8')) as BlobInfo
    return { bytes, sha256, contentType }
  } catch {
    throw new BlobFault('DAMAGED', 'The file does not begin as it was stored')
  }
}

function nothing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
  throw error
}
