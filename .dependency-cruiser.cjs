/** The boundaries of the code base. Each rule says what it protects. */
const ours = '^(kernel|registry|gateway|subgraphs|migrations|database|product|isolation|scripts|test)/'

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Types count: who reads a file must not need the file that it came from.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    // Arrows point down only: kernel, registry, gateway; subgraphs stand on the kernel; `product` puts all together.
    {
      name: 'kernel-stands-alone',
      severity: 'error',
      from: { path: '^kernel/' },
      to: { path: ours, pathNot: '^kernel/' },
    },
    {
      name: 'registry-knows-schemas',
      comment:
        'It works on the text of any federated graph: what it needs of ours comes through the command line.',
      severity: 'error',
      from: { path: '^registry/' },
      to: { path: ours, pathNot: '^(registry|kernel)/' },
    },
    {
      name: 'gateway-knows-no-subgraph',
      severity: 'error',
      from: { path: '^gateway/' },
      to: { path: ours, pathNot: '^(gateway|registry|kernel)/' },
    },
    {
      name: 'subgraphs-are-islands',
      comment:
        'A subgraph can be moved to its own process, so it never imports another one; of the kernel it sees the front.',
      severity: 'error',
      from: { path: '^subgraphs/([^/]+)/' },
      to: { path: ours, pathNot: '^(subgraphs/$1/|kernel/[^/]+\\.ts$)' },
    },
    {
      name: 'migrations-are-history',
      severity: 'error',
      from: { path: '^migrations/' },
      to: { path: ours, pathNot: '^(migrations|kernel)/' },
    },
    {
      name: 'nothing-imports-the-product',
      comment: 'Commands, the proof of isolation and tests start it; nothing that it is made of knows it.',
      severity: 'error',
      from: { path: '^(kernel|registry|gateway|subgraphs|migrations|database)/' },
      to: { path: '^(product|isolation|scripts)/' },
    },
    {
      name: 'rules-are-pure',
      comment:
        'Business rules do no I/O: they are tested with values alone. An expression language computes values alone as well.',
      severity: 'error',
      from: { path: '^subgraphs/[^/]+/rules/' },
      to: {
        pathNot: [
          '^(subgraphs/[^/]+/rules/|kernel/(money|clock)\\.ts$)',
          // Packages may be linked from elsewhere.
          'node_modules/@marcbachmann/cel-js/',
        ],
      },
    },
    {
      name: 'entities-are-columns',
      comment:
        'Of ours an entity imports the standard columns, and types of its siblings and rules, nothing else.',
      severity: 'error',
      from: { path: '^subgraphs/([^/]+)/entities/' },
      to: { path: ours, pathNot: '^(kernel/tenant-row\\.ts$|subgraphs/$1/(entities|rules)/)' },
    },
    {
      name: 'entities-know-types-of-siblings-and-rules-only',
      severity: 'error',
      from: { path: '^subgraphs/([^/]+)/entities/' },
      to: { path: '^subgraphs/$1/(entities|rules)/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'product-never-imports-tests',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['require', 'node', 'import', 'types', 'default'],
    },
  },
}
