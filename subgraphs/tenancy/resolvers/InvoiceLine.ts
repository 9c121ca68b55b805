import { needs } from '../../../kernel/entity'
import { load } from '../../../kernel/load'
import { money } from '../../../kernel/money'
import { nested, page } from '../../../kernel/page'
import { one } from '../../../kernel/relation'
import { Invoice } from '../entities/Invoice'
import { InvoiceLine } from '../entities/InvoiceLine'
import type { Resolvers } from '../generated'
import { unitMoney } from '../unit-price'

export const invoiceLine: Resolvers = {
  Query: {
    invoiceLine: (_, { id }, context, info) => load(context, InvoiceLine, id, info),
    invoiceLines: (_, args, context, info) => page(context, InvoiceLine, args, info),
  },
  InvoiceLine: {
    invoice: one(InvoiceLine, 'invoiceId', Invoice),
    unitPrice: needs(InvoiceLine, ['unitPrice', 'currency'], (row) => unitMoney(row.unitPrice, row.currency)),
    amount: needs(InvoiceLine, ['amount', 'currency'], (row) => money(row.amount, row.currency)),
  },
  Invoice: {
    lines: needs(Invoice, ['id'], ({ id }, args, context, info) =>
      nested(context, InvoiceLine, 'invoiceId', id, args, info, {
        defaultOrder: { property: 'position', direction: 'ASC' },
      }),
    ),
  },
}
