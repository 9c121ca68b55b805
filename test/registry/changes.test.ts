import { parse, type ExecutionResult } from 'graphql'
import { diff } from '../../registry/diff'
import { unchangedTypes } from '../../registry/diff/unchanged'
import { plainlySatisfiable } from '../../registry/composition/satisfiability'
import { readSchema } from '../../registry/schema-model'
import { cases, type Case } from './cases'
import { answer, asked, costOf, duringRollout } from './real'
import { composedShop, editedShop, shop } from './shop'

const { supergraph: shopBefore, model } = composedShop()

function changesOf({ base, edits }: Pick<Case, 'base' | 'edits'>): string[] {
  return diff(composedShop(base).model, composedShop(edits).model).map(
    ({ severity, code, coordinate }) => `${severity} ${code} ${coordinate}`,
  )
}

/** Errors that name nothing of what was changed: an operation that fails for another reason proves nothing. */
function otherErrors({ base, edits }: Case, { errors }: ExecutionResult): string[] {
  const names = diff(composedShop(base).model, composedShop(edits).model).flatMap(
    ({ coordinate, from = '', to = '' }) => `${coordinate} ${from} ${to}`.match(/\w+/g) ?? [],
  )
  return (errors ?? [])
    .map(({ message }) => message)
    .filter((message) => !names.some((name) => new RegExp(`\\b${name}\\b`).test(message)))
}

test('there are at least 80 changes, each with another name', () => {
  expect(cases.length).toBeGreaterThanOrEqual(80)
  expect(new Set(cases.map(({ what }) => what)).size).toBe(cases.length)
})

test('no change is no change', () => {
  expect(changesOf({ edits: [] })).toEqual([])
})

test('a subgraph is added, or answers elsewhere', () => {
  const without = composedShop([['reviews', shop.reviews, '']])
  expect(
    diff(without.model, model).map(({ severity, code, coordinate }) => [severity, code, coordinate]),
  ).toEqual(expect.arrayContaining([['safe', 'SUBGRAPH_ADDED', 'reviews']]))
  const moved = readSchema(parse(shopBefore.replace('http://catalog:4000', 'http://catalog:4001')))
  expect(diff(model, moved).map(({ severity, code, coordinate }) => [severity, code, coordinate])).toEqual([
    ['dangerous', 'SUBGRAPH_URL_CHANGED', 'catalog'],
  ])
})

test('types that both write in the same words are passed over, unless something is hidden', () => {
  const { model: after } = composedShop([['accounts', '  phone: String\n', '']])
  const all = [...model.types.keys()]
  expect([...unchangedTypes(model, after)]).toEqual(all.filter((name) => name !== 'User'))
  const { model: hiding } = composedShop([
    ['accounts', '  phone: String\n', '  phone: String @inaccessible\n'],
  ])
  expect([unchangedTypes(model, hiding).size, unchangedTypes(hiding, hiding).size]).toEqual([0, 0])
})

describe.each(cases)('$what', (change) => {
  const before = () => composedShop(change.base).supergraph
  const after = () => composedShop(change.edits).supergraph

  test('is judged right', () => {
    expect(changesOf(change)).toEqual(change.changes)
  })

  test('is judged the same when no type is passed over as unchanged', () => {
    const [was, is] = [before(), after()].map((text) => readSchema(parse(text, { noLocation: true })))
    expect(diff(was!, is!)).toEqual(diff(composedShop(change.base).model, composedShop(change.edits).model))
  })

  test('is satisfiable, as composition found by searching: proven, unless the case says it cannot be', () => {
    expect(plainlySatisfiable(composedShop(change.edits).model)).toBe(change.unproven !== true)
  })

  if (change.breaks) {
    const request = change.breaks
    test('breaks an operation that worked', async () => {
      expect((await answer(before(), request)).errors).toBeUndefined()
      const now = await answer(after(), request)
      expect(now.data ?? null).toBeNull()
      expect(otherErrors(change, now)).toEqual([])
      expect(now.errors).not.toEqual([])
    })
  }
  if (change.keeps) {
    const request = change.keeps
    test('keeps the answer of an operation', async () => {
      const answered = await answer(before(), request)
      expect(answered.errors).toBeUndefined()
      expect(await answer(after(), request)).toEqual(answered)
    })
  }
  for (const request of change.harms ?? []) {
    test(`breaks or changes ${JSON.stringify(request)}`, async () => {
      const [was, is] = [await answer(before(), request), await answer(after(), request)]
      expect(was.errors).toBeUndefined()
      expect(otherErrors(change, is)).toEqual([])
      expect(is).not.toEqual(was)
    })
  }
  for (const request of change.spares ?? []) {
    test(`keeps ${JSON.stringify(request)}`, async () => {
      const was = await answer(before(), request)
      expect(was.errors).toBeUndefined()
      expect(await answer(after(), request)).toEqual(was)
    })
  }
  if (change.differs) {
    const request = change.differs
    test('changes what an operation answers, without refusing it', async () => {
      const [was, is] = [await answer(before(), request), await answer(after(), request)]
      expect(is.errors).toBeUndefined()
      expect(is.data).not.toEqual(was.data)
    })
  }
  if (change.costs) {
    const { operation, was, is } = change.costs
    test('changes what an operation costs', () => {
      expect([costOf(before(), operation), costOf(after(), operation)]).toEqual([was, is])
    })
  }
  if (change.access) {
    const { subgraph = 'accounts', operation, scopes, was, is } = change.access
    test('changes who may read it, in the subgraph itself', async () => {
      const allowed = async (edits: Case['edits']) => {
        const source = editedShop(edits).find(({ name }) => name === subgraph)
        return !(await asked(source!, operation, scopes)).errors
      }
      expect([await allowed(change.base ?? []), await allowed(change.edits)]).toEqual([was, is])
    })
  }
  if (change.rollout) {
    const { operation, works } = change.rollout
    test('behaves so while gateways still have the previous version', async () => {
      expect((await duringRollout(before(), editedShop(change.base ?? []), operation)).errors).toBeUndefined()
      expect(!(await duringRollout(before(), editedShop(change.edits), operation)).errors).toBe(works)
    })
  }
})
