/**
 * A fault that the caller can correct: a missing file, a wrong option, an unreachable service. The command line prints
 * its message without a stack and ends with exit code 2.
 */
export class Fault extends Error {
  override readonly name = 'Fault'
}
