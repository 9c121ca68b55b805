import type { Explanations } from '../gateway/operations/explanations'
import type { Database } from '../kernel/connection/database'

/** The database of a role whose statements are noted for requests that are explained. */
export function explainedDatabase(role: string, database: Database, explanations: Explanations): Database {
  return {
    dataSource: database.dataSource,
    close: () => database.close(),
    rows: (binding, statement) =>
      explanations.isIdle
        ? database.rows(binding, statement)
        : explanations.statement(role, binding, statement.text, () => database.rows(binding, statement)),
    transaction: (binding, work, options) => {
      if (explanations.isIdle) return database.transaction(binding, work, options)
      return database.transaction(
        binding,
        (tx) =>
          work({
            atEnd: (statement) => tx.atEnd(statement),
            savepoint: (inner) => tx.savepoint(inner),
            // Made when it is asked for.
            get manager() {
              return tx.manager
            },
            rows: (statement) =>
              explanations.statement(role, binding, statement.text, () => tx.rows(statement)),
            run: (statement) =>
              explanations.statement(role, binding, statement.text, () => tx.run(statement)),
          }),
        options,
      )
    },
  }
}
