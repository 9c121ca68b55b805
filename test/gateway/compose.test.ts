import { parse } from 'graphql'
import { compose, loadable, securityFeatures, unenforcedFeatures } from '../../registry/composition/compose'
import { contractSupergraph } from '../../registry/composition/contract-supergraph'
import { fixtureSchemas, fixtureSupergraph } from './fixtures/subgraphs'

const link =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@requires", "@external", "@authenticated", "@requiresScopes"])'

describe('the published supergraph', () => {
  it('keeps every access declaration, so that any router knows them', () => {
    const supergraph = fixtureSupergraph()
    expect(supergraph).toContain(
      'salary: Int @join__field(graph: HR) @requiresScopes(scopes: [["hr:salary:read"]])',
    )
    expect(securityFeatures(supergraph)).toEqual(['authenticated', 'requiresScopes'])
  })

  it('is the same for the same subgraphs in any order', () => {
    expect(compose([...fixtureSchemas].reverse())).toBe(compose(fixtureSchemas))
  })

  it('says where a subgraph is: at a host named like it, unless told', () => {
    const [identity, hr, finance] = fixtureSchemas
    const supergraph = compose([identity!, { ...hr!, url: 'http://10.0.0.1/hr' }, finance!])
    expect(supergraph).toContain('HR @join__graph(name: "hr", url: "http://10.0.0.1/hr")')
    expect(supergraph).toContain('FINANCE @join__graph(name: "finance", url: "http://finance:4000/graphql")')
  })

  it('is refused with the code of each error', () => {
    const schemas = ['a', 'b'].map((name) => ({
      name,
      typeDefs: parse(`${link} type Query { ${name}: T! } type T { x: Int }`),
    }))
    expect(() => compose(schemas)).toThrow(/INVALID_FIELD_SHARING: Non-shareable field "T.x"/)
  })

  it('is refused for a hint: here a filter field that only one of two subgraphs knows', () => {
    const schemas = ['a', 'b'].map((name) => ({
      name,
      typeDefs: parse(
        `${link} type Query { ${name}(filter: F): Int } input F { x: Int ${name === 'a' ? 'y: Int' : ''} }`,
      ),
    }))
    expect(() => compose(schemas)).toThrow(
      /INCONSISTENT_INPUT_OBJECT_FIELD: Input object field "y" will not be added/,
    )
  })

  it('is refused when a field would leak protected data through @requires', () => {
    const a = `${link} type Query { e: E } type E @key(fields: "id") { id: ID! salary: Int @requiresScopes(scopes: [["x"]]) }`
    const b = `${link} type E @key(fields: "id") { id: ID! salary: Int @external bonus: Int @requires(fields: "salary") }`
    const schemas = [a, b].map((text, n) => ({ name: `s${n}`, typeDefs: parse(text) }))
    expect(() => compose(schemas)).toThrow(/MISSING_TRANSITIVE_AUTH_REQUIREMENTS/)
  })
})

describe('what a supergraph asks of its router', () => {
  it('is said apart: what subgraphs may enforce, what nobody knows; what the gateway does itself is neither (G3)', () => {
    const hidden = contractSupergraph(fixtureSupergraph(), new Set(['Query.boom']))
    expect(securityFeatures(hidden)).toContain('inaccessible')
    expect(unenforcedFeatures(hidden)).toEqual({
      bySubgraphs: ['authenticated', 'requiresScopes'],
      unknown: [],
    })
    const unknown = '@link(url: "https://example.com/quota/v0.1", for: SECURITY)'
    const link = '@link(url: "https://specs.apollo.dev/link/v1.0")'
    expect(unenforcedFeatures(hidden.replace(link, `${link} ${unknown}`)).unknown).toEqual([
      'https://example.com/quota/v0.1',
    ])
  })
})

describe('the copy this gateway loads', () => {
  it('differs only in not asking the gateway to enforce what the subgraphs enforce', () => {
    const supergraph = fixtureSupergraph()
    const copy = loadable(supergraph)
    expect(securityFeatures(copy)).toEqual([])
    expect(copy).toContain(
      'salary: Int @join__field(graph: HR) @requiresScopes(scopes: [["hr:salary:read"]])',
    )
    const lines = (text: string) => text.split('\n').map((line) => line.trim())
    const kept = new Set(lines(copy))
    expect(lines(supergraph).filter((line) => line.includes('SECURITY)') && !kept.has(line))).toEqual([
      '@link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)',
      '@link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY)',
    ])
    expect(copy).toContain('join/v0.5", for: EXECUTION)')
  })

  it('still asks for a guard nobody here knows', () => {
    const unknown = '@link(url: "https://example.com/quota/v0.1", for: SECURITY)'
    const supergraph = fixtureSupergraph().replace('\n{', `\n  ${unknown}\n{`)
    expect(securityFeatures(loadable(supergraph))).toEqual(['https://example.com/quota/v0.1'])
  })
})
