/** The boundaries of the code base. Each rule says what it protects. */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'subgraphs-are-islands',
      comment: 'A subgraph can be moved to its own process, so it never imports another one.',
      severity: 'error',
      from: { path: '^subgraphs/(?!shared/)([^/]+)/' },
      to: { path: '^subgraphs/(?!shared/)([^/]+)/', pathNot: '^subgraphs/$1/' },
    },
    {
      name: 'kernel-knows-no-subgraph',
      severity: 'error',
      from: { path: '^subgraphs/shared/' },
      to: { path: '^(subgraphs/(?!shared/)|gateway/|registry/|database/|scripts/)' },
    },
    {
      name: 'gateway-imports-only-the-kernel',
      severity: 'error',
      from: { path: '^gateway/' },
      to: {
        path: '^(subgraphs/(?!shared/)|registry/(?!coordinates|schema-model)|database/|migrations/|scripts/)',
      },
    },
    {
      name: 'registry-knows-schemas-not-subgraphs',
      comment:
        'It works on the text of any federated graph: what it needs of ours comes through the command line.',
      severity: 'error',
      from: { path: '^registry/' },
      to: {
        path: '^(subgraphs/(?!shared/)|database/|migrations/|scripts/|gateway/(?!compose|cost|cost-model))',
      },
    },
    {
      name: 'rules-are-pure',
      comment: 'Business rules do no I/O: they are tested with values alone.',
      severity: 'error',
      from: { path: '^subgraphs/[^/]+/rules/' },
      to: { pathNot: '^subgraphs/([^/]+/rules/|shared/(money|scalars|clock))' },
    },
    {
      name: 'entities-import-nothing-of-ours',
      severity: 'error',
      from: { path: '^subgraphs/[^/]+/entities/' },
      to: { path: '^(subgraphs|gateway|database|migrations|scripts)/' },
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
