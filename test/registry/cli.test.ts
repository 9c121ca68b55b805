import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { composeGraph } from '../../registry/composition/composed'
import { commands, run } from '../../registry/cli'
import { rules } from '../../registry/rules'
import { lintRules } from '../../registry/lint/rules'
import { shop } from './shop'

const today = Date.parse('2026-11-20T12:00:00Z')
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'schema-'))
  mkdirSync(join(folder, 'schema'))
  for (const [name, text] of Object.entries(shop)) write(`schema/${name}.graphql`, text)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const write = (file: string, text: string) => writeFileSync(join(folder, file), text)
const read = (file: string) => readFileSync(join(folder, file), 'utf8')

/** Replaces a text that occurs once in a file of the folder. */
function edit(file: string, from: string, to: string): void {
  const text = read(file)
  expect(text.split(from)).toHaveLength(2)
  write(file, text.replace(from, to))
}

/** Runs a command line in the folder; house rules are asked in lint.test.ts. */
async function schema(...args: string[]): Promise<{ code: number; text: string }> {
  const lines: string[] = []
  const checks = args[0] === 'check' || args[0] === 'publish' || args[0] === 'approve'
  const code = await run(checks ? [...args, '--no-lint'] : args, {
    cwd: folder,
    out: (text) => lines.push(text),
    now: () => today,
    compose: async (subgraphs, options) => composeGraph(subgraphs, options),
    database: () => Promise.reject(new Error('no test asks for the database')),
  })
  return { code, text: lines.join('\n') }
}

const usageLine = (more: object) =>
  `${JSON.stringify({ hash: 'h1', name: 'Phone', document: '{ me { phone } }', client: { name: 'web', version: '1.2' }, requests: 1204, tenants: 12, lastSeen: '2026-11-19', ...more })}\n`
const removePhone = () => edit('schema/accounts.graphql', '  phone: String\n', '')

describe('compose', () => {
  it('writes the supergraph and says when it is stale', async () => {
    expect(await schema('compose')).toEqual({
      code: 0,
      text: 'Wrote schema/supergraph.graphql\nWrote schema/api.graphql',
    })
    expect(await schema('compose', '--check')).toEqual({
      code: 0,
      text: 'schema/supergraph.graphql is current\nschema/api.graphql is current',
    })
    removePhone()
    const stale = await schema('compose', '--check')
    expect(stale.code).toBe(1)
    expect(stale.text).toContain('out of date')
  })

  it('E7: writes what clients see beside it, and says when that is stale', async () => {
    await schema('compose')
    const api = read('schema/api.graphql')
    expect(api).toContain('type Query {')
    expect(api).not.toMatch(/join__|@key|@authenticated/)
    write('schema/api.graphql', `${api}# edited\n`)
    const stale = await schema('compose', '--check')
    expect([stale.code, stale.text]).toEqual([
      1,
      'schema/supergraph.graphql is current\n' +
        'schema/api.graphql is out of date: run "npm run schema -- compose" and commit the result',
    ])
    await schema('compose')
    expect(read('schema/api.graphql')).toBe(api)
  })

  it('prints one subgraph as it is served', async () => {
    const { code, text } = await schema('print', 'reviews')
    expect(code).toBe(0)
    expect(text).toContain('type Review ')
    expect(await schema('print', 'nobody')).toEqual({
      code: 2,
      text: expect.stringMatching(/^There is no subgraph "nobody": choose one of .*reviews/),
    })
  })

  it('says where the subgraphs do not compose', async () => {
    edit('schema/reviews.graphql', '  shipping: Int', '  size: Int\n  shipping: Int')
    const { code, text } = await schema('compose')
    expect(code).toBe(1)
    expect(text).toMatch(
      /schema\/catalog\.graphql:13:3 INVALID_FIELD_SHARING: .*\n {4}→ Let one subgraph own the field/,
    )
  })

  it('says where a file is no GraphQL', async () => {
    edit('schema/catalog.graphql', 'type Product', 'type type Product {')
    const { code, text } = await schema('compose')
    expect([code, text.split(' ')[0]]).toEqual([
      2,
      'schema/catalog.graphql:7:11'.replace(/^/, `${text.split('schema/')[0]}`),
    ])
  })

  it('takes subgraphs from folders and running services', async () => {
    await schema('compose')
    const expected = read('schema/supergraph.graphql')
    const server = createServer((_request, response) => {
      response.end(JSON.stringify({ data: { _service: { sdl: shop.shared + shop.reviews } } }))
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`
    rmSync(join(folder, 'schema/reviews.graphql'))
    rmSync(join(folder, 'schema/catalog.graphql'))
    mkdirSync(join(folder, 'schema/catalog'))
    const [query = '', ...types] = shop.catalog.split('\ntype Product')
    write('schema/catalog/query.graphql', query)
    write('schema/catalog/product.graphql', `type Product${types.join('')}`)
    expect((await schema('compose', '--subgraph', `reviews=${url}`, '--out', 'composed.graphql')).code).toBe(
      0,
    )
    server.close()
    expect(read('composed.graphql').replace(url, 'http://reviews:4000/graphql')).toBe(expected)
    expect((await schema('compose', '--subgraph', `reviews=${url}`)).text).toContain(
      `does not answer at ${url}`,
    )
  })

  it('composes a contract', async () => {
    edit('schema/accounts.graphql', '  phone: String\n', '  phone: String @tag(name: "internal")\n')
    write('schema/contracts.json', JSON.stringify({ contracts: { partner: { exclude: ['internal'] } } }))
    expect(
      (await schema('compose', '--contract', 'partner', '--out', 'partner.graphql', '--api', 'api.graphql'))
        .code,
    ).toBe(0)
    expect(read('partner.graphql')).toMatch(/phone: String .*@inaccessible/)
    expect(read('api.graphql')).not.toContain('phone')
    expect(read('api.graphql')).not.toContain('join__')
  })
})

describe('check', () => {
  beforeEach(() => schema('compose', '--out', 'base.graphql'))
  const check = (...args: string[]) => schema('check', '--base', 'base.graphql', ...args)

  it('passes when nothing changed', async () => {
    expect(await check()).toEqual({ code: 0, text: 'Passed: 0 changes against base.graphql.' })
  })

  it('blocks a breaking change when nobody knows who uses it', async () => {
    removePhone()
    const { code, text } = await check()
    expect(code).toBe(1)
    expect(text).toMatch(
      /schema\/accounts\.graphql:\d+:\d+ FIELD_REMOVED: User\.phone was removed\n {4}blocked: nothing is known about who uses it \(change [0-9a-f]{16}\)/,
    )
  })

  it('names the operations, clients, versions, tenants and the last time', async () => {
    removePhone()
    write(
      'usage.jsonl',
      usageLine({}) +
        usageLine({
          client: { name: 'web', version: '1.3' },
          requests: 3,
          tenants: 2,
          lastSeen: '2026-11-01',
        }) +
        usageLine({ hash: 'h2', name: 'Name', document: '{ me { name } }' }),
    )
    const { code, text } = await check('--usage', 'usage.jsonl')
    expect(code).toBe(1)
    expect(text).toContain('blocked: 1 operation of the last 30 days would suffer')
    expect(text).toContain(
      'used by Phone (web 1.2, web 1.3): 1,207 requests, up to 12 tenants, last 2026-11-19',
    )
    expect(text).not.toContain('used by Name')
    const { changes } = JSON.parse((await check('--usage', 'usage.jsonl', '--format', 'json')).text) as {
      changes: { usedBy: unknown }[]
    }
    expect(changes[0]?.usedBy).toEqual([
      {
        hash: 'h1',
        name: 'Phone',
        clients: [
          { client: 'web', version: '1.2', requests: 1204, tenants: 12, lastSeen: '2026-11-19' },
          { client: 'web', version: '1.3', requests: 3, tenants: 2, lastSeen: '2026-11-01' },
        ],
      },
    ])
  })

  it('lets through what nobody used for long enough, when that long was recorded', async () => {
    removePhone()
    write(
      'usage.jsonl',
      usageLine({ lastSeen: '2026-10-20' }) +
        usageLine({ hash: 'h2', name: 'Name', document: '{ me { name } }' }),
    )
    const passed = await check('--usage', 'usage.jsonl', '--verbose')
    expect(passed).toMatchObject({
      code: 0,
      text: expect.stringContaining(
        'FIELD_REMOVED: User.phone was removed; nobody used it in 30 days',
      ) as string,
    })
    expect((await check('--usage', 'usage.jsonl', '--days', '60')).code).toBe(1)
    write('young.jsonl', `{"from":"2026-11-10"}\n${usageLine({ document: '{ me { name } }' })}`)
    const young = await check('--usage', 'young.jsonl')
    expect(young).toMatchObject({
      code: 1,
      text: expect.stringContaining('usage is recorded since 2026-11-10 only, not for 30 days') as string,
    })
    write('old.jsonl', `{"from":"2026-10-21"}\n${usageLine({ document: '{ me { name } }' })}`)
    expect((await check('--usage', 'old.jsonl')).code).toBe(0)
  })

  it('keeps what a deprecation promised, and names the replacement', async () => {
    write('usage.jsonl', usageLine({ document: '{ me { name } }' }))
    edit(
      'schema/accounts.graphql',
      '  badge: String @deprecated(reason: "Use `name`. Removed after 2099-01-31.")\n',
      '',
    )
    const kept = await check('--usage', 'usage.jsonl')
    expect(kept.code).toBe(1)
    expect(kept.text).toContain('blocked: its deprecation promised it until 2099-01-31')
    expect(kept.text).toContain('replacement: name')
    write('schema/accounts.graphql', shop.accounts)
    edit(
      'schema/accounts.graphql',
      '  legacyId: String @deprecated(reason: "Use `id`. Removed after 2020-01-31.")\n',
      '',
    )
    expect((await check('--usage', 'usage.jsonl')).code).toBe(0)
  })

  it('blocks a change that shows data to more people, whoever uses it', async () => {
    edit(
      'schema/accounts.graphql',
      '  email: String @requiresScopes(scopes: [["user:email"]])\n',
      '  email: String\n',
    )
    write('usage.jsonl', usageLine({ document: '{ me { name } }' }))
    const { code, text } = await check('--usage', 'usage.jsonl')
    expect(code).toBe(1)
    expect(text).toContain(
      'ACCESS_WIDENED: User.email may be read by more people: user:email before, signed in now',
    )
  })

  it('blocks what is merely dangerous only when asked to', async () => {
    edit('schema/accounts.graphql', '  SUSPENDED\n', '  SUSPENDED\n  LEFT\n')
    expect(await check()).toMatchObject({
      code: 0,
      text: expect.stringContaining('ENUM_VALUE_ADDED') as string,
    })
    expect((await check('--strict')).code).toBe(1)
  })

  it('blocks a field that is never null any more while operations select it beside one that may be (R1)', async () => {
    edit('schema/accounts.graphql', '  nickname: String\n  email', '  nickname: String!\n  email')
    write('usage.jsonl', usageLine({ document: '{ nodes { ... on Bot { nickname } } me { name } }' }))
    expect((await check('--usage', 'usage.jsonl')).code).toBe(0)
    const both = '{ nodes { ... on User { nickname } ... on Bot { nickname } } }'
    write('usage.jsonl', usageLine({ document: both }))
    const { code, text } = await check('--usage', 'usage.jsonl')
    expect(code).toBe(1)
    expect(text).toContain('blocked: 1 operation of the last 30 days would be refused')
  })

  it('blocks operations of the repository that would fail', async () => {
    mkdirSync(join(folder, 'test/operations'), { recursive: true })
    write('test/operations/me.graphql', 'query Mine {\n  me {\n    phone\n  }\n}\n')
    expect((await check()).code).toBe(0)
    removePhone()
    write('usage.jsonl', usageLine({ document: '{ me { name } }' }))
    const { code, text } = await check('--usage', 'usage.jsonl')
    expect(code).toBe(1)
    expect(text).toContain('me.graphql:3:5 Mine: Cannot query field "phone" on type "User".')
  })

  it('says when a contract cannot be served', async () => {
    write('schema/contracts.json', JSON.stringify({ contracts: { public: { include: ['public'] } } }))
    expect(await check()).toMatchObject({
      code: 1,
      text: expect.stringContaining(
        'CONTRACT_INVALID: the contract public shows no field of Query',
      ) as string,
    })
  })

  it('answers in the form that GitHub, GitLab and JUnit read', async () => {
    removePhone()
    const github = await check('--format', 'github')
    expect(github.text).toMatch(
      /^::error file=.*schema\/accounts\.graphql,line=\d+,col=\d+,title=FIELD_REMOVED::User\.phone was removed%0Ablocked: /,
    )
    const [issue] = JSON.parse((await check('--format', 'gitlab')).text) as Record<string, unknown>[]
    expect(issue).toMatchObject({
      check_name: 'FIELD_REMOVED',
      severity: 'blocker',
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    })
    const junit = (await check('--format', 'junit')).text
    expect(junit).toContain('<testsuite name="schema check" tests="1" failures="1">')
    expect(junit).toContain('<failure message="User.phone was removed">')
    // R11: for a pull request.
    const markdown = (await check('--format', 'markdown')).text
    expect(markdown).toContain('## ❌ Schema\n\n**Failed: 1 change blocked')
    expect(markdown).toMatch(
      /### Blocked\n\n\| Code \| Change \| \|\n\| --- \| --- \| --- \|\n\| <code>[^<]*schema\/accounts\.graphql:\d+<\/code> FIELD_REMOVED \| User\.phone was removed \| /,
    )
    const human = await check('--output', 'junit=report.xml')
    expect(read('report.xml')).toBe(`${junit}\n`)
    expect(human.text).toContain('Failed: 1 change blocked')
  })

  it('compares with commits and with nothing', async () => {
    expect(await schema('check')).toEqual({ code: 0, text: 'Passed: nothing to compare with.' })
    await schema('compose')
    const git = (...args: string[]) =>
      spawnSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.com', ...args], { cwd: folder })
    git('init', '--quiet')
    git('add', '.')
    git('commit', '--quiet', '--message', 'first')
    removePhone()
    expect(await schema('check')).toMatchObject({
      code: 1,
      text: expect.stringContaining('1 change against HEAD') as string,
    })
    expect(await schema('check', '--base', 'nowhere')).toMatchObject({
      code: 2,
      text: expect.stringContaining('no file, folder or commit "nowhere"') as string,
    })
  })
})

describe('R1: what a variable reaches', () => {
  it('is breaking when a recorded operation breaks, whatever way it was recorded', async () => {
    edit(
      'schema/accounts.graphql',
      'enum Role {',
      'input Inner {\n  y: Int\n}\n\ninput Outer {\n  inner: Inner\n}\n\nenum Role {',
    )
    edit('schema/accounts.graphql', '  team: Team\n', '  team: Team\n  deep(outer: Outer): String\n')
    await schema('compose', '--out', 'base.graphql')
    edit('schema/accounts.graphql', '  y: Int\n', '  y: Int\n  z: Int!\n')
    const document = 'query Deep($o: Outer) { deep(outer: $o) }'
    for (const line of [
      { document },
      {
        document,
        coordinates: [
          'Outer',
          'Outer.inner',
          'Inner.y',
          'Query',
          'Query.deep',
          'Query.deep(outer:)',
          'String',
        ],
      },
      { document: undefined, coordinates: ['Query.deep', 'Query.deep(outer:)', 'Outer.inner', 'Inner.y'] },
      { document: undefined, coordinates: ['Query.deep', 'Query.deep(outer:)'] },
    ]) {
      write('usage.jsonl', usageLine({ name: 'Deep', ...line }))
      const { code, text } = await schema('check', '--base', 'base.graphql', '--usage', 'usage.jsonl')
      expect([line, code, text]).toEqual([
        line,
        1,
        expect.stringContaining('REQUIRED_INPUT_FIELD_ADDED: Inner.z was added and must be given') as string,
      ])
      expect(text).toContain('used by Deep (web 1.2)')
      expect(
        (await schema('usage', 'Inner', '--usage', 'usage.jsonl', '--base', 'base.graphql')).text,
      ).toContain('Deep (web 1.2)')
    }
    write(
      'usage.jsonl',
      usageLine({
        name: 'Deep',
        document,
        coordinates: ['{}', 'Outer', 'Outer{}', 'Outer.-inner', 'Query', 'Query.deep', 'Query.deep(outer:)'],
      }),
    )
    expect((await schema('check', '--base', 'base.graphql', '--usage', 'usage.jsonl')).code).toBe(0)
  })
})

describe('what is said (R6, R9, R10)', () => {
  it('R6: a break that nobody uses is not called safe', async () => {
    await schema('compose', '--out', 'base.graphql')
    removePhone()
    write('usage.jsonl', usageLine({ document: '{ me { name } }' }))
    const { text } = await schema('check', '--base', 'base.graphql', '--usage', 'usage.jsonl')
    expect(text).toMatch(
      /^Breaking, but unused:\n {2}\S*schema\/accounts\S* FIELD_REMOVED: User\.phone was removed; nobody used it in 30 days/,
    )
    expect(text).not.toContain('Safe:')
  })

  it('R9: a file that the subgraphs have left behind', async () => {
    await schema('compose', '--api', 'schema/api.graphql')
    await schema('compose', '--out', 'base.graphql')
    expect((await schema('check', '--base', 'base.graphql')).code).toBe(0)
    edit('schema/accounts.graphql', '  phone: String\n', '  phone: String\n  fax: String\n')
    const stale = await schema('check', '--base', 'base.graphql')
    expect(stale.code).toBe(1)
    expect(stale.text).toContain(
      'Files that are out of date:\n  schema/supergraph.graphql: run "npm run schema -- compose" and commit the result\n  schema/api.graphql: run',
    )
    expect(stale.text).toContain('Failed: 2 files out of date (1 change against base.graphql).')
    expect((await schema('check', '--base', 'base.graphql', '--format', 'github')).text).toContain(
      '::error file=schema/supergraph.graphql,line=1,col=1,title=FILE_OUT_OF_DATE::',
    )
  })

  it('R9: names the folder with the subgraphs', async () => {
    await schema('compose')
    const { code, text } = await schema('diff', 'schema/supergraph.graphql', '.')
    expect([code, text]).toEqual([2, expect.stringContaining('name the folder with the subgraphs') as string])
    expect((await schema('diff', 'schema/supergraph.graphql', 'schema')).text).toBe('No differences.')
  })

  it('R10: the line that approves a change works when it is copied', async () => {
    await schema('compose', '--out', 'base.graphql')
    removePhone()
    const { text } = await schema('check', '--base', 'base.graphql')
    const line = /to approve: npm run schema -- (.*)/.exec(text)?.[1] ?? ''
    expect(line).toMatch(/^approve [0-9a-f]{16} --base base\.graphql --reason "WHY" --until 2026-12-20$/)
    expect((await schema(...line.replaceAll('"', '').split(' '), '--by', 'Ada')).code).toBe(0)
    expect((await schema('check', '--base', 'base.graphql')).code).toBe(0)
  })

  it('R10: safe changes by their names, up to ten of a kind', async () => {
    await schema('compose', '--out', 'base.graphql')
    const added = (count: number) =>
      Array.from({ length: count }, (_, index) => `  f${index}: String\n`).join('')
    edit('schema/accounts.graphql', '  phone: String\n', `  phone: String\n${added(12)}`)
    const { text } = await schema('check', '--base', 'base.graphql')
    expect(text).toContain(
      'FIELD_ADDED × 12: User.f0, User.f1, User.f10, User.f11, User.f2, User.f3, User.f4, User.f5, User.f6, User.f7 and 2 more (--verbose)',
    )
  })

  it('R10: an operation by the name in its text', async () => {
    await schema('compose')
    write('usage.jsonl', `${JSON.stringify({ document: 'query Mine { me { phone } }' })}\n`)
    expect((await schema('usage', 'User.phone', '--usage', 'usage.jsonl')).text).toMatch(/^Mine \(/)
  })

  it('R10: what was written', async () => {
    await schema('publish')
    expect((await schema('compose', '--out', 'a.graphql', '--api', 'b.graphql')).text).toBe(
      'Wrote a.graphql\nWrote b.graphql',
    )
    expect((await schema('docs', '--base', 'a.graphql', '--out', 'r.html')).text).toBe('Wrote r.html')
    expect((await schema('changelog', '--out', 'C.md')).text).toBe('Wrote C.md')
    expect((await schema('--help')).text).toContain('3 a fault of the tool itself')
    expect((await schema('check', '--help')).text).toContain('3 a fault of the tool')
  })
})

describe('approvals', () => {
  beforeEach(() => schema('compose', '--out', 'base.graphql'))
  const base = ['--base', 'base.graphql']
  const hashIn = (text: string) => /change ([0-9a-f]{16})/.exec(text)?.[1] ?? ''

  it('let one change pass, with who, why and until when', async () => {
    removePhone()
    const hash = hashIn((await schema('check', ...base)).text)
    expect(
      (
        await schema(
          'approve',
          hash,
          ...base,
          '--reason',
          'nobody has phones',
          '--until',
          '2026-12-31',
          '--by',
          'Ada',
        )
      ).code,
    ).toBe(0)
    expect(JSON.parse(read('schema/approvals.json'))).toEqual({
      approvals: [
        {
          change: hash,
          code: 'FIELD_REMOVED',
          coordinate: 'User.phone',
          by: 'Ada',
          reason: 'nobody has phones',
          until: '2026-12-31',
        },
      ],
    })
    expect(await schema('check', ...base)).toMatchObject({
      code: 0,
      text: expect.stringContaining('approved by Ada until 2026-12-31: nobody has phones') as string,
    })
  })

  it('are void when the change changes, or their time is over', async () => {
    removePhone()
    const hash = hashIn((await schema('check', ...base)).text)
    const approval = {
      change: hash,
      code: 'FIELD_REMOVED',
      coordinate: 'User.phone',
      by: 'Ada',
      reason: 'x',
      until: '2026-11-19',
    }
    write('schema/approvals.json', JSON.stringify({ approvals: [approval] }))
    const over = await schema('check', ...base)
    expect(over.code).toBe(1)
    expect(over.text).toContain('Approvals that cover nothing here')
    write('schema/approvals.json', JSON.stringify({ approvals: [{ ...approval, until: '2026-12-31' }] }))
    expect((await schema('check', ...base)).code).toBe(0)
    edit('schema/accounts.graphql', '  manager: User\n', '  manager: User\n  phone: Int\n')
    expect((await schema('check', ...base)).code).toBe(1)
  })

  it('need all of it', async () => {
    removePhone()
    const hash = hashIn((await schema('check', ...base)).text)
    expect(await schema('approve', hash, ...base, '--until', '2026-12-31', '--by', 'Ada')).toMatchObject({
      code: 2,
      text: 'An approval needs a --reason',
    })
    expect(
      (await schema('approve', hash, ...base, '--reason', 'x', '--until', '2026-11-19', '--by', 'Ada')).code,
    ).toBe(2)
    expect(
      (
        await schema(
          'approve',
          '0123456789abcdef',
          ...base,
          '--reason',
          'x',
          '--until',
          '2026-12-31',
          '--by',
          'Ada',
        )
      ).code,
    ).toBe(2)
    write('schema/approvals.json', JSON.stringify({ approvals: [{ change: hash, by: 'Ada' }] }))
    expect(await schema('check', ...base)).toMatchObject({
      code: 2,
      text: expect.stringContaining('approvals.0.reason') as string,
    })
  })
})

describe('publish', () => {
  it('keeps versions, compares with the last one, writes the changelog and rolls back', async () => {
    expect(await schema('publish', '--author', 'Ada')).toMatchObject({
      code: 0,
      text: expect.stringContaining('Published main version 1') as string,
    })
    edit('schema/accounts.graphql', '  phone: String\n', '  phone: String\n  fax: String\n')
    expect(await schema('check')).toMatchObject({
      code: 0,
      text: expect.stringContaining('against main version 1') as string,
    })
    expect((await schema('publish', '--author', 'Ada', '--note', 'fax')).text).toContain(
      'Published main version 2',
    )
    expect((await schema('publish', '--author', 'Ada')).text).toBe('main version 2 is this schema already')
    expect(read('schema/CHANGELOG.md')).toContain(
      '## Version 2 · 2026-11-20\n\nPublished by Ada: fax.\n\n### Added\n\n- User.fax was added',
    )
    expect(read('schema/CHANGELOG.md')).toContain('| `User.badge` | 2099-01-31 | name |')
    expect(await schema('changelog', '--check')).toEqual({ code: 0, text: 'schema/CHANGELOG.md is current' })

    removePhone()
    expect(await schema('publish', '--author', 'Eve')).toMatchObject({
      code: 1,
      text: expect.stringContaining('Not published. Failed: 1 change blocked') as string,
    })
    expect((await schema('history')).text.split('\n')).toHaveLength(2)

    write('usage.jsonl', usageLine({ document: '{ me { name } }' }))
    expect((await schema('rollback', '1', '--author', 'Bob', '--usage', 'usage.jsonl')).text).toBe(
      'main version 3 is version 1 again (1 changes)',
    )
    expect((await schema('fetch')).text).not.toContain('fax')
    expect((await schema('fetch', '2')).text).toContain('fax')
    expect((await schema('diff', 'registry@2', 'registry')).text).toBe(
      'breaking  FIELD_REMOVED: User.fax was removed',
    )
    expect((await schema('history', '--json')).text).toContain('"rollbackOf": 1')
  })
})

describe('R2: rollback', () => {
  beforeEach(async () => {
    await schema('publish')
    edit('schema/accounts.graphql', '  phone: String\n', '  phone: String\n  fax: String\n')
    await schema('publish')
  })
  const versions = async () =>
    JSON.parse((await schema('history', '--json')).text) as Record<string, unknown>[]

  it('is blocked by who uses what it takes away, and by not knowing who does', async () => {
    write('usage.jsonl', usageLine({ name: 'Fax', document: '{ me { fax } }' }))
    const used = await schema('rollback', '1', '--usage', 'usage.jsonl')
    expect(used.code).toBe(1)
    expect(used.text).toContain('FIELD_REMOVED: User.fax was removed')
    expect(used.text).toContain('used by Fax (web 1.2)')
    expect(used.text).toContain('Nothing was changed: --force goes back all the same.')
    expect((await schema('rollback', '1')).text).toContain('nothing is known about who uses it')
    expect(await versions()).toHaveLength(2)
    expect((await schema('fetch')).text).toContain('fax')
  })

  it('records the changes that going back makes, and whether the check passed', async () => {
    write('usage.jsonl', usageLine({ document: '{ me { name } }' }))
    expect(await schema('rollback', '1', '--usage', 'usage.jsonl')).toEqual({
      code: 0,
      text: 'main version 3 is version 1 again (1 changes)',
    })
    expect((await versions()).at(-1)).toMatchObject({
      version: 3,
      rollbackOf: 1,
      checkPassed: true,
      changes: [{ code: 'FIELD_REMOVED', severity: 'breaking', coordinate: 'User.fax' }],
    })
    expect((await schema('history', '3')).text).toBe('breaking  FIELD_REMOVED: User.fax was removed')
  })

  it('goes back by force, and the history keeps that the check failed', async () => {
    expect((await schema('rollback', '1', '--force')).text).toBe(
      'main version 3 is version 1 again (1 changes), by force',
    )
    expect((await versions()).at(-1)).toMatchObject({
      checkPassed: false,
      changes: [{ coordinate: 'User.fax' }],
    })
  })
})

describe('R5: what is not there', () => {
  it.each([
    ['usage', 'User.nmae', 'There is no User.nmae in schema/supergraph.graphql; did you mean User.name'],
    ['usage', 'Usr', 'There is no Usr in schema/supergraph.graphql; did you mean User'],
    ['usage', 'Query.users(frist:)', 'did you mean Query.users(first:)'],
    ['usage', 'Role.ADMN', 'did you mean Role.ADMIN'],
    ['usage', 'UserFilter.nam', 'did you mean UserFilter.name'],
    ['usage', '@trce', 'did you mean @trace'],
    ['usage', 'User.', 'There is no User.'],
    ['history', '--variant mian', 'has no variant mian; did you mean main?'],
    ['history', '7', 'has no version 7: the last one is 1'],
    ['history', 'x', 'N must be a whole number'],
    ['fetch', '7', 'has no version 7: the last one is 1'],
    ['fetch', '--variant mian', 'did you mean main?'],
    ['rollback', '7', 'has no version 7: the last one is 1'],
    ['changelog', '--variant mian', 'did you mean main?'],
    ['check', '--variant mian', 'did you mean main?'],
    ['check', '--base registry@7', 'has no version 7: the last one is 1'],
    ['diff', 'registry@7 registry', 'has no version 7: the last one is 1'],
    ['docs', '--base registry:mian', 'did you mean main?'],
    ['explain', 'FIELD_REMOVD', 'did you mean FIELD_REMOVED?'],
    ['compose', '--contract partnr', 'did you mean partner?'],
    ['chek', '', 'There is no command "chek"; did you mean check?'],
  ])('%s %s', async (command, words, message) => {
    write('schema/contracts.json', JSON.stringify({ contracts: { partner: { exclude: ['internal'] } } }))
    await schema('compose')
    await schema('publish')
    write('usage.jsonl', usageLine({}))
    const usage = command === 'usage' ? ['--usage', 'usage.jsonl'] : []
    const { code, text } = await schema(command, ...words.split(' ').filter(Boolean), ...usage)
    expect([code, text]).toEqual([2, expect.stringContaining(message) as string])
  })

  it('is found beside it', async () => {
    await schema('compose')
    write('usage.jsonl', usageLine({}))
    for (const coordinate of [
      'User',
      'User.phone',
      'Query.users(first:)',
      'Role.ADMIN',
      'UserFilter.name',
      '@trace',
      '@trace(label:)',
      'Int',
      '@skip',
      '@skip(if:)',
    ])
      expect([coordinate, (await schema('usage', coordinate, '--usage', 'usage.jsonl')).code]).toEqual([
        coordinate,
        0,
      ])
  })

  it('a change is named by its hash', async () => {
    await schema('compose', '--out', 'base.graphql')
    removePhone()
    const { text } = await schema('check', '--base', 'base.graphql')
    const hash = /change ([0-9a-f]{16})/.exec(text)?.[1] ?? ''
    const typed = `${hash.slice(0, -1)}z`
    expect(
      await schema(
        'approve',
        typed,
        '--base',
        'base.graphql',
        '--reason',
        'x',
        '--until',
        '2026-12-31',
        '--by',
        'A',
      ),
    ).toEqual({ code: 2, text: `No change has the hash ${typed}; did you mean ${hash}?` })
  })
})

describe('usage', () => {
  it('lists who uses a field, a type, an argument and a value', async () => {
    await schema('compose')
    write(
      'usage.jsonl',
      usageLine({}) +
        usageLine({
          hash: 'h2',
          name: 'Find',
          document: 'query ($f: UserFilter) { users(first: 1, filter: $f, role: ADMIN) { name } }',
        }),
    )
    const using = async (coordinate: string) =>
      (await schema('usage', coordinate, '--usage', 'usage.jsonl')).text.split(' ')[0]
    expect(await using('User.phone')).toBe('Phone')
    expect(await using('Query.users(first:)')).toBe('Find')
    expect(await using('Role.ADMIN')).toBe('Find')
    expect(await using('UserFilter.ids')).toBe('Find')
    expect(await using('User.email')).toBe('Nobody')
    const lines = (await schema('usage', 'User.name', '--usage', 'usage.jsonl', '--json')).text
    write('again.jsonl', lines)
    expect((await schema('usage', 'User.name', '--usage', 'again.jsonl')).text).toContain('Find (web 1.2)')
  })

  it('names the line that is wrong', async () => {
    await schema('compose')
    write('usage.jsonl', `${usageLine({})}{"name": "x"}\n`)
    expect(await schema('usage', 'User.phone', '--usage', 'usage.jsonl')).toMatchObject({
      code: 2,
      text: expect.stringContaining('usage.jsonl:2') as string,
    })
  })
})

describe('the command line', () => {
  it.each(commands.map(({ name }) => name))('%s has help', async (name) => {
    const { code, text } = await schema(name, '--help')
    expect(code).toBe(0)
    expect(text).toContain(`schema ${name}`)
  })

  it('explains every code', async () => {
    for (const code of [...Object.keys(rules), ...Object.keys(lintRules)]) {
      expect((await schema('explain', code)).text).toMatch(
        new RegExp(`^${code}: .+\\n\\nWhy: .+\\nWhat to do: .+`),
      )
    }
    expect(await schema('check', '--explain', 'FIELD_REMOVED')).toMatchObject({ code: 0 })
    expect((await schema('explain', 'toString')).code).toBe(2)
  })

  it('ends with 2 when it cannot run', async () => {
    for (const args of [
      ['nothing'],
      ['compose', '--nothing'],
      ['diff', 'a'],
      ['check', '--days', 'x'],
      ['check', '--format', 'x'],
      ['compose', '--schema', 'nowhere'],
      ['compose', '--subgraph', 'x'],
      ['check', '--usage', 'nowhere'],
    ]) {
      expect([args, (await schema(...args)).code]).toEqual([args, 2])
    }
  })
})
