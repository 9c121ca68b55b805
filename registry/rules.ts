/** Describes what a code of the diff means. `schema explain CODE` prints it; docs/ci.md lists all. */
export interface Rule {
  title: string
  /** Why it matters to those who use the API. */
  why: string
  /** Holds what to do instead, or next. */
  fix: string
}

const deprecateFirst =
  'Deprecate it with the replacement and a date, wait until `schema usage` shows no client, then remove it.'
const addInstead = 'Add a new one beside it, deprecate the old one, remove that when nobody uses it.'
const rolloutOrder =
  'Keep the old resolver while gateways may still follow the previous version: move it with @override(from:), publish, wait, then remove the old one.'

/** Every kind of change the diff tells apart. */
export const rules = {
  TYPE_ADDED: { title: 'A type is new', why: 'Nobody can have used it.', fix: 'Nothing to do.' },
  TYPE_REMOVED: {
    title: 'A type is gone',
    why: 'Operations that name it or select it are refused.',
    fix: deprecateFirst,
  },
  TYPE_KIND_CHANGED: {
    title: 'A type is of another kind',
    why: 'Selections and variables of the old kind are refused.',
    fix: addInstead,
  },
  DESCRIPTION_CHANGED: {
    title: 'A description changed',
    why: 'Behaviour is the same.',
    fix: 'Nothing to do.',
  },
  FIELD_ADDED: { title: 'A field is new', why: 'Nobody can have used it.', fix: 'Nothing to do.' },
  FIELD_REMOVED: {
    title: 'A field is gone',
    why: 'Operations that select it are refused as a whole.',
    fix: deprecateFirst,
  },
  FIELD_TYPE_CHANGED: {
    title: 'A field returns another type',
    why: 'Selections, fragments or the code that reads the answer no longer fit.',
    fix: addInstead,
  },
  FIELD_BECAME_NULLABLE: {
    title: 'A field may now be null',
    why: 'Clients that relied on a value meet null.',
    fix: 'Keep it non-null, or offer a second, nullable field and deprecate this one.',
  },
  FIELD_BECAME_NON_NULL: {
    title: 'A field is never null any more',
    why: 'Every client that handles null handles a value.',
    fix: 'Make sure it can be kept: one null blanks the parent object.',
  },
  FIELD_MAY_CONFLICT: {
    title: 'A field is never null any more, its counterpart in a sibling type may be',
    why: 'An operation that selects the same name in fragments on both types is refused: their types must agree.',
    fix: 'Change all possible types of the interface or union together.',
  },
  ARGUMENT_ADDED: {
    title: 'An optional argument is new',
    why: 'Operations that leave it out behave as before.',
    fix: 'Make sure leaving it out means what it meant.',
  },
  REQUIRED_ARGUMENT_ADDED: {
    title: 'An argument became required',
    why: 'Operations that leave it out are refused.',
    fix: 'Make it optional or give it a default.',
  },
  ARGUMENT_REMOVED: {
    title: 'An argument is gone',
    why: 'Operations that give it are refused.',
    fix: deprecateFirst,
  },
  ARGUMENT_TYPE_CHANGED: {
    title: 'An argument takes another type',
    why: 'Values and variables of the old type are refused.',
    fix: addInstead,
  },
  ARGUMENT_TYPE_WIDENED: {
    title: 'An argument takes more than before',
    why: 'What was accepted still is.',
    fix: 'Nothing to do.',
  },
  ARGUMENT_DEFAULT_CHANGED: {
    title: 'The default of an argument changed',
    why: 'Operations that leave it out get something else.',
    fix: 'Check the operations listed; say so in the changelog.',
  },
  INPUT_FIELD_ADDED: {
    title: 'An optional input field is new',
    why: 'Inputs without it behave as before.',
    fix: 'Nothing to do.',
  },
  REQUIRED_INPUT_FIELD_ADDED: {
    title: 'An input field became required',
    why: 'Inputs without it are refused.',
    fix: 'Make it optional or give it a default.',
  },
  INPUT_FIELD_REMOVED: {
    title: 'An input field is gone',
    why: 'Inputs with it are refused. Composition also drops fields that not every subgraph of a shared input has.',
    fix: deprecateFirst,
  },
  INPUT_FIELD_TYPE_CHANGED: {
    title: 'An input field takes another type',
    why: 'Values of the old type are refused.',
    fix: addInstead,
  },
  INPUT_FIELD_TYPE_WIDENED: {
    title: 'An input field takes more than before',
    why: 'What was accepted still is.',
    fix: 'Nothing to do.',
  },
  INPUT_FIELD_DEFAULT_CHANGED: {
    title: 'The default of an input field changed',
    why: 'Inputs without it mean something else.',
    fix: 'Check the operations listed; say so in the changelog.',
  },
  ENUM_VALUE_ADDED: {
    title: 'An enum value is new',
    why: 'Where clients receive it, they may not know what to do with it.',
    fix: 'Check that clients have a branch for unknown values.',
  },
  ENUM_VALUE_REMOVED: {
    title: 'An enum value is gone',
    why: 'Operations that send it are refused.',
    fix: deprecateFirst,
  },
  UNION_MEMBER_ADDED: {
    title: 'A union has a new member',
    why: 'Clients may receive a type they do not know.',
    fix: 'Check that clients have a branch for unknown types.',
  },
  UNION_MEMBER_REMOVED: {
    title: 'A union has lost a member',
    why: 'Fragments on that member are refused.',
    fix: addInstead,
  },
  INTERFACE_ADDED: {
    title: 'A type implements one more interface',
    why: 'Clients of that interface may receive a type they do not know.',
    fix: 'Check that clients have a branch for unknown types.',
  },
  INTERFACE_REMOVED: {
    title: 'A type no longer implements an interface',
    why: 'Fragments between the two are refused, and lists of the interface lose objects.',
    fix: addInstead,
  },
  DIRECTIVE_ADDED: {
    title: 'A directive for operations is new',
    why: 'Nobody can have used it.',
    fix: 'Nothing to do.',
  },
  DIRECTIVE_REMOVED: {
    title: 'A directive for operations is gone',
    why: 'Operations that use it are refused.',
    fix: 'Keep accepting it until nobody sends it.',
  },
  DIRECTIVE_LOCATION_ADDED: {
    title: 'A directive may stand in one more place',
    why: 'What was accepted still is.',
    fix: 'Nothing to do.',
  },
  DIRECTIVE_LOCATION_REMOVED: {
    title: 'A directive may no longer stand somewhere',
    why: 'Operations that use it there are refused.',
    fix: 'Keep accepting it there until nobody sends it.',
  },
  DIRECTIVE_REPEATABLE_ADDED: {
    title: 'A directive may be repeated',
    why: 'What was accepted still is.',
    fix: 'Nothing to do.',
  },
  DIRECTIVE_REPEATABLE_REMOVED: {
    title: 'A directive may no longer be repeated',
    why: 'Operations that repeat it are refused.',
    fix: 'Keep it repeatable.',
  },
  DEPRECATED: {
    title: 'Something is deprecated',
    why: 'It works as before; clients are told to move.',
    fix: 'Name the replacement and the date of removal in the reason.',
  },
  DEPRECATION_CHANGED: {
    title: 'The reason or date of a deprecation changed',
    why: 'It works as before.',
    fix: 'Nothing to do; a date that moves closer deserves a word to clients.',
  },
  DEPRECATION_REMOVED: {
    title: 'Something is no longer deprecated',
    why: 'It works as before.',
    fix: 'Nothing to do.',
  },
  SPECIFIED_BY_CHANGED: {
    title: 'A scalar follows another specification',
    why: 'Its values may look different.',
    fix: 'Add a new scalar when the format really differs.',
  },
  ONE_OF_ADDED: {
    title: 'An input takes exactly one of its fields',
    why: 'Inputs with several fields, or none, are refused.',
    fix: 'Add a new @oneOf input beside it.',
  },
  ONE_OF_REMOVED: {
    title: 'An input takes any of its fields',
    why: 'What was accepted still is.',
    fix: 'Nothing to do.',
  },
  APPLIED_DIRECTIVE_CHANGED: {
    title: "A directive of one's own is applied differently",
    why: 'Only whoever reads it (a router, a plugin, a generator) knows what follows.',
    fix: 'Ask whoever answers for the directive.',
  },
  ACCESS_WIDENED: {
    title: 'More people may read it',
    why: 'Data that was protected is shown to people who could not see it before.',
    fix: 'Have whoever answers for the data approve it, or restore the directive.',
  },
  ACCESS_NARROWED: {
    title: 'Fewer people may read it',
    why: 'Clients without the new rights get null and FORBIDDEN where they got data.',
    fix: 'Grant the rights to the roles that need them before publishing.',
  },
  ACCESS_CHANGED: {
    title: 'Other people may read it',
    why: 'Some could not see it before, others lose it.',
    fix: 'Have whoever answers for the data approve it, and grant the new rights before publishing.',
  },
  COST_RAISED: {
    title: 'It costs more',
    why: 'Operations near the limit are refused as too costly.',
    fix: 'Check the operations listed against the cost limit.',
  },
  COST_LOWERED: {
    title: 'It costs less',
    why: 'What was accepted still is.',
    fix: 'Make sure the servers bear it.',
  },
  LIST_SIZE_CHANGED: {
    title: 'A list counts differently',
    why: 'The estimated cost of operations changes; some may be refused.',
    fix: 'Check the operations listed against the cost limit.',
  },
  SUBGRAPH_ADDED: {
    title: 'A subgraph is new',
    why: 'Gateways need to reach it before they serve this version.',
    fix: 'Start it before publishing.',
  },
  SUBGRAPH_REMOVED: {
    title: 'A subgraph is gone',
    why: 'Gateways on the previous version still ask it.',
    fix: 'Publish first; stop it when no gateway follows the previous version.',
  },
  SUBGRAPH_URL_CHANGED: {
    title: 'A subgraph answers elsewhere',
    why: 'Gateways on the previous version still ask the old address.',
    fix: 'Keep the old address answering until all gateways have moved.',
  },
  KEY_ADDED: { title: 'An entity has a new key', why: 'Nothing relied on it.', fix: 'Nothing to do.' },
  KEY_REMOVED: {
    title: 'An entity lost a key in a subgraph',
    why: 'Gateways on the previous version, and other subgraphs, look the entity up by it and get errors.',
    fix: rolloutOrder,
  },
  FIELD_RESOLVER_ADDED: {
    title: 'One more subgraph resolves a field',
    why: 'Both must give the same value.',
    fix: 'Nothing to do when they do.',
  },
  FIELD_RESOLVER_REMOVED: {
    title: 'A field left its subgraph',
    why: 'Gateways on the previous version still ask the old subgraph for it, and their operations fail until they reload.',
    fix: rolloutOrder,
  },
  FIELD_OVERRIDDEN: {
    title: 'A field moved with @override',
    why: 'The old subgraph still answers gateways on the previous version.',
    fix: 'Remove it from the old subgraph in a later version.',
  },
  REQUIRES_CHANGED: {
    title: 'A field is computed from other fields',
    why: 'Gateways on the previous version send the old representation.',
    fix: 'Accept both representations until all gateways have moved.',
  },
  PROVIDES_REMOVED: {
    title: 'A subgraph no longer provides nested fields',
    why: 'The gateway fetches them elsewhere; those on the previous version ask here.',
    fix: 'Keep resolving them until all gateways have moved.',
  },
  INTERFACE_OBJECT_CHANGED: {
    title: 'A subgraph treats an interface as an object, or stopped to',
    why: 'Query plans of the previous version name other types.',
    fix: 'Publish it on its own, while traffic is low.',
  },
  TAG_ADDED: {
    title: 'A tag is new',
    why: 'Contracts that select by it may show more.',
    fix: 'See the changes listed for the contract.',
  },
  TAG_REMOVED: {
    title: 'A tag is gone',
    why: 'Contracts that select by it may show less.',
    fix: 'See the changes listed for the contract.',
  },
  CONTRACT_ADDED: { title: 'A contract is new', why: 'Nobody can have used it.', fix: 'Nothing to do.' },
  CONTRACT_REMOVED: {
    title: 'A contract is gone',
    why: 'Clients of that variant have no schema any more.',
    fix: 'Keep it in schema/contracts.json until they have moved.',
  },
} as const satisfies Record<string, Rule>

export type ChangeCode = keyof typeof rules

/** The rule of a code; undefined when there is none by that name. */
export function ruleOf(code: string): Rule | undefined {
  return Object.hasOwn(rules, code) ? rules[code as ChangeCode] : undefined
}
