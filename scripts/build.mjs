import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Holds what the product runs from `dist/`; plain JavaScript, because nothing is built before it. */
const folders = [
  'kernel',
  'gateway',
  'product',
  'registry',
  'subgraphs',
  'database',
  'migrations',
  'isolation',
  'scripts',
]
const target = 'dist'
/** Holds what was built from what: each source with its time and size, and what else decides how it is built. */
const record = join(target, 'built.json')
const configuration = ['.swcrc', 'scripts/build.mjs', 'package-lock.json']
let swc

/** Whole or not at all, and only when it differs: a server may be loading what another command builds again. */
async function put(file, content) {
  if ((await readFile(file, 'utf8').catch(() => null)) === content) return
  const whole = `${file}.${process.pid}`
  await writeFile(whole, content)
  await rename(whole, file)
}

async function build(file) {
  const name = file.replace(/\.ts$/, '.js')
  const output = join(target, name)
  swc ??= import('@swc/core')
  const { code, map } = await (await swc).transformFile(file, { configFile: '.swcrc', outputPath: output })
  await mkdir(dirname(output), { recursive: true })
  await put(output, `${code}\n//# sourceMappingURL=${basename(name)}.map\n`)
  await put(`${output}.map`, map)
}

/** Differs whenever a file was written, were it by an older one in its place. */
async function stamp(file) {
  const { mtimeMs, ctimeMs, size } = await stat(file)
  return `${mtimeMs} ${ctimeMs} ${size}`
}

async function filesIn(folder, ending) {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  return names.filter((name) => name.endsWith(ending)).map((name) => join(folder, name))
}

process.chdir(join(import.meta.dirname, '..'))
const stamps = async (files) =>
  Object.fromEntries(await Promise.all(files.map(async (file) => [file, await stamp(file)])))
const sources = (await Promise.all(folders.map((folder) => filesIn(folder, '.ts')))).flat()
const [before, current, outputs] = await Promise.all([
  readFile(record, 'utf8').then(JSON.parse, () => ({})),
  stamps([...configuration, ...sources]),
  filesIn(target, '.js'),
])
const outputOf = (file) => join(target, file.replace(/\.ts$/, '.js'))
const there = new Set(outputs)
const isSame = (file) => before[file] === current[file]
const stale = configuration.every(isSame)
  ? sources.filter((file) => !isSame(file) || !there.has(outputOf(file)))
  : sources
await Promise.all(stale.map(build))
const wanted = new Set(sources.map(outputOf))
const left = outputs.filter((output) => !wanted.has(output))
for (const output of left) await Promise.all([rm(output), rm(`${output}.map`, { force: true })])
// Taken before building: what was written meanwhile is built next time.
if (stale.length > 0 || left.length > 0) await put(record, JSON.stringify(current))
