import { subgraph } from '../../kernel/subgraph'
import { Budget } from './entities/Budget'
import { JournalEntry } from './entities/JournalEntry'
import { LedgerAccount } from './entities/LedgerAccount'
import { Posting } from './entities/Posting'
import { Transaction } from './entities/Transaction'
import { budget } from './resolvers/Budget'
import { journalEntry } from './resolvers/JournalEntry'
import { ledgerAccount } from './resolvers/LedgerAccount'
import { posting } from './resolvers/Posting'
import { statements } from './resolvers/Statements'
import { transaction } from './resolvers/Transaction'

export default subgraph('finance', {
  entities: [Budget, JournalEntry, LedgerAccount, Posting, Transaction],
  resolvers: [budget, journalEntry, ledgerAccount, posting, statements, transaction],
})
