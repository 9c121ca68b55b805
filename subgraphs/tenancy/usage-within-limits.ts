import type { UsageRecord } from './entities/UsageRecord'
import { aggregationOf, isBeyond, levelOf, noReadings, usedOf, withReading } from './rules/meters'
import type { LimitLevel, Meter, Readings } from './rules/meters'
import type { Period } from './rules/period'
import { countedSubjects, meterUsage, readingsOf, type MeteredSubscription, type Read } from './usage'

/** The use of one meter of a subscription within a period. */
interface Use {
  subscription: MeteredSubscription
  meter: Meter
  period: Period
  before: LimitLevel
  readings: Readings
  /** The subjects that count already, of a meter that counts them. */
  subjects: Set<string>
}

const subjectOf = ({ properties }: Pick<UsageRecord, 'properties'>) =>
  String((properties as { subject?: unknown }).subject)

/**
 * Describes what is used of limited meters while readings are added one after the other: which of them go beyond a limit that refuses,
 * and which limits they come near. Right only while the subscriptions are locked: then nobody else adds any.
 */
export class UsageWithinLimits {
  private readonly uses = new Map<string, Use>()
  private readonly counted = new Map<string, Promise<Map<Meter, Readings>>>()
  private readonly given: readonly string[]

  /** @param sent all readings that may be added */
  constructor(
    private readonly read: Read,
    private readonly tenantId: string,
    sent: readonly { properties?: unknown }[],
  ) {
    this.given = sent.map(({ properties }) => subjectOf({ properties: properties ?? {} }))
  }

  /** Adds a reading, or says why it is refused; a meter without limit takes all. */
  async refusal(subscription: MeteredSubscription, period: Period, row: UsageRecord): Promise<string | null> {
    const limit = subscription.limits[row.meter]
    if (!limit) return null
    const use = await this.useOf(subscription, period, row.meter)
    const subject = subjectOf(row)
    const next = withReading(use.readings, row, !use.subjects.has(subject))
    const [used, wouldUse] = [usedOf(row.meter, use.readings), usedOf(row.meter, next)]
    if (limit.beyond === 'REFUSE' && wouldUse !== used && isBeyond(wouldUse, limit))
      return `The plan allows ${limit.limit} of ${row.meter} until ${period.end}, and ${used} are used: choose a larger plan`
    use.readings = next
    use.subjects.add(subject)
    return null
  }

  /** Returns what is used of limited meters now. */
  usageOf(subscriptionId: string, meter: Meter) {
    const use = [...this.uses.values()].find(
      (one) => one.subscription.id === subscriptionId && one.meter === meter,
    )
    return use ? meterUsage(use.subscription, meter, use.readings, use.period) : null
  }

  /** The meters that came near their limit, or reached it, by what was added. */
  crossed(): { subscriptionId: string; meter: Meter; level: LimitLevel }[] {
    return [...this.uses.values()].flatMap(({ subscription, meter, before, readings }) => {
      const level = levelOf(usedOf(meter, readings), subscription.limits[meter]!)
      return level === before || level === 'WITHIN' ? [] : [{ subscriptionId: subscription.id, meter, level }]
    })
  }

  private async useOf(subscription: MeteredSubscription, period: Period, meter: Meter): Promise<Use> {
    const key = `${subscription.id} ${period.start}`
    const known = this.uses.get(`${key} ${meter}`)
    if (known) return known
    const all = this.counted.get(key) ?? readingsOf(this.read, this.tenantId, subscription.id, period)
    this.counted.set(key, all)
    const readings = (await all).get(meter) ?? noReadings
    const isCounting = aggregationOf[meter] === 'UNIQUE_COUNT'
    const asked = { subscriptionId: subscription.id, period, meter }
    const subjects = isCounting
      ? await countedSubjects(this.read, this.tenantId, asked, this.given)
      : new Set<string>()
    const before = levelOf(usedOf(meter, readings), subscription.limits[meter]!)
    const use = { subscription, meter, period, before, readings, subjects }
    this.uses.set(`${key} ${meter}`, use)
    return use
  }
}
