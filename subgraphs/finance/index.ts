import { subgraph } from '../../kernel/subgraph'
import { Budget } from './entities/Budget'
import { CommissionRule } from './entities/CommissionRule'
import { FiscalPeriod } from './entities/FiscalPeriod'
import { Forecast } from './entities/Forecast'
import { ForecastFactor } from './entities/ForecastFactor'
import { JournalEntry } from './entities/JournalEntry'
import { LedgerAccount } from './entities/LedgerAccount'
import { Posting } from './entities/Posting'
import { SalesAttribution } from './entities/SalesAttribution'
import { SalesPerformance } from './entities/SalesPerformance'
import { SalesPerformanceLine } from './entities/SalesPerformanceLine'
import { Transaction } from './entities/Transaction'
import { salesPerformances } from './jobs/sales-performances'
import { personal } from './personal'
import { policies } from './policies'
import { budget } from './resolvers/Budget'
import { commissionRule } from './resolvers/CommissionRule'
import { fiscalPeriod } from './resolvers/FiscalPeriod'
import { forecast } from './resolvers/Forecast'
import { journalEntry } from './resolvers/JournalEntry'
import { ledgerAccount } from './resolvers/LedgerAccount'
import { posting } from './resolvers/Posting'
import { salesPerformance } from './resolvers/SalesPerformance'
import { statements } from './resolvers/Statements'
import { transaction } from './resolvers/Transaction'

export default subgraph('finance', {
  subjects: personal,
  entities: [
    Budget,
    CommissionRule,
    FiscalPeriod,
    Forecast,
    ForecastFactor,
    JournalEntry,
    LedgerAccount,
    Posting,
    SalesAttribution,
    SalesPerformance,
    SalesPerformanceLine,
    Transaction,
  ],
  resolvers: [
    budget,
    commissionRule,
    fiscalPeriod,
    forecast,
    journalEntry,
    ledgerAccount,
    posting,
    salesPerformance,
    statements,
    transaction,
  ],
  policies,
  jobs: [salesPerformances],
})
