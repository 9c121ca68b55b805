import { randomBytes } from 'node:crypto'
import { getNamedType, isCompositeType, isRequiredArgument } from 'graphql'
import { subgraphNames } from '../../kernel/schema/subgraph-names'
import { serveSubgraph } from '../../product/subgraph-server'
import { signViewer, viewerHeader } from '../../kernel/access/viewer-token'
import { leavesOf } from '../documents'
import type { Lab } from '../lab'
import { attacker, stranger } from '../population'
import { contextOf } from './references'

/** Every subgraph as an HTTP server, asked past the gateway with every token that is not the right one. */
export async function attackSubgraphs(lab: Lab): Promise<number> {
  const secret = randomBytes(32).toString('base64')
  const { viewer } = await contextOf(lab, attacker)
  const { clock, log } = lab.server.services
  const request = { requestId: 'isolation', clientIp: null, userAgent: null }
  const at = (milliseconds: number) => ({ now: () => new Date(clock.now().getTime() + milliseconds) })
  let refused = 0
  for (const running of lab.server.subgraphs.values()) {
    const { name } = running
    const server = await serveSubgraph(
      { ...running, close: async () => undefined },
      { port: 0, host: '127.0.0.1', viewerSecret: secret, log, clock },
    )
    try {
      const ask = async (body: string, token: string | undefined) => {
        const headers = {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { [viewerHeader]: token }),
        }
        const response = await fetch(server.url, { method: 'POST', headers, body })
        return { status: response.status, text: await response.text() }
      }
      const other = subgraphNames.find((one) => one !== name)!
      for (const body of bodiesFor(lab, name)) {
        const good = signViewer(secret, name, viewer, body, request, clock)
        const [payload = '', signature = ''] = good.split('.')
        const forged = Buffer.from(
          Buffer.from(payload, 'base64url').toString().replaceAll(attacker.id, stranger.id),
        ).toString('base64url')
        const tokens: Record<string, string | undefined> = {
          none: undefined,
          empty: '',
          garbage: 'x.y',
          'without signature': `${payload}.`,
          'signed with another secret': signViewer(
            randomBytes(32).toString('base64'),
            name,
            viewer,
            body,
            request,
            clock,
          ),
          'for another subgraph': signViewer(secret, other, viewer, body, request, clock),
          'for another body': signViewer(secret, name, viewer, `${body} `, request, clock),
          expired: signViewer(secret, name, viewer, body, request, at(-31_000)),
          'from the future': signViewer(secret, name, viewer, body, request, at(60_000)),
          tampered: `${forged}.${signature}`,
        }
        for (const [what, token] of Object.entries(tokens)) {
          const answer = await ask(body, token)
          refused += 1
          if (answer.status !== 401 || /"data"/.test(answer.text))
            lab.found(
              'viewer token',
              `${name}, token ${what}`,
              `answers ${answer.status} ${answer.text.slice(0, 200)} to ${body.slice(0, 200)}`,
            )
        }
        const answer = await ask(body, good)
        if (answer.status !== 200)
          lab.found('viewer token', name, `refuses the right token: ${answer.text.slice(0, 200)}`)
      }
    } finally {
      await server.close()
    }
  }
  return refused
}

/** `_service`, `_entities` and every root field that a query can name. */
function bodiesFor(lab: Lab, subgraph: string): string[] {
  const { schema } = [...lab.server.subgraphs.values()].find(({ name }) => name === subgraph)!
  const id = lab.rows.id(attacker, 'User')
  const roots = Object.values(schema.getQueryType()?.getFields() ?? {})
    .filter(
      (field) =>
        !field.name.startsWith('_') &&
        field.args.every((one) => !isRequiredArgument(one) || getNamedType(one.type).name === 'ID'),
    )
    .map((field) => {
      const args = field.args.filter(isRequiredArgument).map((one) => `${one.name}: "${id}"`)
      const selection = isCompositeType(getNamedType(field.type)) ? `{ ${leavesOf(field.type)} }` : ''
      return { query: `{ ${field.name}${args.length > 0 ? `(${args.join(', ')})` : ''} ${selection} }` }
    })
  const keys = lab.surface.keys.filter((key) => key.subgraph === subgraph)
  const entities = keys.map(({ type }) => ({
    query: 'query ($r: [_Any!]!) { _entities(representations: $r) { __typename } }',
    variables: { r: [{ __typename: type, id: lab.rows.id(attacker, type) }] },
  }))
  return [{ query: '{ _service { sdl } }' }, ...entities, ...roots].map((body) => JSON.stringify(body))
}
