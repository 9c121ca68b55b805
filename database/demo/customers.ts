import { seededId, seededRandom } from './random'
import { amount, day, instant, padded, score, times, type DemoSource, type DemoTable } from './table'

/** Customers before their interactions are counted; `mood` says how each feels as a rule: 0 to 1. */
function customersOf({ slug, profile, today }: DemoSource) {
  const random = seededRandom(`${slug} insights.customers`)
  return times(profile.counts.customers, (place) => {
    const [firstName, lastName] = random.pick(profile.people)
    const firstSeen = today - random.int(30, 1_500) * day - random.int(0, day)
    const lastSeen = Math.min(firstSeen + random.int(0, 400) * day, today - random.int(1, day))
    const currency = random.pick(profile.currencies)
    const isValued = random.chance(0.9)
    const interactions = random.chance(0.1) ? 0 : random.int(1, 12)
    const isFirm = random.chance(0.7)
    const row = {
      id: seededId(random, firstSeen),
      external_id: `${slug === 'acme' ? 'C' : 'GLX'}-${padded(place + 1, 5)}`,
      email: random.chance(0.92) ? `customer${place + 1}@${slug}-customers.example` : null,
      first_name: firstName,
      last_name: lastName,
      full_name_override: place % 50 === 7 ? `Dr. ${[firstName, lastName].filter(Boolean).join(' ')}` : null,
      company: isFirm ? random.pick(profile.companies) : null,
      industry: isFirm ? random.pick(profile.industries) : null,
      segment: random.chance(0.85) ? random.pick(profile.segments) : null,
      lifetime_value: isValued ? amount(currency, random.int(0, 250_000)) : null,
      lifetime_value_currency: isValued ? currency.code : null,
      churn_risk: random.chance(0.8) ? score(random) : null,
      first_seen_at: instant(firstSeen),
      last_seen_at: instant(lastSeen),
      is_active: random.chance(0.94),
      metadata: { source: random.pick(['import', 'web', 'fair']) },
      created_at: instant(firstSeen),
    }
    return { row, interactions, mood: interactions > 0 ? score(random) : 0 }
  })
}

/** Holds what customers say: channel, kind of event, words, and how such words sound, in hundredths. */
const sayings = [
  ['EMAIL', 'complaint', 'The delivery came late again, and half of the order was damaged.', -70],
  ['PHONE', 'complaint', 'Called about an invoice that was charged twice; wants the money back.', -60],
  ['CHAT', 'question', 'Asked how long the delivery of spare parts takes at the moment.', 0],
  ['CHAT', 'praise', 'Thanked the technician: the repair was quick and friendly.', 80],
  ['PHONE', 'question', 'Asked by text message first, then by telephone, when the technician comes.', -10],
  ['EMAIL', 'order', 'Ordered the same quantity as last year; delivery in the second week is fine.', 30],
  ['WEB', 'review', 'Five stars: "great quality & fair price", would order again.', 90],
  ['WEB', 'review', 'Two stars. Instructions <b>only</b> in small print, support never answered.', -65],
  ['MOBILE', 'feedback', 'The app crashes when an order has more than 99 positions.', -45],
  ['EMAIL', 'cancellation', 'Cancelled the service contract because the price went up.', -55],
  ['PHONE', 'renewal', 'Renewed the contract for two years after a long talk about the price.', 45],
  ['CHAT', 'praise', '担当者の対応がとても丁寧でした。ありがとうございます。', 75],
] as const

/** The interactions of each customer, the last of them when the customer was last seen. */
function interactionsOf(source: DemoSource) {
  const random = seededRandom(`${source.slug} insights.customer_interactions`)
  return customersOf(source).map(({ row: customer, interactions, mood }) => {
    const [first, last] = [Date.parse(customer.first_seen_at), Date.parse(customer.last_seen_at)]
    const made = times(interactions, (place) => {
      const occurred = place === 0 ? last : Math.round(first + random.unit() * (last - first))
      const isSilent = random.chance(0.25)
      const [channel, eventType, content, sounds] = random.pick(sayings)
      const felt = Math.max(-100, Math.min(100, sounds + Math.round((mood - 0.5) * 40)))
      const sentiment = isSilent || random.chance(0.1) ? null : felt
      return {
        id: seededId(random, occurred),
        customer_id: customer.id,
        source: random.pick(['helpdesk', 'shop']),
        external_id: `${customer.external_id}-${padded(place + 1, 3)}`,
        occurred_at: instant(occurred),
        channel: isSilent ? 'WEB' : channel,
        event_type: isSilent ? 'visit' : eventType,
        content: isSilent ? null : content,
        sentiment: sentiment === null ? null : sentiment / 100,
        sentiment_confidence: sentiment === null ? null : random.int(50, 99) / 100,
        metadata: {},
        processed_at: sentiment === null ? null : instant(occurred),
        created_at: instant(occurred),
      }
    })
    return { customer, made }
  })
}

export const customers: DemoTable = {
  name: 'insights.customers',
  noun: 'customers',
  rows: (source) =>
    interactionsOf(source).map(({ customer, made }) => {
      const sentiments = made.flatMap(({ sentiment }) => sentiment ?? [])
      // In hundredths, which add up exactly.
      const sum = sentiments.reduce((total, sentiment) => total + Math.round(sentiment * 100), 0)
      return {
        ...customer,
        interaction_count: made.length,
        sentiment_sum: sum / 100,
        sentiment_count: sentiments.length,
      }
    }),
}

export const interactions: DemoTable = {
  name: 'insights.customer_interactions',
  noun: 'interactions',
  rows: (source) => interactionsOf(source).flatMap(({ made }) => made),
}
