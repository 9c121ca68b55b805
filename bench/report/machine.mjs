import { execFileSync } from 'node:child_process'
import { cpus, loadavg, totalmem } from 'node:os'

/**
 * Finds where a run took place, and how busy it was before: others' work makes requests/s worthless and ratios
 * uncertain.
 */
export function machine() {
  const [one] = cpus()
  return {
    cpu: one?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    loadBefore: loadavg()[0],
    commit: commit(),
  }
}

function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return 'unknown'
  }
}
