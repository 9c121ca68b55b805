import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readApprovals } from '../versions/approvals'
import { Fault } from '../fault'
import { didYouMean } from '../suggestions'
import { checkOptions, runCheck } from './check'
import { ok, text, type Command } from './command'
import { git } from './references'

/** Writes an approval into schema/approvals.json. */
export const approve: Command = {
  name: 'approve',
  positionals: 'HASH',
  count: [1, 1],
  summary: 'Lets one blocked change pass: adds it to schema/approvals.json, to be reviewed like code.',
  options: {
    ...checkOptions,
    reason: { type: 'string', value: 'TEXT', help: 'why it may happen' },
    until: { type: 'string', value: 'YYYY-MM-DD', help: 'last day on which the approval holds' },
    by: { type: 'string', value: 'NAME', help: 'who approves; default: the name in the git configuration' },
  },
  notes:
    'HASH is what "schema check" prints beside the change. When the change changes, so does its hash, and the approval is void.',
  async run(values, [hash = ''], environment) {
    const [reason, until] = [text(values, 'reason').trim(), text(values, 'until')]
    const by = text(values, 'by') || git(['config', 'user.name'], environment.cwd)?.trim() || ''
    const today = new Date(environment.now()).toISOString().slice(0, 10)
    if (!reason) throw new Fault('An approval needs a --reason')
    if (!/^\d{4}-\d\d-\d\d$/.test(until) || Number.isNaN(Date.parse(until)) || until < today)
      throw new Fault('An approval needs --until YYYY-MM-DD, today or later')
    if (!by) throw new Fault('Say who approves with --by NAME')
    const { changes } = await runCheck(values, environment)
    const change = changes.find((candidate) => candidate.hash === hash)
    if (!change?.blocked)
      throw new Fault(
        change
          ? `${change.code} ${change.coordinate} is not blocked`
          : `No change has the hash ${hash}${
              didYouMean(
                hash,
                changes.filter(({ blocked }) => blocked).map((blocked) => blocked.hash),
              ) || ': see "schema check"'
            }`,
      )
    const path = join(resolve(environment.cwd, text(values, 'schema')), 'approvals.json')
    const approvals = [
      ...readApprovals(path).filter((approval) => approval.change !== hash),
      { change: hash, code: change.code, coordinate: change.coordinate, by, reason, until },
    ]
    writeFileSync(path, `${JSON.stringify({ approvals }, null, 2)}\n`)
    environment.out(`Approved until ${until}: ${change.message}`)
    return ok
  },
}
