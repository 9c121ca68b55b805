import { Fault } from '../fault'
import { lintRules } from '../lint/rules'
import { rules, type Rule } from '../rules'
import { didYouMean } from '../suggestions'
import { ok, type Command } from './command'

const all: Readonly<Record<string, Rule>> = { ...rules, ...lintRules }

/** Says what a code of a report means. */
export const explain: Command = {
  name: 'explain',
  positionals: '[CODE]',
  count: [0, 1],
  summary: 'Says what a code means, why it matters and what to do. Without a code: all of them, in short.',
  options: {},
  async run(_values, [code], { out }) {
    out(
      code === undefined
        ? Object.entries(all)
            .map(([name, { title }]) => `${name.padEnd(28)} ${title}`)
            .join('\n')
        : explanation(code),
    )
    return ok
  },
}

/** @throws Fault when there is no such code */
export function explanation(code: string): string {
  const rule = Object.hasOwn(all, code.toUpperCase()) ? all[code.toUpperCase()] : undefined
  if (!rule)
    throw new Fault(
      `There is no code "${code}"${didYouMean(code, Object.keys(all))} "schema explain" lists them. Codes of composition are Apollo's: https://www.apollographql.com/docs/graphos/reference/federation/errors`,
    )
  return `${code.toUpperCase()}: ${rule.title}\n\nWhy: ${rule.why}\nWhat to do: ${rule.fix}`
}
