import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, property, string } from 'fast-check'
import {
  comparedWords,
  scoreOf,
  similarityOfNames,
  similarityOfWords,
} from '../../subgraphs/compliance/rules/names'
import { fileList, leastScore } from '../../subgraphs/compliance/screening/file-list'
import { inTime } from '../../subgraphs/compliance/screening/provider'

const never = new AbortController().signal

test('words are compared without accents, case and punctuation', () => {
  expect(comparedWords("  Zoë Müller-Lindqvist, O'Brien STRAẞE ")).toEqual([
    ...['zoe', 'muller', 'lindqvist', 'obrien', 'strasse'],
  ])
  expect(comparedWords('山田 太郎')).toEqual(['山田', '太郎'])
})

test.each([
  // The examples of Winkler's paper.
  ['martha', 'marhta', 0.961],
  ['dwayne', 'duane', 0.84],
  ['dixon', 'dicksonx', 0.813],
  ['abc', 'xyz', 0],
])('%s and %s are alike to %s', (one, other, similarity) => {
  expect(similarityOfWords(one, other)).toBeCloseTo(similarity, 3)
})

test('a name is like itself in any order of its words, and likeness has no direction', () => {
  assert(
    property(string({ unit: 'grapheme', maxLength: 30 }), string({ maxLength: 30 }), (one, other) => {
      const [a, b] = [comparedWords(one), comparedWords(other)]
      if (a.length > 0) expect(similarityOfNames(a, [...a].reverse())).toBe(100)
      const score = similarityOfNames(a, b)
      expect(score).toBeGreaterThanOrEqual(0)
      expect(score).toBeLessThanOrEqual(100)
    }),
  )
})

const drozdov = { names: ['Viktor Anatolevich Drozdov', 'Viktor Drozdov'], birthDates: ['1964-03-17'] }
test.each([
  ['Drozdov, Viktor', null, true],
  ['VIKTOR DROSDOV', '1964-01-01', true],
  ['Victor Drozdow', '1965-12-31', true],
  // Another year: less alike, and not listed.
  ['Viktor Drozdov', '1990-01-01', false],
  ['Igor Petrov', null, false],
  ['Viktor Dumont', null, false],
  ['Viktor', null, false],
  ['Anna Keller', '1964-03-17', false],
])('%s, born %s: a potential match is %s', (name, birthDate, isMatch) => {
  expect(scoreOf({ name, birthDate }, drozdov) >= leastScore).toBe(isMatch)
})

test('no answer is an error, never nobody: too late, stopped or failed', async () => {
  const silent = () => new Promise<never>(() => undefined)
  await expect(inTime(silent, 5, never)).rejects.toThrow('The screening did not answer within 5 ms')
  await expect(inTime(silent, 60_000, AbortSignal.timeout(5))).rejects.toThrow('The screening was stopped')
  await expect(inTime(() => Promise.reject(new Error('503')), 60_000, never)).rejects.toThrow('503')
  expect(await inTime(() => Promise.resolve('found'), 60_000, never)).toBe('found')
})

describe('a list in a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'list-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'list.json')
  const write = (value: unknown) => writeFileSync(file, JSON.stringify(value))
  const entries = [{ id: '1', names: ['Viktor Drozdov'] }]

  test('answers hits with their version, the best first, and is read anew when it was changed', async () => {
    write({ name: 'L', version: '1', entries: [{ id: '2', names: ['Viktor Drosdow'] }, ...entries] })
    const list = fileList(file)
    const found = await list.screen({ name: 'Viktor Drozdov', birthDate: null }, never)
    expect(found.listVersion).toBe('L 1')
    expect(found.hits.map(({ entryId, listedName, score }) => [entryId, listedName, score])).toEqual([
      ['1', 'Viktor Drozdov', 100],
      ['2', 'Viktor Drosdow', 93],
    ])
    expect((await list.screen({ name: 'Ada Lovelace', birthDate: null }, never)).hits).toEqual([])
    write({ name: 'L', version: '22', entries })
    expect(await list.listVersion(never)).toBe('L 22')
  })

  test.each([
    ['is missing', null, /ENOENT/],
    ['is no JSON', '{', /JSON/],
    ['has no version', { name: 'L', entries }, 'needs a name and a version'],
    ['is empty', { name: 'L', version: '1', entries: [] }, 'has no entries'],
    [
      'has an entry without names',
      { name: 'L', version: '1', entries: [{ id: '1', names: [] }] },
      'at place 1',
    ],
    [
      'has a day without a year',
      { name: 'L', version: '1', entries: [{ id: '1', names: ['A'], birthDates: ['May'] }] },
      'day of birth without a year',
    ],
  ])('that %s clears nobody', async (_, content, message) => {
    rmSync(file, { force: true })
    if (content !== null) writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
    await expect(fileList(file).screen({ name: 'Ada', birthDate: null }, never)).rejects.toThrow(message)
  })
})
