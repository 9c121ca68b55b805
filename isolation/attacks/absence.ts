import type { Lab } from '../lab'
import { attacker, stranger, tenantTables, withoutTriggers, type AttackedTenant } from '../population'
import { fieldQuestions } from '../questions'
import { askAll, listQuestions } from './reads'

/**
 * The last attack: everything is asked, then every other tenant is taken out of the database, and everything is asked
 * again. If not a letter changes, then nothing of the others ever reached an answer: no row, count, order, sum or error.
 */
export async function attackAbsence(lab: Lab, victims: readonly AttackedTenant[]): Promise<void> {
  const asker = await lab.as(attacker)
  const aimed = await listQuestions(lab, [stranger, ...victims.slice(0, 1)])
  const questions = [...fieldQuestions(lab), ...aimed]
  const before = await lab.unrecorded(() => askAll(lab, asker, questions))
  // What others own must be known until the end.
  lab.findings.push(...(await lab.witness.verdict()))
  await withoutTriggers(lab.stage, async (client) => {
    for (const { name, tenantColumn } of await tenantTables(client)) {
      const text = `DELETE FROM ${name} WHERE ${tenantColumn} <> $1`
      await client.query(text, [attacker.id])
    }
  })
  const after = await lab.unrecorded(() => askAll(lab, asker, questions))
  questions.forEach(({ where }, place) => {
    if (before[place] !== after[place])
      lab.found(
        'absence',
        where,
        `answers ${after[place]} without the other tenants, and ${before[place]} with them`,
      )
  })
}
