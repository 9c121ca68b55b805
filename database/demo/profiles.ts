import type { Seller } from '../seller'
import type { DemoSlug } from './ids'

/** A currency with the number of its smallest units in one unit, and how many units make a usual small payment. */
export interface DemoCurrency {
  code: string
  minorUnits: number
  scale: number
}

/** Describes what makes one demo tenant different from the other. */
export interface DemoProfile {
  name: string
  industry: string
  size: 'SMB' | 'MID_MARKET' | 'ENTERPRISE'
  region: string
  complianceLevel: 'BASIC' | 'ADVANCED' | 'ENTERPRISE'
  plan: 'PROFESSIONAL' | 'ENTERPRISE'
  settings: Readonly<Record<string, unknown>>
  /** Holds where its invoices go to. */
  billing: Readonly<Record<'street' | 'postalCode' | 'city' | 'country' | 'email', string>> & {
    vatNumber: string | null
  }
  dataRegion: 'US' | 'APAC'
  enabledModules: readonly string[]
  counts: { customers: number; records: number; employees: number; transactions: number; entries: number }
  people: readonly (readonly [firstName: string | null, lastName: string | null])[]
  /** The last one is closed: nobody works there. */
  departments: readonly (readonly [name: string, description: string | null])[]
  /** Position with the usual salary per year, in units of the first currency, and the department it belongs to. */
  positions: readonly (readonly [position: string, salary: number, department: string])[]
  companies: readonly string[]
  industries: readonly string[]
  segments: readonly string[]
  /** The first is the one that salaries are paid in. */
  currencies: readonly DemoCurrency[]
  income: readonly string[]
  expense: readonly string[]
}

const usDollar: DemoCurrency = { code: 'USD', minorUnits: 100, scale: 1 }
const euro: DemoCurrency = { code: 'EUR', minorUnits: 100, scale: 1 }
const yen: DemoCurrency = { code: 'JPY', minorUnits: 1, scale: 150 }
const kuwaitiDinar: DemoCurrency = { code: 'KWD', minorUnits: 1_000, scale: 0.3 }

/** Legal entity that runs the platform of the demo, and bills the tenants. */
export const demoSeller: Seller = {
  validFrom: '2023-01-01',
  legalName: 'Northlight Cloud GmbH',
  street: 'Am Sandtorkai 48',
  postalCode: '20457',
  city: 'Hamburg',
  country: 'DE',
  taxId: 'DE298765431',
  email: 'billing@northlight.example',
}

/** A maker of machines in America and Europe, and a drug company in Asia. */
export const demoProfiles: Readonly<Record<DemoSlug, DemoProfile>> = {
  acme: {
    name: 'Acme Corporation',
    industry: 'Manufacturing',
    size: 'ENTERPRISE',
    region: 'North America',
    complianceLevel: 'ADVANCED',
    plan: 'ENTERPRISE',
    settings: { locale: 'en-US', timeZone: 'America/Chicago', fiscalYearStart: '07-01' },
    billing: {
      street: '500 Market Street',
      postalCode: '94105',
      city: 'San Francisco',
      country: 'US',
      vatNumber: null,
      email: 'billing@acme.example',
    },
    dataRegion: 'US',
    enabledModules: ['crm', 'erp', 'hr', 'finance'],
    counts: { customers: 420, records: 260, employees: 240, transactions: 640, entries: 320 },
    people: [
      ['Grace', 'Whitfield'],
      ['Tomás', 'Herrera'],
      ['Aisling', "O'Brien"],
      ['Jürgen', 'Müller-Lüdenscheidt'],
      ['Priya', 'Raman'],
      ['Zoë', 'van der Berg'],
      ['Marcus', 'Johnson'],
      ['Łukasz', 'Wiśniewski'],
      ['Nguyễn Thị', 'Minh Khai'],
      ['Solveig', 'Åkesson'],
      ['Daniel', 'Smith'],
      ['Emily', 'Smith'],
      ['Ольга', 'Кузнецова'],
      [
        'Hubert Blaine',
        'Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaftschaferswessenschafe',
      ],
      ['Ifeoma', 'Nwosu'],
      ['Chloé', 'Lefèvre'],
      [null, 'Prince'],
      ['Mateo', 'García Márquez'],
      ['Hannah', 'Cohen'],
      ['Samuel', "d'Angelo"],
    ],
    departments: [
      ['Management', 'Directors and their staff'],
      ['People', 'Recruiting, pay and training'],
      ['Finance', 'Books, treasury and controlling'],
      ['Production', 'Plants in Toledo and Gdańsk'],
      ['Quality', 'Incoming goods and final inspection'],
      ['Engineering', 'Design of machines and tools'],
      ['Purchasing', null],
      ['Sales', 'Key accounts and dealers'],
      ['Service', 'Maintenance on customers’ sites'],
      ['Steam Turbines', 'Sold in 2021'],
    ],
    positions: [
      ['Machine Operator', 46_000, 'Production'],
      ['Welder', 52_000, 'Production'],
      ['Quality Inspector', 58_000, 'Quality'],
      ['Mechanical Engineer', 88_000, 'Engineering'],
      ['Plant Manager', 121_000, 'Production'],
      ['Buyer', 64_000, 'Purchasing'],
      ['Account Manager', 76_000, 'Sales'],
      ['Controller', 98_000, 'Finance'],
      ['Chief Financial Officer', 285_000, 'Management'],
    ],
    companies: [
      'Brightwater Dairy',
      'Hooper & Sons',
      'Nordwind Logistik GmbH',
      'Cascade Robotics',
      'Vega Foods',
      'T&T Tooling',
    ],
    industries: ['Automotive', 'Food processing', 'Logistics', 'Construction'],
    segments: ['Key account', 'Dealer', 'Direct', 'Spare parts'],
    currencies: [usDollar, euro],
    income: ['Machine sales', 'Service contracts', 'Spare parts'],
    expense: ['Raw materials', 'Energy', 'Payroll', 'Freight', 'Software', 'Travel'],
  },
  globex: {
    name: 'Globex 製薬株式会社',
    industry: 'Pharmaceuticals',
    size: 'MID_MARKET',
    region: 'Asia Pacific',
    complianceLevel: 'ENTERPRISE',
    plan: 'PROFESSIONAL',
    settings: { locale: 'ja-JP', timeZone: 'Asia/Tokyo', fiscalYearStart: '04-01' },
    billing: {
      street: '丸の内1-1-1',
      postalCode: '100-0005',
      city: '東京都千代田区',
      country: 'JP',
      vatNumber: 'T1234567890123',
      email: 'billing@globex.example',
    },
    dataRegion: 'APAC',
    enabledModules: ['crm', 'hr', 'compliance'],
    counts: { customers: 310, records: 340, employees: 180, transactions: 510, entries: 280 },
    people: [
      ['太郎', '山田'],
      ['花子', '佐藤'],
      ['健一', '鈴木'],
      ['美咲', '高橋'],
      ['محمد', 'الفارسي'],
      ['فاطمة', 'الصباح'],
      ['민준', '김'],
      ['서연', '이'],
      ['伟', '王'],
      ['秀英', '李'],
      ['Arjun', 'Chandrasekaran'],
      ['Siti Nurhaliza', 'binti Tarudin'],
      ['สมชาย', 'ใจดี'],
      ['Rahul', 'Mehta'],
      ['Suharto', null],
      ['Kealoha', 'Kahananui'],
      ['Wei Ling', 'Tan'],
      ['Yuki', 'Tanaka'],
    ],
    departments: [
      ['経営企画', 'Management and planning'],
      ['人事', 'People'],
      ['財務', 'Finance'],
      ['研究開発', 'Research and development'],
      ['臨床開発', 'Clinical development'],
      ['薬事', 'Regulatory affairs'],
      ['安全性情報', 'Pharmacovigilance'],
      ['営業', 'Sales'],
      ['製造', null],
      ['香港支店', 'Closed in 2019'],
    ],
    positions: [
      ['Laboratory Technician', 4_600_000, '研究開発'],
      ['Research Chemist', 7_800_000, '研究開発'],
      ['Clinical Data Manager', 8_200_000, '臨床開発'],
      ['Regulatory Affairs Specialist', 8_900_000, '薬事'],
      ['Pharmacovigilance Officer', 9_100_000, '安全性情報'],
      ['Medical Representative', 6_200_000, '営業'],
      ['Head of Research', 18_500_000, '研究開発'],
      ['President', 32_000_000, '経営企画'],
    ],
    companies: [
      'Sakura General Hospital',
      'Al Noor Pharmacies',
      '한빛약국',
      '東都医科大学病院',
      'Straits Health Group',
    ],
    industries: ['Hospital', 'Pharmacy', 'Wholesale', 'Research'],
    segments: ['Hospital', 'Pharmacy chain', 'Independent pharmacy'],
    currencies: [yen, usDollar, kuwaitiDinar],
    income: ['Prescription drugs', 'Licences', 'Research grants'],
    expense: [
      'Clinical trials',
      'Active ingredients',
      'Payroll',
      'Regulatory fees',
      'Cold chain',
      'Conferences',
    ],
  },
}
