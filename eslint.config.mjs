import js from '@eslint/js'
import tseslint from 'typescript-eslint'

/** One door to the database: everything else would bypass the tenant binding (docs/decisions/0002-tenant-binding.md). */
const databaseDoor = [
  {
    selector: "CallExpression[callee.property.name='query'][callee.object.property.name='pool']",
    message: 'pool.query() bypasses the tenant binding: check out through kernel/connection/database.ts',
  },
  {
    selector: "CallExpression[callee.property.name='query'][callee.object.name='pool']",
    message: 'pool.query() bypasses the tenant binding: check out through kernel/connection/database.ts',
  },
  {
    selector: "CallExpression[callee.property.name='getRepository']",
    message: 'Repositories bypass the tenant argument: use load, page and mutate from kernel/',
  },
  {
    selector:
      'CallExpression[callee.property.name=/^(query|execute)$/] > TemplateLiteral.arguments:first-child[expressions.length>0]',
    message: 'SQL is parameterised only: put values in $n parameters',
  },
]

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.data/', 'docs/', '**/generated/**', '**/generated.ts'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-console': 'error',
    },
  },
  // Plain JavaScript is configuration: it has no project to take types from.
  { files: ['**/*.{js,cjs,mjs}'], languageOptions: { parserOptions: { projectService: false } } },
  { files: ['scripts/build.mjs'], languageOptions: { globals: { process: 'readonly' } } },
  {
    files: ['**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      'no-restricted-syntax': ['error', ...databaseDoor],
    },
  },
  {
    files: [
      'kernel/**/*.ts',
      'gateway/**/*.ts',
      'product/**/*.ts',
      'registry/**/*.ts',
      'subgraphs/**/*.ts',
      'database/**/*.ts',
      'migrations/**/*.ts',
      'scripts/**/*.ts',
    ],
    ignores: ['kernel/process/config.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Only kernel/process/config.ts reads the environment.',
        },
      ],
    },
  },
  {
    files: ['**/*.{ts,mjs}'],
    ignores: ['test/**'],
    rules: {
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 90 }],
    },
  },
  { files: ['scripts/**', 'test/**'], rules: { 'no-console': 'off' } },
  { files: ['bench/**'], rules: { 'no-console': 'off', 'no-undef': 'off' } },
  // Tests look into every table, whose names come from the catalogue.
  { files: ['test/**'], rules: { 'no-restricted-syntax': 'off' } },
  {
    files: ['**/*.js', '**/*.cjs'],
    rules: { '@typescript-eslint/no-require-imports': 'off', 'no-undef': 'off' },
  },
)
