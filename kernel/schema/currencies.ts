/**
 * The currencies of this product and their decimals ("minor unit"): ISO 4217, list one, as of 2026, without funds codes,
 * metals and units of account, which have no minor unit or are not paid in. Withdrawn currencies stay, because records
 * carry them: ANG BGN CUC HRK SLL ZWL.
 *
 * Node.js' own data is not used: it changes with each release and counts by custom (no decimals for HUF, IQD or COP), so
 * that a stored amount could mean something else after an upgrade. Never change a number here; add codes.
 */
const codesByDecimals: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF',
  2: `AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC
    CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR
    JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO
    NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL
    THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG ZWL`,
  3: 'BHD IQD JOD KWD LYD OMR TND',
}

/** Says how many decimals each currency has, by its code. */
export const currencyDecimals: ReadonlyMap<string, number> = new Map(
  Object.entries(codesByDecimals).flatMap(([decimals, codes]) =>
    codes.split(/\s+/).map((code): [string, number] => [code, Number(decimals)]),
  ),
)

/** Says from which day on nothing new is agreed in a withdrawn currency; what is in it stays readable. */
export const currencyEnds: ReadonlyMap<string, string> = new Map([
  ['ANG', '2025-07-01'],
  ['BGN', '2026-01-01'],
  ['CUC', '2021-07-01'],
  ['HRK', '2023-01-01'],
  ['SLL', '2024-04-01'],
  ['ZWL', '2024-09-01'],
])
