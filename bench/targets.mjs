import { isDeepStrictEqual } from 'node:util'
import { distinct, large, small } from './federation/operations.mjs'
import { answerOf } from './measure/load.mjs'

const hasErrors = Buffer.from('"errors":')

/** Returns what one candidate is asked in a workload of the product's graph. */
export function productTarget(workload, candidate, server, authorization, places) {
  const asks = candidate === 'postgraphile' ? { ...workload, ...workload.postgraphile } : workload
  let made = 0
  const bodyOf = (index) =>
    JSON.stringify({
      query: asks.query,
      operationName: asks.operationName,
      variables: asks.variables(index, places),
    })
  const fixed = workload.changes ? null : bodyOf(0)
  return target(candidate, server, (index) => ({
    // What is made must be new, whoever makes it and in whichever round.
    body: fixed ?? bodyOf(`${candidate}-${made++}`),
    headers: { authorization: authorization(index) },
  }))
}

/** Returns what one gateway is asked in a workload of federation alone. */
export function federationTarget(workload, candidate, server) {
  const query = workload.isSmall ? small : large
  const fixed = JSON.stringify({ query })
  let next = 0
  return target(candidate, server, (index) => ({
    body: workload.isDistinct ? JSON.stringify({ query: distinct(next++) }) : fixed,
    headers: { authorization: `Bearer ${process.pid}-${index}` },
  }))
}

function target(candidate, server, request) {
  const state = { length: null }
  return {
    candidate,
    url: server.at,
    request,
    /** All answers to one question have one length; where questions differ, no errors must do. */
    accepts: (text) => (state.length === null ? !text.includes(hasErrors) : text.length === state.length),
    expectLength: (length) => (state.length = length),
  }
}

/** Instants are written in two ways, members stand in any order; nothing else may differ. */
function comparable(value, key) {
  if (Array.isArray(value)) return value.map((one) => comparable(one))
  if (value && typeof value === 'object')
    return Object.fromEntries(
      Object.keys(value)
        .toSorted()
        .map((name) => [name, comparable(value[name], name)]),
    )
  if (key?.endsWith('At') && typeof value === 'string') return new Date(value).toISOString()
  // What a mutation makes differs by design.
  return key === 'externalId' ? 'any' : value
}

/**
 * Asks every candidate once and throws unless all answers say the same.
 * @returns the size of an answer in bytes by candidate
 */
export async function compareAnswers(workload, targets) {
  const sizes = {}
  let first
  for (const one of targets) {
    let text = await answerOf(one, 0)
    // After a rest the first request may meet a connection that its other end has just given up.
    for (let again = 0; again < 2 && JSON.parse(text).errors; again++) text = await answerOf(one, 0)
    const { data, errors } = JSON.parse(text)
    if (errors)
      throw new Error(`${one.candidate} answers ${workload.name} with errors: ${text.slice(0, 800)}`)
    const answer = comparable(data)
    first ??= { answer, text, candidate: one.candidate }
    if (!isDeepStrictEqual(answer, first.answer))
      throw new Error(
        `${one.candidate} and ${first.candidate} answer ${workload.name} differently:\n` +
          difference(first.answer, answer).slice(0, 800),
      )
    sizes[one.candidate] = Buffer.byteLength(text)
    if (!workload.changes && !workload.isDistinct) one.expectLength(sizes[one.candidate])
  }
  return sizes
}

function difference(one, other, path = 'data') {
  if (isDeepStrictEqual(one, other)) return ''
  if (one && other && typeof one === 'object' && typeof other === 'object') {
    const keys = new Set([...Object.keys(one), ...Object.keys(other)])
    return [...keys].map((key) => difference(one[key], other[key], `${path}.${key}`)).join('')
  }
  return `${path}: ${JSON.stringify(one)} and ${JSON.stringify(other)}\n`
}
