/** People whose data is found, given and erased: what subgraphs declare of it, and what their job leaves. */
export type { PersonalDeclarations } from './subjects/personal-rows'
export { exportKey, readExport } from './subjects/subject-data'
export { subgraphNames } from './schema/subgraph-names'
