import type { CodegenConfig } from '@graphql-codegen/cli'

/**
 * Copy into a client's project, beside a copy of our `schema/api.graphql`:
 *
 *     npm install --save-dev @graphql-codegen/cli @graphql-codegen/client-preset
 *     npx graphql-codegen --config codegen.ts
 */
const config: CodegenConfig = {
  schema: 'api.graphql',
  documents: ['src/**/*.{ts,tsx,graphql}'],
  generates: {
    'src/gql/': {
      preset: 'client',
      config: {
        enumsAsTypes: true,
        useTypeImports: true,
        // A scalar that is missing here is an error, not `any`.
        strictScalars: true,
        scalars: {
          /** `EUR` */
          CurrencyCode: 'string',
          /** `2026-02-28` */
          Date: 'string',
          /** `2026-03-29T01:30:00.000Z` */
          DateTime: 'string',
          /** `"1234.50"`: never parse it into a number, which loses digits. */
          Decimal: 'string',
          EmailAddress: 'string',
          JSON: 'unknown',
          /** `Europe/Berlin` */
          TimeZone: 'string',
        },
      },
    },
  },
}

export default config
