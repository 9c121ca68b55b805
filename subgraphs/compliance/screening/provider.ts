/** Whom a screening looks for. */
export interface ScreenedSubject {
  name: string
  /** `YYYY-MM-DD`; null when not known. */
  birthDate: string | null
}

/** An entry of a list that looks like the subject. */
export interface ScreeningHit {
  listName: string
  /** Of the entry, as its list names it. */
  entryId: string
  listedName: string
  /** 1 to 100. */
  score: number
  /** Tells the entry's content apart: another text when it changes. */
  entryDigest: string
}

export interface ScreeningResult {
  /** Of the lists that were looked into. */
  listVersion: string
  hits: readonly ScreeningHit[]
}

/**
 * Compares people with lists. It answers with what it found in whole lists, or throws: no answer is never "nobody". It keeps
 * nothing of whom it was asked about.
 */
export interface ScreeningProvider {
  /** The version of the lists as they are. */
  listVersion(signal: AbortSignal): Promise<string>
  screen(subject: ScreenedSubject, signal: AbortSignal): Promise<ScreeningResult>
}

/**
 * An answer of the provider within a time, or an error.
 * @param ask gets a signal that is aborted when the time is over or the job stops
 * @throws Error when it does not answer in time, whatever it answers later
 */
export async function inTime<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  ms: number,
  stop: AbortSignal,
): Promise<T> {
  const abort = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let refuse: () => void = () => undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The screening did not answer within ${ms} ms`)), ms)
    refuse = () => reject(new Error('The screening was stopped'))
    stop.addEventListener('abort', refuse, { once: true })
  })
  try {
    stop.throwIfAborted()
    return await Promise.race([ask(abort.signal), late])
  } finally {
    clearTimeout(timer)
    stop.removeEventListener('abort', refuse)
    abort.abort()
  }
}
