/** Says how long the link that is mailed for a forgotten password can be used. */
export const resetMs = 30 * 60_000

/** Says how many such links are mailed for one account within an hour; further requests are answered alike and do nothing. */
export const resetRequests = { limit: 5, windowMs: 60 * 60_000 } as const

/** Says at which steps after its arrival a request is answered, so that the time tells nothing of what was done. */
export const answerStepMs = 250
