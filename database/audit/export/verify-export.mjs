/**
 * Verifies an exported audit trail: node verify-export.mjs [FOLDER]. It needs this folder and Node, nothing of the product.
 * HOW-TO-VERIFY.md says what it does. Ends with 1 when something does not hold.
 */
import { Buffer } from 'node:buffer'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { createReadStream, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv, exit, stdout } from 'node:process'
import { URL, fileURLToPath } from 'node:url'

const folder = argv[2] ?? fileURLToPath(new URL('.', import.meta.url))
const faults = []
const sha256 = (text) => createHash('sha256').update(text, 'utf8').digest('hex')
const linesOf = (name) => readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean)

const keys = new Map()
for (const { kid, ...jwk } of JSON.parse(readFileSync(join(folder, 'keys.json'), 'utf8')).keys) {
  const { crv, kty, x } = jwk
  const thumbprint = createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url')
  if (kid !== thumbprint) faults.push(`the key ${kid} is not the one that it is named after`)
  else keys.set(kid, createPublicKey({ key: jwk, format: 'jwk' }))
}

/** The statements of a file whose signatures hold. */
function statementsOf(name) {
  return linesOf(name).flatMap((line, place) => {
    try {
      const { signature, statement } = JSON.parse(line)
      const said = JSON.parse(statement)
      const key = keys.get(said.key)
      if (key && verify(null, Buffer.from(statement), key, Buffer.from(signature, 'base64url')))
        return [{ line, said }]
    } catch {
      // Told below.
    }
    faults.push(`line ${place + 1} of ${name} is not signed with one of the keys`)
    return []
  })
}

const checkpoints = statementsOf('checkpoints.jsonl')
const runs = new Map(
  statementsOf('cuts.jsonl').flatMap(({ said }) => said.runs.map((run) => [run.first, run])),
)
const wanted = new Map(checkpoints.map(({ said }) => [said.position, null]))

let position = 0
let hash = '0'.repeat(64)
let entries = 0
let tenant = null

function skip(until) {
  for (let run = runs.get(position + 1); run && run.last < until; run = runs.get(position + 1)) {
    if (run.before !== null && run.before !== hash) faults.push(`entry ${position} was changed`)
    position = run.last
    hash = run.after
    if (wanted.has(position)) wanted.set(position, hash)
  }
}

/** Lines end with a line feed and nothing else: other separators of lines stand in texts as they are. */
async function* linesIn(file) {
  let rest = ''
  for await (const chunk of createReadStream(file, 'utf8')) {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop()
    yield* parts
  }
  if (rest !== '') yield rest
}

for await (const line of linesIn(join(folder, 'entries.jsonl'))) {
  const entry = JSON.parse(line)
  entries++
  tenant ??= entry.tenantId
  if (entry.tenantId !== tenant) faults.push(`entry ${entry.position} is another tenant's`)
  skip(entry.position)
  if (entry.position !== position + 1)
    faults.push(`between entry ${position} and entry ${entry.position} the order is broken: removed or moved`)
  else if (entry.previous !== hash)
    faults.push(
      position === 0
        ? 'the first entry was changed'
        : `entry ${position} was changed, or entry ${entry.position}`,
    )
  position = entry.position
  hash = sha256(line)
  if (wanted.has(position)) wanted.set(position, hash)
}
skip(Infinity)

let previous = null
for (const { line, said } of checkpoints) {
  if (tenant !== null && said.tenantId !== tenant)
    faults.push(`a checkpoint at ${said.position} is another tenant's`)
  if (said.previous !== previous) faults.push(`a checkpoint before the one at ${said.position} is missing`)
  previous = sha256(`${line}\n`)
  const found = wanted.get(said.position)
  if (said.position > position)
    faults.push(`entries ${position + 1} to ${said.position} are missing at the end`)
  else if (found !== null && found !== said.hash)
    faults.push(`the trail up to ${said.position} is not the one that was signed on ${said.at}`)
}
if (entries > 0 && (checkpoints.at(-1)?.said.position ?? 0) < position)
  faults.push(`nobody has signed entries ${(checkpoints.at(-1)?.said.position ?? 0) + 1} to ${position}`)

for (const fault of faults.slice(0, 100)) stdout.write(`${fault}\n`)
stdout.write(
  `${entries} entries up to position ${position}, ${checkpoints.length} checkpoints: ${faults.length === 0 ? 'everything holds' : 'DOES NOT HOLD'}\n`,
)
exit(faults.length === 0 ? 0 : 1)
