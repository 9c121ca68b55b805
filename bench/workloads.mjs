/**
 * @typedef Workload
 * @property {string} name for `--only`
 * @property {string} title
 * @property {string[]} candidates who can answer it, in the order of every round
 * @property {string} query the operation; the hand-written server goes by `operationName`
 * @property {string} operationName
 * @property {(index: number) => object} variables of the request with this number
 * @property {object} [postgraphile] the same question in PostGraphile's schema: `query`, and `answer(data)` that gives
 *   its answer our names
 * @property {boolean} [changes] it writes, so two answers differ in what is made
 */

const employees = `id employeeNumber firstName lastName position hireDate isActive`
const listOf = (first) => ({
  query: `query List($first: Int!) {
  employees(first: $first, orderBy: { field: EMPLOYEE_NUMBER, direction: ASC }) {
    nodes { ${employees} } pageInfo { hasNextPage }
  }
}`,
  operationName: 'List',
  variables: () => ({ first }),
  postgraphile: {
    query: `query List($first: Int!) {
  employees: allEmployees(first: $first, orderBy: [EMPLOYEE_NUMBER_ASC, ROW_ID_ASC]) {
    nodes { id: rowId employeeNumber firstName lastName position hireDate isActive } pageInfo { hasNextPage }
  }
}`,
  },
})

const everybody = ['ours', 'ours-unguarded', 'ours-http', 'stock', 'postgraphile', 'limit']
const withoutPostGraphile = everybody.filter((name) => name !== 'postgraphile')
// The search reads the tenant from the setting that the guards put there.
const searching = withoutPostGraphile.filter((name) => name !== 'ours-unguarded')

/** @type {Workload[]} */
export const workloads = [
  { name: 'list-20', title: 'List of 20', candidates: everybody, ...listOf(20) },
  {
    name: 'nested-20',
    title: 'Nested over three subgraphs, 20 parents',
    candidates: everybody,
    query: `query Nested($first: Int!) {
  employees(first: $first, orderBy: { field: EMPLOYEE_NUMBER, direction: ASC }) {
    nodes {
      id employeeNumber fullName
      user { id email fullName }
      department {
        id name
        budgets(first: 3) { nodes { id year month periodStart } }
      }
    }
  }
}`,
    operationName: 'Nested',
    variables: () => ({ first: 20 }),
    postgraphile: {
      query: `query Nested($first: Int!) {
  employees: allEmployees(first: $first, orderBy: [EMPLOYEE_NUMBER_ASC, ROW_ID_ASC]) {
    nodes {
      id: rowId employeeNumber fullName
      user: identityUserByTenantIdAndUserId { id: rowId email fullName }
      department: departmentByTenantIdAndDepartmentId {
        id: rowId name
        budgets: financeBudgetsByTenantIdAndDepartmentId(first: 3, orderBy: [PERIOD_START_DESC, ROW_ID_DESC]) {
          nodes { id: rowId year month periodStart }
        }
      }
    }
  }
}`,
    },
  },
  { name: 'list-1000', title: 'List of 1,000', candidates: everybody, ...listOf(1000) },
  {
    name: 'deep-page',
    title: 'Page of 20 behind 40,000 rows, by cursor',
    candidates: everybody,
    query: `query Deep($first: Int!, $after: String) {
  transactions(first: $first, after: $after, orderBy: { field: OCCURRED_AT, direction: DESC }) {
    nodes { id transactionNumber type category occurredAt } pageInfo { hasNextPage }
  }
}`,
    operationName: 'Deep',
    variables: (_index, { ourCursor }) => ({ first: 20, after: ourCursor }),
    postgraphile: {
      query: `query Deep($first: Int!, $after: Cursor) {
  transactions: allFinanceTransactions(first: $first, after: $after, orderBy: [OCCURRED_AT_DESC, ROW_ID_DESC]) {
    nodes { id: rowId transactionNumber type category occurredAt } pageInfo { hasNextPage }
  }
}`,
      variables: (_index, { postgraphileCursor }) => ({ first: 20, after: postgraphileCursor }),
    },
  },
  {
    name: 'search',
    title: 'Full-text search, 20 hits by rank',
    candidates: searching,
    query: `query Search($query: String!, $first: Int!) {
  searchCustomerInteractions(query: $query, first: $first) {
    edges { rank node { id eventType content } }
  }
}`,
    operationName: 'Search',
    variables: () => ({ query: 'delivery "spare parts"', first: 20 }),
  },
  {
    name: 'mutation',
    title: 'Mutation with audit entry',
    candidates: withoutPostGraphile,
    changes: true,
    query: `mutation Create($input: CreateCustomerInput!) {
  createCustomer(input: $input) { customer { externalId version } userErrors { message } }
}`,
    operationName: 'Create',
    variables: (index) => ({
      input: {
        externalId: `new-${process.pid}-${index}`,
        email: 'new@firm.example',
        firstName: 'New',
        lastName: 'Customer',
        company: 'Firm',
      },
    }),
  },
]

/**
 * Says how the place is found behind which the deep page starts; the hand-written server knows the row by its number.
 */
export const deepPlace = {
  /** Of 1,000: how often ours is asked to get there. */
  pages: 40,
  ours: `query Find($after: String) {
  transactions(first: 1000, after: $after, orderBy: { field: OCCURRED_AT, direction: DESC }) { pageInfo { endCursor } }
}`,
  postgraphile: `query Find {
  transactions: allFinanceTransactions(first: 1, offset: 39999, orderBy: [OCCURRED_AT_DESC, ROW_ID_DESC]) {
    pageInfo { endCursor }
  }
}`,
}

/** Federation alone: four foreign subgraphs over HTTP that answer from memory. */
export const federationWorkloads = [
  {
    name: 'federation',
    title: 'Four HTTP subgraphs, many entity fetches, large answer',
    delayMs: 0,
    concurrency: 8,
  },
  { name: 'federation-small', title: 'Four HTTP subgraphs, small answer', delayMs: 0, isSmall: true },
  {
    name: 'federation-4ms',
    title: 'The large one with 4 ms per subgraph call',
    delayMs: 4,
    concurrency: 32,
  },
  {
    name: 'distinct',
    title: 'Many distinct operations: each text is planned for the first time',
    delayMs: 0,
    isDistinct: true,
    concurrency: 4,
  },
].map((workload) => ({
  // Calls within a process cannot take 4 ms.
  candidates: [
    'federation-ours',
    ...(workload.delayMs > 0 ? [] : ['ours-in-process']),
    'federation-stock',
    'hive-js',
    'hive-rust',
  ],
  ...workload,
}))
