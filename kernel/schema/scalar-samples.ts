/** Values of a scalar as JSON writes them, for what makes inputs and rows from the schema. */
export interface ScalarSamples {
  /** Two that every column of the scalar takes. */
  values: readonly [unknown, unknown]
  /** The ends of what it can say, some of which business refuses. */
  ends: readonly unknown[]
  /** A value that it refuses. */
  wrong?: unknown
}

const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) })

/** Samples of every scalar that the schema can name; `test/subgraph/scalar-samples.test.ts` misses one that is not here. */
export const scalarSamples: Readonly<Record<string, ScalarSamples>> = {
  ID: { values: ['', ''], ends: ['', 'x', '\0', '\ud800'], wrong: true },
  String: {
    values: ['text', 'other text'],
    ends: ['', ' \t', '\0', '\ud800', '\u202eabc', 'x'.repeat(30_000)],
    wrong: 7,
  },
  Int: { values: [1, 2], ends: [2_147_483_647, -2_147_483_648, 0], wrong: 1.5 },
  Float: {
    values: [0.5, 0.25],
    ends: [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE],
    wrong: 'much',
  },
  Boolean: { values: [true, false], ends: [], wrong: 'yes' },
  DateTime: {
    values: ['2026-01-15T12:00:00.000Z', '2026-01-16T12:00:00.000Z'],
    ends: [
      '0001-01-01T00:00:00Z',
      '1900-01-01T00:00:00Z',
      '2999-12-31T23:59:59.999Z',
      '9999-12-31T23:59:59.999Z',
    ],
    wrong: 'now',
  },
  Date: {
    values: ['2026-01-15', '2026-01-16'],
    ends: ['0001-01-01', '1899-12-31', '1900-01-01', '2999-12-31', '3000-01-01', '9999-12-01', '9999-12-31'],
    wrong: '2026-02-30',
  },
  Decimal: {
    values: ['12.5', '13.5'],
    ends: ['9'.repeat(38), `-${'9'.repeat(38)}`, `0.${'0'.repeat(17)}1`, '0'],
    wrong: '1e3',
  },
  CurrencyCode: { values: ['EUR', 'USD'], ends: ['CLF', 'XAU', 'JPY'], wrong: 'ZZZ' },
  TimeZone: {
    values: ['Europe/Berlin', 'Asia/Tokyo'],
    ends: ['UTC', 'America/Argentina/ComodRivadavia', 'Pacific/Apia'],
    wrong: 'Europe/Nowhere',
  },
  EmailAddress: {
    values: ['someone@else.example', 'somebody@else.example'],
    ends: ['', 'nope', '\0@example.com', `${'x'.repeat(300)}@example.com`],
    wrong: 7,
  },
  // Anything that JSON can say is a value of it.
  JSON: { values: [{}, []], ends: [nested(20), [], 'text', 1.5, {}] },
}

/** The first sample of a scalar. Throws for one that has none, so that it is added where the scalar is. */
export function sampleOfScalar(name: string): unknown {
  const samples = scalarSamples[name]
  if (!samples)
    throw new Error(`kernel/schema/scalar-samples.ts has no samples of the scalar ${name}: add them`)
  return samples.values[0]
}
