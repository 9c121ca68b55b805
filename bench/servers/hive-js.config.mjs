import { defineConfig } from '@graphql-hive/gateway'
import { shared } from './hive.mjs'

export const gatewayConfig = defineConfig(shared)
