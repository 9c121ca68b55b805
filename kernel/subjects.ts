/** People whose data is found, given and erased: what subgraphs declare of it, and what their job leaves. */
export { heldReason, type KeptCount } from './subjects/erase'
export { exportFiles, mostOfPart, partsOf, readExportFile, removeExport } from './subjects/exports'
export type { PersonalDeclarations } from './subjects/personal-rows'
export { subgraphNames } from './schema/subgraph-names'
