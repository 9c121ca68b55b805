import { defineConfig } from '@graphql-hive/gateway'
import { unifiedGraphHandler } from '@graphql-hive/router-runtime'
import { shared } from './hive.mjs'

export const gatewayConfig = defineConfig({ ...shared, unifiedGraphHandler })
