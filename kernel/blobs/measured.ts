import { createHash } from 'node:crypto'
import { BlobFault, type BlobInfo, type PutOptions, type Source } from './blob-store'

const defaultMost = 100 * 1024 * 1024

/**
 * Yields what a source yields, counted and digested on its way. `info` is told when all of it has passed.
 * @throws BlobFault TOO_LARGE as soon as there is more than may be, DIGEST_MISMATCH at the end
 */
export async function* measured(
  source: Source,
  { mostBytes = defaultMost, sha256: wanted, contentType = 'application/octet-stream' }: PutOptions,
  info: (info: BlobInfo) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of source) {
    bytes += chunk.byteLength
    if (bytes > mostBytes) throw new BlobFault('TOO_LARGE', `The file has more than ${mostBytes} bytes`)
    hash.update(chunk)
    yield chunk
  }
  const sha256 = hash.digest('hex')
  if (wanted !== undefined && wanted !== sha256)
    throw new BlobFault('DIGEST_MISMATCH', 'The file is not what its sha256 says')
  info({ bytes, sha256, contentType })
}

/** Yields what was stored, as long as it is what was stored. */
export async function* verified(
  source: Source,
  { bytes, sha256 }: BlobInfo,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256')
  let left = bytes
  for await (const chunk of source) {
    left -= chunk.byteLength
    if (left < 0) break
    hash.update(chunk)
    yield chunk
  }
  if (left !== 0 || hash.digest('hex') !== sha256)
    throw new BlobFault('DAMAGED', 'The file is not what was stored')
}
