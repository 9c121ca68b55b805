/** Holds what the benchmark asked of this process: the JSON behind its file name. */
export const given = JSON.parse(process.argv[2])

/**
 * Tells that the server is ready and answers its questions.
 * @param at a URL, or URLs by name
 * @param answers what to do by question; the result is sent back
 */
export function serve(at, answers = {}) {
  process.on('message', async (question) => process.send(await answers[question]()))
  process.on('disconnect', () => process.exit())
  process.on('SIGTERM', () => process.exit())
  process.send({ ready: at })
}

/** BEGIN, COMMIT and the like are no statements of a request: they are not counted, for anybody. */
export const isControl = (text) => /^\s*(begin|start|commit|rollback|savepoint|release)\b/i.test(text)
