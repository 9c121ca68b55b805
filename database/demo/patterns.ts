import { customers, interactions } from './customers'
import { seededId, seededRandom } from './random'
import { day, instant, times, type DemoTable } from './table'

/** Holds what models say of customers, and for how many days it holds. */
const kinds = [
  ['churn_risk', 'Orders come further and further apart.', 30],
  ['upsell_ready', 'Buys more of the same each quarter.', 60],
  ['seasonal_buyer', 'Orders in spring and before Christmas.', 365],
  ['late_payer', 'Pays after the second reminder.', null],
] as const

export const behaviorPatterns: DemoTable = {
  name: 'insights.behavior_patterns',
  noun: 'patterns',
  rows: (source) => {
    const random = seededRandom(`${source.slug} insights.behavior_patterns`)
    const known = customers.rows({ ...source, random: seededRandom(`${source.slug} insights.customers`) })
    const seen = new Map<unknown, string[]>()
    for (const { id, customer_id } of interactions.rows(source))
      seen.set(customer_id, [...(seen.get(customer_id) ?? []), String(id)])
    return times(60, (place) => {
      // Customers in turn, so that none has the same pattern twice. Each seventh has lapsed, which nobody is shown.
      const customer = known[place]!
      const [patternType, description, days] = kinds[place % kinds.length]!
      const isOver = place % 7 === 6
      // The oldest is one that lasts.
      const detected = source.today - (place === 3 ? 300 : isOver ? 25 : random.int(1, 20)) * day
      return {
        id: seededId(random, detected),
        customer_id: customer['id'],
        pattern_type: patternType,
        confidence: random.int(5_000, 9_999) / 10_000,
        frequency: random.int(1, 12),
        description,
        metadata: { model: 'rules 3' },
        customer_interaction_ids: (seen.get(customer['id']) ?? []).slice(-3),
        detected_at: instant(detected),
        lapses_at: isOver ? instant(detected + 5 * day) : days ? instant(detected + days * day) : null,
        created_at: instant(detected),
      }
    })
  },
}
