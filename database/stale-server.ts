import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const fastShutdownMs = 60_000
const immediateShutdownMs = 10_000

/**
 * Ends what a killed process of ours left running on a cluster, without losing data, and removes its pid file.
 * Call it only while holding the lock of the data directory: then nobody living owns that server.
 * @param cluster the real path of the data folder
 * @returns whether a server had to be stopped
 */
export async function stopLeftover(cluster: string): Promise<boolean> {
  const pidFile = join(cluster, 'postmaster.pid')
  const running = processesOn(cluster, pidFile)
  if (running.length > 0) {
    const postmaster = postmasterPid(pidFile)
    // SIGINT is PostgreSQL's fast shutdown. Without the postmaster its children end by themselves.
    if (postmaster !== null && running.includes(postmaster)) signal(postmaster, 'SIGINT')
    if (!(await ended(cluster, pidFile, fastShutdownMs))) {
      for (const pid of processesOn(cluster, pidFile)) signal(pid, 'SIGQUIT')
      if (!(await ended(cluster, pidFile, immediateShutdownMs)))
        throw new Error(
          `PostgreSQL (process ${running.join(', ')}) on ${cluster} does not stop: end it by hand.`,
        )
    }
  }
  // Its number may belong to somebody else by now, and then PostgreSQL would not start.
  if (process.platform !== 'win32') rmSync(pidFile, { force: true })
  return running.length > 0
}

/** The postmaster and its children: a server's processes work in its data folder. */
function processesOn(cluster: string, pidFile: string): number[] {
  if (existsSync('/proc/self/cwd')) {
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry) && workingFolder(entry) === cluster)
      .map(Number)
  }
  const pid = postmasterPid(pidFile)
  if (pid === null || process.platform === 'win32') return []
  const { stdout } = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.includes('postgres') && stdout.includes(cluster) ? [pid] : []
}

function workingFolder(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return null // gone meanwhile, or another user's
  }
}

function postmasterPid(pidFile: string): number | null {
  if (!existsSync(pidFile)) return null
  return Number(readFileSync(pidFile, 'utf8').split('\n')[0]) || null
}

function signal(pid: number, name: 'SIGINT' | 'SIGQUIT'): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function ended(cluster: string, pidFile: string, withinMs: number): Promise<boolean> {
  for (let waited = 0; waited < withinMs; waited += 50) {
    if (processesOn(cluster, pidFile).length === 0) return true
    await sleep(50)
  }
  return false
}
