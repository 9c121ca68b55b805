import { createHash } from 'node:crypto'
import { customers } from './customers'
import { demoUserIds } from './ids'
import { seededId, seededRandom } from './random'
import { day, instant, padded, times, type DemoSource, type DemoTable } from './table'

/** Holds what customers do in a shop, one step after another; fewer come to each. */
const steps = ['product_viewed', 'cart_filled', 'checkout_started', 'order_placed'] as const

function eventsOf(source: DemoSource) {
  const random = seededRandom(`${source.slug} insights.analytics_events`)
  const known = customers.rows({ ...source, random: seededRandom(`${source.slug} insights.customers`) })
  const { admin, analyst } = demoUserIds[source.slug]
  // Of the last weeks only: the months before have no partition when the database is new.
  return times(120, (visit) => {
    const customer = random.pick(known)
    const began = source.today - random.int(1, 27) * day + random.int(0, day / 2)
    const isSystem = visit % 20 === 19
    // An order that somebody of the tenant enters while the customer is on the phone.
    const isEntered = visit % 10 === 4
    const taken = isSystem ? 1 : random.int(1, steps.length)
    return times(taken, (place) => {
      const occurred = began + place * 90_000
      return {
        occurred_at: instant(occurred),
        id: seededId(random, occurred),
        source: 'shop',
        event_id: `V${padded(visit + 1, 4)}-${place + 1}`,
        event_type: isSystem ? 'SYSTEM_EVENT' : 'USER_ACTION',
        name: isSystem ? 'catalogue_synchronised' : steps[place],
        user_id: isSystem ? admin : isEntered ? analyst : null,
        customer_id: isSystem ? null : customer['id'],
        session_id: `visit-${visit + 1}`,
        properties: isSystem ? { items: 1_200 } : { device: random.pick(['desktop', 'phone']) },
        created_at: instant(occurred + 2_000),
      }
    })
  }).flat()
}

export const analyticsEvents: DemoTable = {
  name: 'insights.analytics_events',
  noun: 'events of products',
  rows: eventsOf,
}

export const analyticsEventKeys: DemoTable = {
  name: 'insights.analytics_event_keys',
  noun: 'keys of events',
  rows: (source) =>
    eventsOf(source).map(({ source: system, event_id, id, occurred_at }) => ({
      ...{ source: system, event_id, recorded_id: id, occurred_at },
      digest: createHash('sha256').update(event_id).digest('hex'),
    })),
}
