import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** A process that was seen alive, told apart from a later one with the same number. */
interface Owner {
  pid: number
  started: string
}

/**
 * Takes a lock file for this process. A file left by a process that is gone is replaced.
 * @returns a function that gives the lock back
 * @throws when a living process holds it; the message names the process
 */
export function takeLock(file: string, refusal: (pid: number) => string): () => void {
  const mine = JSON.stringify({ pid: process.pid, started: startOf(process.pid), id: randomUUID() })
  const draft = `${file}.${randomUUID()}`
  // The file appears with its content at once, so nobody reads half of it.
  writeFileSync(draft, mine, { mode: 0o600 })
  try {
    for (;;) {
      if (linkIfFree(draft, file)) break
      const held = read(file)
      if (held === null) continue
      const owner = ownerIn(held)
      if (owner && isAlive(owner)) throw new Error(refusal(owner.pid))
      // Two starts may find the same stale file: only one moves it away, and what was moved is looked at again.
      const moved = `${file}.${randomUUID()}`
      renameIfThere(file, moved)
      const taken = read(moved)
      if (taken !== null && taken !== held) linkIfFree(moved, file)
      rmSync(moved, { force: true })
    }
  } finally {
    rmSync(draft, { force: true })
  }
  return () => {
    if (read(file) === mine) rmSync(file, { force: true })
  }
}

/** Tells whether the process that wrote a lock file still lives. */
export function isHeld(file: string): boolean {
  const owner = ownerIn(read(file) ?? '')
  return owner !== null && isAlive(owner)
}

/** Null for a file whose content a power cut took. */
function ownerIn(text: string): Owner | null {
  try {
    return JSON.parse(text) as Owner
  } catch {
    return null
  }
}

function isAlive(owner: Owner): boolean {
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  return startOf(owner.pid) === owner.started
}

/** When a process started, in whatever form this system tells it; '' when it does not. */
function startOf(pid: number): string {
  if (existsSync('/proc/self/stat')) {
    const stat = read(`/proc/${pid}/stat`)
    if (stat === null) return 'gone'
    // The name in parentheses may hold spaces: count from the closing one. Field 3 is the state, field 22 ticks since
    // the machine started.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z') return 'gone' // ended, and nobody has asked for its result yet
    return `${read('/proc/sys/kernel/random/boot_id')?.trim()} ${fields[19]}`
  }
  if (process.platform === 'win32') return ''
  return spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}

function linkIfFree(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
