import { join } from 'node:path'
import { planThread, type ThreadOptions } from '../../../gateway/plans/plan-thread'
import { projectRoot } from '../../../kernel/process/config'

const hook = join(projectRoot, 'test', 'support', 'typescript.js')
const breaks = join(__dirname, 'breaks.js')

/** A planning thread from the sources, which breaks or hangs when an operation says so (breaks.js). */
export const startThread = (supergraph: string, options: ThreadOptions) =>
  planThread(supergraph, { worker: { execArgv: ['--require', hook, '--require', breaks] }, ...options })
