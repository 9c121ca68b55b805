import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** CPU time and memory are read from here; without it (macOS, Windows) both are reported as null. */
const hasProc = existsSync('/proc/self/stat')

/** Holds what /proc counts CPU time in; every Linux that Node runs on has 100 ticks a second. */
const msPerTick = 10

/** Fields of /proc/PID/stat after the command, which may hold blanks. */
function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state, ppid, pgrp, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [user, system, childUser, childSystem] = rest.slice(8, 12).map(Number)
    return { pid, state, ppid: Number(ppid), pgrp: Number(pgrp), user, system, childUser, childSystem }
  } catch {
    return null // it has ended since the folder was read
  }
}

const living = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => statOf(Number(pid)) ?? [])

/**
 * A measured set of processes.
 * @param members which of the living processes belong to it
 * @param root its first process; what ended children of it used is counted too
 */
function measured(members, root) {
  return {
    /** User and system time since the processes began, in milliseconds; null where there is no /proc. */
    cpuMs() {
      if (!hasProc) return null
      let ticks = 0
      for (const stat of living().filter(members)) {
        ticks += stat.user + stat.system
        if (stat.pid === root) ticks += stat.childUser + stat.childSystem
      }
      return ticks * msPerTick
    },
    /** Resident memory at its highest since {@link resetPeak}, in MiB, the processes added up. */
    peakMiB() {
      if (!hasProc) return null
      const kib = living()
        .filter(members)
        .map(({ pid }) => {
          try {
            return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0)
          } catch {
            return 0
          }
        })
      return Math.round(kib.reduce((sum, one) => sum + one, 0) / 1024)
    },
    resetPeak() {
      if (!hasProc) return
      for (const { pid } of living().filter(members)) {
        try {
          writeFileSync(`/proc/${pid}/clear_refs`, '5')
        } catch {
          // Not allowed here: the peak is then that of the whole run.
        }
      }
    },
  }
}

/** The process group of a started server: what it forks is its cost as well. */
export const processGroup = (pid) => measured((stat) => stat.pgrp === pid, pid)

/** PostgreSQL: its backends leave the process group, but stay children of the first process. */
export const postgresProcesses = (pid) => measured((stat) => stat.pid === pid || stat.ppid === pid, pid)

const running = new Set()

/**
 * Starts a server as the leader of its own process group.
 *
 * @param options.node the Node to run it with, default this one
 * @param options.args passed to `servers/*.mjs` as JSON (an object), or as they are (an array)
 * @param options.answersAt a URL to poll, for servers that do not tell by message when they are ready
 * @returns what it said when it was ready, its measure, and `ask(question)` for those that answer messages
 */
export async function startServer(name, file, options = {}) {
  const { args = {}, node = process.execPath, env = {}, nodeArgs = [], answersAt } = options
  const given = Array.isArray(args) ? args : [JSON.stringify(args)]
  const child = spawn(node, [...nodeArgs, file, ...given], {
    detached: true,
    env: { ...process.env, NODE_ENV: 'production', ...env },
    // Request logs cost what they cost, and go nowhere.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  running.add(child)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.once('exit', () => running.delete(child))
  const failed = ended.then((code) => {
    throw new Error(`${name} ended with code ${code} before it was ready: see its output above`)
  })
  const ready = answersAt
    ? polled(answersAt)
    : new Promise((resolve) => child.once('message', (message) => resolve(message.ready)))
  const at = await Promise.race([ready, failed])
  failed.catch(() => undefined)
  return {
    name,
    at,
    pid: child.pid,
    /** Tells whether it answers `ask`. */
    canAnswer: !answersAt,
    ...processGroup(child.pid),
    ask: (question) =>
      new Promise((resolve) => {
        child.once('message', resolve)
        child.send(question)
      }),
    async stop() {
      signal(child, 'SIGTERM')
      await Promise.race([ended, sleep(3000).then(() => signal(child, 'SIGKILL'))])
    },
  }
}

/** Waits until a server answers anything over HTTP, for at most a minute. */
async function polled(url) {
  for (let waited = 0; waited < 60_000; waited += 200) {
    try {
      await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
      return url
    } catch {
      await sleep(200)
    }
  }
  throw new Error(`${url} does not answer`)
}

function signal(child, name) {
  try {
    process.kill(-child.pid, name)
  } catch {
    // It has ended already.
  }
}

/** Ends everything that was started here, at once. */
export function killServers() {
  for (const child of running) signal(child, 'SIGKILL')
}
