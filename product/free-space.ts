import { statfs } from 'node:fs/promises'

/** PostgreSQL writes its log ahead in files of 16 MiB, and needs room to make the next ones. */
const leastBytes = 128 * 1024 * 1024

/**
 * Resolves while a folder's file system has room for writes.
 * @param atLeast bytes; default 128 MiB
 * @throws when there is less
 */
export async function assertFreeSpace(folder: string, atLeast = leastBytes): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  if (free < atLeast)
    throw new Error(
      `${folder} has ${Math.floor(free / 1024 / 1024)} MiB left: make room, or writes will fail`,
    )
}
