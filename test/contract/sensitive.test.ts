import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  concatAST,
  getNamedType,
  isInputObjectType,
  isObjectType,
  isScalarType,
  Kind,
  parse,
  Source,
  type GraphQLInputType,
} from 'graphql'
import { Client } from 'pg'
import { readDeclarations } from '../../kernel/access/access'
import { openDatabase, type Database } from '../../kernel/connection/database'
import type { SubgraphContext } from '../../kernel/context'
import { DataKey, keyBytes } from '../../kernel/encryption/cipher'
import { uuidv7 } from '../../kernel/id'
import { createLogger } from '../../kernel/process/log'
import { projectRoot } from '../../kernel/process/project-root'
import { entityModels, type EntityModel } from '../../kernel/schema/entity-model'
import { markings } from '../../kernel/schema/derived-forms'
import { readSdl } from '../../kernel/schema/sdl'
import { buildSchema } from '../../kernel/schema/subgraph-schema'
import { sensitiveClasses, type SensitiveClassName } from '../../kernel/sensitive/classes'
import { sensitiveFaults, sensitiveFields } from '../../kernel/sensitive/marks'
import { auditedValues, maskOf } from '../../kernel/writing/audit'
import { subgraphs } from '../../subgraphs'
import { freshDatabase, type TestDatabase } from '../support/postgres'

/**
 * What `@sensitive` says of a field drives everything else, so this walks all fields: those that hold personal data have
 * a class, and none of a class lacks a part.
 */
let testDatabase: TestDatabase
let owner: Client
const opened: Database[] = []
const models = new Map<string, EntityModel>()

beforeAll(async () => {
  testDatabase = await freshDatabase()
  owner = new Client({ connectionString: testDatabase.migratorUrl })
  await owner.connect()
  for (const definition of subgraphs) {
    const entities = [...definition.entities] as Parameters<typeof openDatabase>[0]['entities']
    const url = testDatabase.urlFor(definition.name)
    const database = await openDatabase({ url, entities, connections: 2, applicationName: 'sensitive' })
    opened.push(database)
    await buildSchema(definition, database, {})
    for (const model of entityModels(database.dataSource).values()) models.set(model.name, model)
  }
})
afterAll(async () => {
  await Promise.all(opened.map((database) => database.close()))
  await owner?.end()
  await testDatabase?.drop()
})

const marked = subgraphs.flatMap(({ sensitive }) =>
  [...sensitive].flatMap(([type, fields]) => [...fields].map(([field, name]) => ({ type, field, name }))),
)

/** Names that personal data goes by (DOMAIN: e-mail, phone, names, addresses, IP addresses, salary, secrets, free JSON). */
const personal =
  /^(email|phone|firstName|lastName|fullName|username|ipAddress|userAgent|avatarUrl|.*address.*|salary|performanceScore|retentionRisk|.*[sS]ecret|.*[pP]assword.*|content|preferences|birthDate|ssn|taxId)$/i
/** Names that match and are nobody's data, and why. */
const nobodys: Readonly<Record<string, string>> = {}

test('C1 every field that holds personal data has a class', () => {
  const found = subgraphs.flatMap(({ entities, typeDefs, sensitive }) =>
    [...readDeclarations(typeDefs).types.values()]
      .filter(({ name }) => entities.some((entity) => entity.name === name))
      .flatMap(({ name, fields }) =>
        [...fields.values()]
          .filter(({ field, returns }) => personal.test(field) && returns !== 'Boolean')
          .filter(({ field }) => !sensitive.get(name)?.has(field))
          .map(({ field }) => `${name}.${field}`),
      ),
  )
  expect(found.filter((field) => !(field in nobodys))).toEqual([])
  expect(Object.keys(nobodys).filter((field) => !found.includes(field))).toEqual([])
  expect(marked.map(({ type, field, name }) => `${type}.${field} ${name}`).sort()).toEqual([
    'AttendanceRecord.correctionReason HEALTH',
    'AttendanceRecord.decisionNote PERSONAL',
    'AuditLog.changes TRAIL',
    'AuditLog.ipAddress TRAIL',
    'AuditLog.userAgent TRAIL',
    'BehaviorPattern.description PERSONAL',
    'BehaviorPattern.metadata PERSONAL',
    'CommissionSimulation.commission PAY',
    'ComplianceDecision.rationale IDENTITY_DOCUMENT',
    'ComplianceRecord.data IDENTITY_DOCUMENT',
    'ComplianceRecord.metadata IDENTITY_DOCUMENT',
    'ComplianceRecord.subjectBirthDate IDENTITY_DOCUMENT',
    'ComplianceRecord.subjectName IDENTITY_DOCUMENT',
    'Customer.email PERSONAL',
    'Customer.firstName PERSONAL',
    'Customer.fullName PERSONAL',
    'Customer.lastName PERSONAL',
    'Customer.metadata PERSONAL',
    'CustomerInteraction.content PERSONAL',
    'CustomerInteraction.metadata PERSONAL',
    'DataSubjectRequest.extensionReason PERSONAL',
    'DataSubjectRequest.legalGround PERSONAL',
    'DataSubjectRequest.outcome PERSONAL',
    'DataSubjectRequest.requesterEmail CONTACT',
    'DataSubjectRequest.verification PERSONAL',
    'Employee.firstName NAME',
    'Employee.fullName NAME',
    'Employee.lastName NAME',
    'Employee.performanceScore ASSESSMENT',
    'Employee.retentionRisk ASSESSMENT',
    'Employee.salary PAY',
    'LeaveRequest.decisionNote PERSONAL',
    'LeaveRequest.reason HEALTH',
    'OvertimeRecord.decisionNote PERSONAL',
    'OvertimeRecord.reason PERSONAL',
    'RemoteWorkSession.decisionNote PERSONAL',
    'RemoteWorkSession.note PERSONAL',
    'RemoteWorkSession.place PERSONAL',
    'SalesPerformance.commission PAY',
    'SalesPerformance.transaction PAY',
    'SalesPerformanceLine.base PAY',
    'SalesPerformanceLine.commission PAY',
    'SalesPerformanceLine.flatAmount PAY',
    'SalesPerformanceLine.rate PAY',
    'ScreeningMatch.comment IDENTITY_DOCUMENT',
    'ScreeningMatch.listedName IDENTITY_DOCUMENT',
    'SecurityAlert.destinationIp PERSONAL',
    'SecurityAlert.sourceIp PERSONAL',
    'Session.deviceLabel PERSONAL',
    'Session.ipAddress PERSONAL',
    'Session.userAgent PERSONAL',
    'SupportTicket.customerEmail TICKET',
    'SupportTicket.description TICKET',
    'SupportTicket.subject TICKET',
    'TicketMessage.body TICKET',
    'User.avatarUrl NAME',
    'User.email NAME',
    'User.firstName NAME',
    'User.fullName NAME',
    'User.lastName NAME',
    'User.phone CONTACT',
    'User.preferences PERSONAL',
    'User.username NAME',
  ])
})

test('C1 no value of a class is shown by the audit trail, but for those that an auditor must see', () => {
  const unstored = marked.filter(({ type }) => !models.has(type)).map(({ type }) => type)
  // What is reckoned for an answer, and stands in no table.
  expect(unstored).toEqual(['CommissionSimulation'])
  const stored = marked.filter(({ type }) => models.has(type))
  const shown = stored.flatMap(({ type, field }) =>
    (models.get(type)!.fields.get(field) ?? [])
      // Row rules of the field read along who it is about.
      .filter((property) => !['id', 'userId', 'approverId', 'managerId', 'isMedical'].includes(property))
      .filter((property) => !models.get(type)!.masked.has(property))
      .map((property) => `${type}.${property}`),
  )
  expect(shown).toEqual(['User.username'])
})

test('C1 columns that no field shows and that can hold a secret are not shown by the audit trail', () => {
  const hidden = [...models.values()].flatMap((model) => {
    const fields = new Set([...model.fields.values()].flat())
    return [...model.masked]
      .filter((property) => !fields.has(property))
      .map((property) => `${model.name}.${property}`)
  })
  expect(hidden.sort()).toEqual([
    'ApiKey.previousHash',
    'ApiKey.secretHash',
    'AuditLog.requestId',
    'BehaviorPattern.dismissReason',
    'ComplianceRecord.digestKey',
    'Credential.publicKey',
    'DataSubjectRequest.exportHash',
    'DunningPolicy.currency',
    'DunningPolicy.levels',
    'Forecast.factorsChecksum',
    'LeaveRequest.parts',
    'MfaDevice.codeHashes',
    'MfaDevice.secret',
    'PendingLine.description',
    'PendingLine.taxReason',
    'PendingLine.taxTreatment',
    'RefreshToken.secretHash',
    'SalesPerformance.linesChecksum',
    'ScreeningMatch.comparedDigest',
    'Session.provedBy',
    'TaxProfile.reason',
    'TaxProfile.taxId',
    'TaxProfile.treatment',
    'User.invitationHash',
    'User.mfaSecret',
    'User.passwordHash',
    'User.phoneIndex',
  ])
})

test('6 the mask of a value tells of no other row, whatever the property', async () => {
  const keys = [new DataKey(uuidv7(), randomBytes(keyBytes))]
  const services = { dataKeys: { ofTenant: () => Promise.resolve(keys) } }
  const context = { db: {}, binding: { tenantId: uuidv7() }, services }
  const mask = await maskOf(context as unknown as SubgraphContext)
  const properties = [...models.values()].flatMap((model) =>
    [...model.masked].map((property) => ({ model, property })),
  )
  expect(properties.length).toBeGreaterThan(marked.length / 2)
  const marks = new Set<string>()
  for (const { model, property } of properties) {
    const [id, own] = [uuidv7(), uuidv7()]
    const markOf = (row: string) =>
      auditedValues(model, row, { [property]: '81234.00' }, [property], mask)[property]
    const [first, mine] = [markOf(id), markOf(own)]
    // The index of an encrypted value is not shown at all.
    if (first === undefined) continue
    expect(first).toMatch(/^\[masked [\w-]{12}\]$/)
    expect(mine).not.toBe(first)
    expect(markOf(id)).toBe(first)
    marks.add(String(first)).add(String(mine))
  }
  // Two for each property but the index: nor do two properties share one.
  expect(marks.size).toBe(2 * (properties.length - 1))
})

test('C8 the audit trail shows what an auditor needs and what is nobody’s secret', () => {
  const { masked } = models.get('User')!
  expect(
    ['grantedPermissions', 'mfaEnabled', 'permissionVersion', 'status'].filter((name) => masked.has(name)),
  ).toEqual([])
  expect(models.get('Customer')!.masked.has('sentimentSum')).toBe(false)
  expect(models.get('ComplianceRecord')!.masked.has('editorIds')).toBe(false)
})

test('C1 no value of a class reaches a log', () => {
  const lines: string[] = []
  const log = createLogger({ logLevel: 'info' }, { write: (line: string) => void lines.push(line) })
  for (const { field } of [...marked, { field: 'mfaSecret' }])
    log.info({ [field]: 's3cret', input: { [field]: 's3cret' }, body: { input: { [field]: 's3cret' } } })
  expect(lines).toHaveLength(marked.length + 1)
  expect(lines.filter((line) => line.includes('s3cret'))).toEqual([])
})

test('C1 every class demands something of every part, and the schema describes it', () => {
  const shared = parse(readFileSync(join(projectRoot, 'schema', 'shared.graphql'), 'utf8'))
  const described = shared.definitions.flatMap((node) =>
    node.kind === Kind.ENUM_TYPE_DEFINITION && node.name.value === 'SensitiveClass'
      ? (node.values ?? []).map(({ name, description }) => [name.value, Boolean(description)])
      : [],
  )
  expect(described).toEqual(Object.keys(sensitiveClasses).map((name) => [name, true]))
  for (const demands of Object.values(sensitiveClasses))
    expect(Object.keys(demands).sort()).toEqual(['access', 'encrypted', 'marks', 'reads', 'retention'])
})

const sharedSource = new Source(
  readFileSync(join(projectRoot, 'schema', 'shared.graphql'), 'utf8'),
  'schema/shared.graphql',
)
const classNames = Object.keys(sensitiveClasses) as SensitiveClassName[]

test('C1 a field that lacks the access rule of its class is refused at start, for every class', () => {
  const faults = classNames.map((name) => {
    const sdl = `
      type Query { open: Thing @public }
      type Thing { value: String @sensitive(class: ${name}) }
      type Guarded @authenticated { value: String @sensitive(class: ${name}) }
      type Own { value: String @sensitive(class: ${name}) @requiresScopes(scopes: [["hr:own:read"]]) }`
    const document = concatAST([parse(sharedSource), parse(sdl)])
    const found = sensitiveFaults(sensitiveFields(document), readDeclarations(document))
    return [name, found.map((fault) => fault.split(' ')[0])]
  })
  const type = ['Thing.value']
  const field = ['Thing.value', 'Guarded.value']
  expect(faults).toEqual(
    classNames.map((name) => [name, sensitiveClasses[name].access === 'type' ? type : field]),
  )
})

test('C1 a mark that would tell a value of a class is refused, for every mark and class', () => {
  for (const name of classNames) {
    const refused = markings.filter((mark) => {
      const given =
        mark === 'filter' || mark === 'order'
          ? '(sameAccess: true)'
          : mark === 'measure'
            ? '(minGroup: 5, scopes: ["hr:summary"])'
            : ''
      const type = mark === 'measure' ? 'Float' : 'String'
      const rule = mark === 'search' || mark === 'group' ? '' : '@requiresScopes(scopes: [["hr:own:read"]])'
      const sdl = `type Thing @authenticated { value: ${type} @sensitive(class: ${name}) @${mark}${given} ${rule} }`
      try {
        readSdl([sharedSource, new Source(sdl, 'thing.graphql')])
        return false
      } catch (error) {
        expect(String(error)).toContain(`thing.graphql:1:`)
        expect(String(error)).toContain(`Thing.value: @${mark} would tell what is ${name}`)
        return true
      }
    })
    const { marks } = sensitiveClasses[name]
    expect([name, refused]).toEqual([
      name,
      markings.filter((mark) => !(marks as readonly string[]).includes(mark)),
    ])
  }
})

test('a class that there is not is refused with those that there are', () => {
  const sdl = 'type Thing @authenticated { value: String @sensitive(class: NONE) }'
  expect(() => readSdl([sharedSource, new Source(sdl, 'thing.graphql')])).toThrow(
    /^thing\.graphql:1:29 Thing\.value: @sensitive names no class: choose one of NAME, PERSONAL, /,
  )
})

describe('C1 payment card numbers are refused at the door', () => {
  /** Every text and JSON that a mutation takes, by its path; secrets, which are never kept, are apart. */
  function texts(type: GraphQLInputType, path: string[], seen: readonly string[]): string[][] {
    const named = getNamedType(type)
    if (isScalarType(named)) return ['String', 'EmailAddress', 'JSON'].includes(named.name) ? [path] : []
    if (!isInputObjectType(named) || seen.includes(named.name)) return []
    return Object.values(named.getFields()).flatMap((field) =>
      texts(field.type, [...path, field.name], [...seen, named.name]),
    )
  }

  /**
   * What mutations say of a value at each of their texts and JSON, by mutation and path; "resolved" where they say nothing.
   * @param sampleOf gives a value of a scalar; undefined: its places are left out
   */
  async function answers(sampleOf: (scalar: string) => unknown): Promise<Map<string, string[]>> {
    const told = new Map<string, string[]>()
    for (const [place, definition] of subgraphs.entries()) {
      const { schema } = await buildSchema(definition, opened[place]!, { guard: (plain) => plain })
      const mutation = schema.getMutationType()
      for (const field of Object.values(mutation?.getFields() ?? {})) {
        for (const path of field.args.flatMap(({ name, type }) => texts(type, [name], []))) {
          let isLeftOut = false
          const inner = (rest: string[], type: GraphQLInputType): unknown => {
            const named = getNamedType(type)
            const isList = String(type).startsWith('[')
            const [head, ...tail] = rest
            const value =
              head === undefined
                ? sampleOf(named.name)
                : {
                    [head]: isInputObjectType(named) ? inner(tail, named.getFields()[head]!.type) : undefined,
                  }
            if (value === undefined) isLeftOut = true
            return isList ? [value] : value
          }
          const [argument, ...rest] = path
          const args = { [argument!]: inner(rest, field.args.find(({ name }) => name === argument)!.type) }
          if (isLeftOut) continue
          // Whatever it does with the rest, it must not get as far as the resolver.
          const answer = await Promise.resolve()
            .then(() => field.resolve!(undefined, args, {} as never, {} as never) as unknown)
            .catch(() => 'resolved')
          const { userErrors } = answer as { userErrors?: { message: string }[] }
          told.set(
            `${field.name} ${path.join('.')}`,
            userErrors?.map(({ message }) => message.replace(/^\S+ /, '')) ?? ['resolved'],
          )
        }
      }
      expect(isObjectType(mutation) || mutation === undefined || mutation === null).toBe(true)
    }
    return told
  }
  const secrets = [
    'acceptInvitation input.password',
    'acceptInvitation input.token',
    'changePassword input.currentPassword',
    'changePassword input.newPassword',
    'completeSignIn input.mfaToken',
    'confirmEmailChange input.token',
    'createUser input.initialPassword',
    'downloadDataSubjectRequest input.token',
    ...['deviceMark', 'email', 'newPassword', 'password'].map((one) => `operatorSignIn input.${one}`),
    'refreshSession input.refreshToken',
    'requestPasswordReset input.email',
    'requestPasswordReset input.tenant',
    'resetPassword input.password',
    'resetPassword input.token',
    ...['deviceMark', 'email', 'password', 'tenant'].map((one) => `signIn input.${one}`),
    'signInPasskeyBegin input.mfaToken',
    'signInPasskeyBegin input.tenant',
    'signInPasskeyFinish input.tenant',
    'stepUp input.password',
    'stopLoneAdministratorReset input.token',
  ]

  test('every mutation answers with a user error that names the field, for all its texts and JSON', async () => {
    const told = await answers((scalar) =>
      scalar === 'JSON'
        ? { note: 'card 4111 1111 1111 1111' }
        : scalar === 'EmailAddress'
          ? '4111111111111111@example.com'
          : '4111-1111-1111-1111',
    )
    expect(told.size).toBeGreaterThan(70)
    const refusal = 'must not hold a payment card number: leave it out'
    const accepted = [...told].filter(([, messages]) => !messages.includes(refusal))
    expect(accepted.map(([place]) => place).sort()).toEqual(secrets)
  })

  test('a text that no column takes is refused for its length, and nothing looks through it (attack 2)', async () => {
    const card = '4111 1111 1111 1111 '
    const told = await answers((scalar) =>
      scalar === 'String'
        ? card.repeat(1001)
        : scalar === 'EmailAddress'
          ? `${card.repeat(1001)}@example.com`
          : undefined,
    )
    const isSecret = ([place]: [string, string[]]) => secrets.includes(place)
    const others = [...told].filter((one) => !isSecret(one))
    expect(others.length).toBeGreaterThan(60)
    expect(new Set(others.flatMap(([, messages]) => messages))).toEqual(
      new Set(['must have at most 20000 characters', 'is not an e-mail address, such as "ada@example.com"']),
    )
    // The longest that a column takes is looked through.
    const longest = await answers((scalar) => (scalar === 'String' ? card.repeat(1000).slice(1) : undefined))
    expect(longest.get('recordInteraction input.content')).toEqual([
      'must not hold a payment card number: leave it out',
    ])
  })
})
