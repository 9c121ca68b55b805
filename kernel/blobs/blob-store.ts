import type { Readable } from 'node:stream'

/**
 * Files of tenants. Two adapters keep the same contract (test/blobs/contract.ts): a folder on this machine, and a bucket
 * that speaks S3.
 */
export interface BlobStore {
  /** The files of one tenant. Nothing that it is asked for can name another's. */
  of(tenantId: string): TenantBlobs
  /** Resolves when the store answers. */
  ping(): Promise<void>
  close(): Promise<void>
}

/**
 * The files of one tenant, by key: parts of lower-case letters, digits, `.`, `_` and `-` that begin with a letter or a
 * digit, joined by `/`, at most 400 characters. Every function throws BlobFault for another key, and SUBGRAPH_UNAVAILABLE
 * when the store does not answer.
 */
export interface TenantBlobs {
  /**
   * Stores what the source yields, whole or not at all, over an earlier file of the key. What is read is counted and
   * digested on its way, never held.
   * @throws BlobFault TOO_LARGE beyond `mostBytes`, DIGEST_MISMATCH when it is not what `sha256` says
   */
  put(key: string, source: Source, options?: PutOptions): Promise<BlobInfo>
  /**
   * A file and what it is, or null. The body must be read or destroyed; it ends with BlobFault DAMAGED when it is not what
   * was stored.
   */
  get(key: string): Promise<(BlobInfo & { body: Readable }) | null>
  info(key: string): Promise<BlobInfo | null>
  /** Does nothing where there is none. */
  delete(key: string): Promise<void>
  /** The keys that begin with a prefix, which ends with `/`, in their order; all of the tenant's with an empty one. */
  list(prefix: string): AsyncIterable<string>
  /**
   * An address that gives the file to whoever has it, until it ends; null where the store has no such address: stream the
   * file then.
   * @param options.seconds 1 to 86,400
   * @param options.fileName under which browsers keep it
   */
  downloadUrl(key: string, options: { seconds: number; fileName: string }): Promise<string | null>
}

export type Source = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

export interface PutOptions {
  /** Default `application/octet-stream`. */
  contentType?: string
  /** Default 100 MiB. */
  mostBytes?: number
  /** Names the digest that the content must come to, in hexadecimal. */
  sha256?: string
}

export interface BlobInfo {
  bytes: number
  /** In hexadecimal. */
  sha256: string
  contentType: string
}

/** Says what is wrong with a file or with how it is asked for. */
export class BlobFault extends Error {
  override readonly name = 'BlobFault'

  constructor(
    readonly code: 'INVALID' | 'TOO_LARGE' | 'DIGEST_MISMATCH' | 'DAMAGED',
    message: string,
  ) {
    super(message)
  }
}
