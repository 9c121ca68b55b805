import { countryRows } from './reference/countries'
import { industryRows } from './reference/industries'
import { globalTable, migration, sql } from './sql'

/** The same on every installation, so that exports and configurations can name the rows. */
const countryId = (isoNumeric: string) => `019b76da-a800-7000-8001-000000000${isoNumeric}`
const industryId = (code: string) =>
  /^\d/.test(code)
    ? `019b76da-a800-7000-8002-0000000000${code}`
    : `019b76da-a800-7000-8003-0000000000${code.charCodeAt(0)}`

const quoted = (value: string | null): string =>
  value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`
const valuesOf = (rows: readonly (readonly (string | null)[])[]): string =>
  rows.map((row) => `(${row.map(quoted).join(', ')})`).join(',\n')

/** What every tenant reads and none writes: the countries of ISO 3166-1 and the industries of ISIC, Rev. 4. */
export const referenceData = migration(18, 'reference-data', [
  globalTable({
    schema: 'tenancy',
    table: 'countries',
    columns: {
      id: 'uuid NOT NULL',
      name: "varchar(100) NOT NULL CHECK (name <> '')",
      iso_code_2: "varchar(2) NOT NULL CHECK (iso_code_2 ~ '^[A-Z]{2}$')",
      iso_code_3: "varchar(3) NOT NULL CHECK (iso_code_3 ~ '^[A-Z]{3}$')",
      iso_numeric: "varchar(3) NOT NULL CHECK (iso_numeric ~ '^[0-9]{3}$')",
      is_active: 'boolean NOT NULL DEFAULT true',
    },
    constraints: [
      'PRIMARY KEY (id)',
      ...['name', 'iso_code_2', 'iso_code_3', 'iso_numeric'].map(
        (column) => `CONSTRAINT countries_${column}_key UNIQUE (${column})`,
      ),
    ],
    grants: { app_tenancy: ['SELECT'] },
  }),
  sql(
    `INSERT INTO tenancy.countries (id, name, iso_code_2, iso_code_3, iso_numeric) VALUES
${valuesOf(
  countryRows.map(({ name, isoCode2, isoCode3, isoNumeric }) => [
    countryId(isoNumeric),
    name,
    isoCode2,
    isoCode3,
    isoNumeric,
  ]),
)}`,
    [],
  ),
  globalTable({
    schema: 'tenancy',
    table: 'industries',
    columns: {
      id: 'uuid NOT NULL',
      code: "varchar(2) NOT NULL CHECK (code ~ '^([A-U]|[0-9]{2})$')",
      name: "varchar(200) NOT NULL CHECK (name <> '')",
      level: `text NOT NULL GENERATED ALWAYS AS (CASE WHEN code ~ '^[A-U]$' THEN 'SECTION' ELSE 'DIVISION' END) STORED`,
      parent_id: 'uuid',
      is_active: 'boolean NOT NULL DEFAULT true',
    },
    constraints: [
      'PRIMARY KEY (id)',
      'CONSTRAINT industries_code_key UNIQUE (code)',
      'CONSTRAINT industries_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES tenancy.industries (id)',
      "CONSTRAINT industries_parent_id_check CHECK ((parent_id IS NULL) = (code ~ '^[A-U]$'))",
    ],
    grants: { app_tenancy: ['SELECT'] },
  }),
  sql(
    [
      'CREATE INDEX ON tenancy.industries (parent_id, code)',
      `INSERT INTO tenancy.industries (id, code, name, parent_id) VALUES
${valuesOf(
  industryRows.map(({ code, name, section }) => [
    industryId(code),
    code,
    name,
    section && industryId(section),
  ]),
)}`,
    ],
    [],
  ),
])
