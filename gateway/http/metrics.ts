import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export type Metrics = ReturnType<typeof createMetrics>

/**
 * The measurements of one process, in a registry of its own so that several gateways can live in one test.
 * Labels are closed sets: never an operation name, tenant or user, which clients choose without bound.
 */
export function createMetrics() {
  const registers = [new Registry()]
  const metrics = {
    registry: registers[0]!,
    requests: new Histogram({
      name: 'graphql_request_duration_seconds',
      help: 'Time from the request line to the end of the answer',
      labelNames: ['status'] as const,
      buckets: seconds,
      registers,
    }),
    inFlight: new Gauge({ name: 'graphql_requests_in_flight', help: 'Requests being answered', registers }),
    streams: new Gauge({ name: 'graphql_streams_open', help: 'Streams of changes', registers }),
    streamMessages: new Counter({
      name: 'graphql_stream_messages_total',
      help: 'Messages of streams: a change, a RESET, or the error that ends one',
      labelNames: ['kind'] as const,
      registers,
    }),
    streamRetries: new Counter({
      name: 'graphql_stream_retries_total',
      help: 'Times that a changed row could not be asked for, and waits to be asked for again',
      registers,
    }),
    errors: new Counter({
      name: 'graphql_errors_total',
      help: 'Errors in answers, by code',
      labelNames: ['code'] as const,
      registers,
    }),
    subgraphs: new Histogram({
      name: 'subgraph_request_duration_seconds',
      help: 'Time a subgraph took to answer one fetch',
      labelNames: ['subgraph', 'outcome'] as const,
      buckets: seconds,
      registers,
    }),
    statements: new Counter({
      name: 'database_statements_total',
      help: 'SQL statements sent, by login role',
      labelNames: ['role'] as const,
      registers,
    }),
  }
  collectDefaultMetrics({ register: metrics.registry })
  return metrics
}
