/** Retention: what a subgraph declares of its own, and the job that removes what is over. */
export {
  countDue,
  heldSql,
  retentionJob,
  shareHolds,
  type DueCount,
  type RetainedRows,
} from './retention/plan'
export { dataClasses, retentionDefaults, type DataClass, type RetentionUnit } from './retention/classes'
