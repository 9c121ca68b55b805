import { columnNameOf } from '../../kernel/connection/column-names'

it('names the column of a property as SQL spells it', () => {
  const columns = {
    id: 'id',
    tenantId: 'tenant_id',
    isoCode2: 'iso_code_2',
    year2026Total: 'year_2026_total',
  }
  for (const [property, column] of Object.entries(columns)) expect(columnNameOf(property)).toBe(column)
})
