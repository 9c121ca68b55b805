import { foundation } from './0001-foundation'
import { identity } from './0002-identity'
import { tenancy } from './0003-tenancy'
import { insights } from './0004-insights'
import { compliance } from './0005-compliance'
import { hr } from './0006-hr'
import { finance } from './0007-finance'
import { registry } from './0008-registry'
import { interactions } from './0013-interactions'
import { reviews } from './0014-reviews'
import { departments } from './0016-departments'
import { budgets } from './0017-budgets'
import { referenceData } from './0018-reference-data'
import { billing } from './0019-billing'
import { administration } from './0020-administration'
import { interactionRules } from './0021-interaction-rules'
import { holidays } from './0022-holidays'
import { budgetOrder } from './0023-budget-order'
import { textFolding } from './0024-text-folding'
import { listOrder } from './0025-list-order'

/** Every migration, in the order it is applied. A migration that was released is never changed. */
export const migrations = [
  foundation,
  identity,
  tenancy,
  insights,
  compliance,
  hr,
  finance,
  registry,
  interactions,
  reviews,
  departments,
  budgets,
  referenceData,
  billing,
  administration,
  interactionRules,
  holidays,
  budgetOrder,
  textFolding,
  listOrder,
]
