import type { Rule } from '../rules'

/** The house rules, by the code a finding carries. */
export const lintRules = {
  ACCESS_MISSING: {
    title: 'Nothing says who may read it',
    why: 'What declares nothing would be open to everybody. Root fields, entities and fields contributed to another subgraph’s entity declare it.',
    fix: 'Add @authenticated, @requiresScopes or @policy; @public when it really is.',
  },
  DESCRIPTION_MISSING: {
    title: 'A description is missing',
    why: 'The schema is the documentation.',
    fix: 'Say what it is: unit, bounds, what null means.',
  },
  DEPRECATION_UNCLEAR: {
    title: 'A deprecation does not say what to do until when',
    why: 'Clients plan by it, and the check lets nobody remove it earlier.',
    fix: 'Write @deprecated(reason: "Use `replacement`. Removed after 2027-01-31.").',
  },
  REPLACEMENT_MISSING: {
    title: 'A deprecation names a replacement that does not exist',
    why: 'Clients look for it and find nothing.',
    fix: 'Name a sibling, or a coordinate such as `Query.users(filter:)`.',
  },
  NAME_FORM: {
    title: 'A name has another form than its kind',
    why: 'Clients guess names.',
    fix: 'Types PascalCase, fields and arguments camelCase, enum values UPPER_CASE, inputs …Input, …Filter or …Order.',
  },
  CONNECTION_FORM: {
    title: 'A connection has another form than the others',
    why: 'Clients page through all lists with the same code.',
    fix: 'Give XConnection edges, nodes, pageInfo and totalCount, XEdge cursor and node, and the field first and after.',
  },
  LIST_SIZE_MISSING: {
    title: 'Nothing says how long a list gets',
    why: 'The cost of an operation is estimated before it runs.',
    fix: 'Add @listSize(assumedSize:, slicingArguments:).',
  },
  LIST_UNBOUNDED: {
    title: 'A list has neither pages nor a size',
    why: 'It grows with the tenant’s data.',
    fix: 'Make it a connection, or state its bound with @listSize(assumedSize:).',
  },
  MUTATION_FORM: {
    title: 'A mutation has another form than the others',
    why: 'Clients handle the outcome of all mutations with the same code.',
    fix: 'Take one `input: VerbNounInput!` and return `VerbNounPayload!` with `userErrors`.',
  },
  NULLABLE_ACROSS_SUBGRAPHS: {
    title: 'A root field, or one that another subgraph answers, must be able to be null',
    why: 'When its subgraph is down or denies it, a non-null field blanks its whole parent, the root everything else.',
    fix: 'Drop the `!`.',
  },
} as const satisfies Record<string, Rule>

export type LintCode = keyof typeof lintRules
