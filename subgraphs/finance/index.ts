import { subgraph } from '../../kernel/subgraph'
import { Budget } from './entities/Budget'
import { FiscalPeriod } from './entities/FiscalPeriod'
import { JournalEntry } from './entities/JournalEntry'
import { LedgerAccount } from './entities/LedgerAccount'
import { Posting } from './entities/Posting'
import { Transaction } from './entities/Transaction'
import { budget } from './resolvers/Budget'
import { fiscalPeriod } from './resolvers/FiscalPeriod'
import { journalEntry } from './resolvers/JournalEntry'
import { ledgerAccount } from './resolvers/LedgerAccount'
import { posting } from './resolvers/Posting'
import { statements } from './resolvers/Statements'
import { transaction } from './resolvers/Transaction'

export default subgraph('finance', {
  subjects: {},
  entities: [Budget, FiscalPeriod, JournalEntry, LedgerAccount, Posting, Transaction],
  resolvers: [budget, fiscalPeriod, journalEntry, ledgerAccount, posting, statements, transaction],
})
