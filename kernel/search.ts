export { headlineSql, passages } from './searching/highlight'
export { parseSearch, type SearchGroups } from './searching/search-query'
