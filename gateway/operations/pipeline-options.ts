import type { Logger } from '../../kernel/process/log'
import type { RequestRecord } from '../context'
import type { ProtectedRoots } from './anonymous-refusal'
import type { AnonymousTurns } from './anonymous-turns'
import type { CostModel } from './cost-model'
import type { planExecution } from '../execution/executor'
import type { DocumentCheck } from './document-check'
import type { OperationCache } from './operation-cache'
import type { Limits } from './limits'
import type { Rates } from './rates'
import type { UsageRecorder } from './usage'

/** The parts that the pipeline is put together from. */
export interface PipelineOptions {
  gateway: ReturnType<typeof planExecution>
  known: OperationCache
  check: DocumentCheck
  turns: AnonymousTurns
  rates: Rates
  /** Returns what the supergraph of the moment says about cost. */
  costs: () => CostModel
  /** Which root fields of the supergraph of the moment need a viewer. */
  roots: () => ProtectedRoots
  limits: Limits
  usage: Pick<UsageRecorder, 'supergraphLoaded' | 'executing'> | undefined
  log: Logger
  formatError: (error: unknown, record: RequestRecord) => object
}
