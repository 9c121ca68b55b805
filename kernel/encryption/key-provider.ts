/** A data key as it is stored: wrapped by a master key. */
export interface WrappedKey {
  /** Names the master key; its provider knows it. */
  masterKeyId: string
  /** Printable text. */
  wrapped: string
}

/**
 * Keeps master keys, which never touch the database, and wraps data keys with them. What is wrapped for one place is
 * unwrapped for no other: `place` is associated data.
 */
export interface KeyProvider {
  /** Names the master key that keys are wrapped with from now on. */
  currentKeyId(): Promise<string>
  wrap(key: Buffer, place: string): Promise<WrappedKey>
  /** @throws Error that names the master key when it is not there, or the wrapped key was changed or moved */
  unwrap(wrapped: WrappedKey, place: string): Promise<Buffer>
}
