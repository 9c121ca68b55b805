import { createHash } from 'node:crypto'
import type { Services, SubgraphContext } from '../context'
import type { SummaryRequest } from './summary-request'

const keptForMs = 5 * 60_000
/** Longer answers are not kept: the store is everybody's. */
const longest = 100_000

const underWay = new WeakMap<Services, Map<string, Promise<string>>>()

/**
 * The key of an answer. It holds all that the answer depends on: whose rows there are for the viewer, and what is asked. Who
 * may ask at all is decided before, each time.
 */
export function summaryKey(context: SubgraphContext, request: SummaryRequest): string {
  const { viewer, binding } = context
  const { model, dimensions, measures, filter, edges, zone, fillGaps, order, first } = request
  const by = order && (order.by === 'count' ? 'count' : order.by.field)
  const question = {
    scopes: [...(viewer?.scopes ?? [])].sort(),
    permissionVersion: viewer?.permissionVersion ?? null,
    rows: model.rowFilter?.(context) ?? null,
    dimensions: dimensions.map(({ field }) => field),
    measures: measures.map((one) => [one.field, one.wantsSum, one.wantsSmallest, one.wantsLargest]),
    filter,
    edges: edges.length > 0 ? [edges.length, edges[0], edges.at(-1)] : [],
    order: order && [by, order.descending, order.currency],
    rest: [zone, fillGaps, first],
  }
  const hash = createHash('sha256').update(JSON.stringify(question)).digest('base64url')
  return `t:${binding.tenantId}:summary:${model.name}:${hash}`
}

/**
 * The answer that is known for a key, or else what `compute` gives, which is then known for five minutes. Whoever asks the
 * same in the meantime waits for the same. A store that does not answer is done without.
 * @param isFresh compute it whatever is known
 */
export async function rememberedSummary<S>(
  context: SubgraphContext,
  key: string,
  isFresh: boolean,
  compute: () => Promise<S>,
): Promise<S> {
  const { services } = context
  const { keyValue } = services
  const unknown = (error: unknown) => {
    context.log.warn({ requestId: context.requestId, error: String(error) }, 'no summaries are kept')
    return null
  }
  if (isFresh) return JSON.parse(await computed()) as S
  const known = await keyValue.get(key).catch(unknown)
  if (known !== null) return JSON.parse(known) as S
  const running = underWay.get(services) ?? new Map<string, Promise<string>>()
  underWay.set(services, running)
  let answer = running.get(key)
  if (!answer) {
    answer = computed().finally(() => running.delete(key))
    running.set(key, answer)
  }
  return JSON.parse(await answer) as S

  async function computed(): Promise<string> {
    const text = JSON.stringify(await compute())
    if (text.length <= longest) await keyValue.set(key, text, { ttlMs: keptForMs }).catch(unknown)
    return text
  }
}
