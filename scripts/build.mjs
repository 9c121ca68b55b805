import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { transformFile } from '@swc/core'

/** What the product runs from `dist/`; plain JavaScript, because nothing is built before it. */
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
  const { code, map } = await transformFile(file, { configFile: '.swcrc', outputPath: output })
  await mkdir(dirname(output), { recursive: true })
  await put(output, `${code}\n//# sourceMappingURL=${basename(name)}.map\n`)
  await put(`${output}.map`, map)
  return name
}

async function filesIn(folder, ending) {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  return names.filter((name) => name.endsWith(ending)).map((name) => join(folder, name))
}

process.chdir(join(import.meta.dirname, '..'))
const sources = (await Promise.all(folders.map((folder) => filesIn(folder, '.ts')))).flat()
const built = new Set((await Promise.all(sources.map(build))).map((name) => join(target, name)))
for (const output of await filesIn(target, '.js')) {
  if (!built.has(output)) await Promise.all([rm(output), rm(`${output}.map`, { force: true })])
}
