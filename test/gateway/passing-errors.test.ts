import { httpResponseOf } from '../../gateway/http/http-response'

const error = (code: string, retryAfterSeconds?: number) => ({
  message: code,
  extensions: { code, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) },
})
const headOf = (errors: object[], data?: unknown, status = 200) => {
  const { status: answered, headers } = httpResponseOf(status, new Map(), { errors, data })
  return [answered, headers?.['retry-after']]
}

test.each([
  ['nothing but a full queue', [error('OVERLOADED', 1)], { departments: null }, [503, '1']],
  ['a full queue before the execution', [error('OVERLOADED', 1)], undefined, [503, '1']],
  ['too many attempts', [error('RATE_LIMITED', 60)], null, [429, '60']],
  ['a session that cannot be looked up', [error('SUBGRAPH_UNAVAILABLE')], undefined, [503, undefined]],
  [
    'part of an answer',
    [error('OVERLOADED', 1)],
    { tenant: { name: 'Acme' }, departments: null },
    [200, undefined],
  ],
  [
    'an unavailable subgraph after the execution',
    [error('SUBGRAPH_UNAVAILABLE')],
    { departments: null },
    [200, undefined],
  ],
  [
    'another fault beside it',
    [error('OVERLOADED', 1), error('FORBIDDEN')],
    { departments: null },
    [200, undefined],
  ],
])('L3: HTTP tells when to try again: %s', (_name, errors, data, head) => {
  expect(headOf(errors, data)).toEqual(head)
})

test('other errors keep the status they have', () => {
  expect(headOf([error('BAD_USER_INPUT')], undefined, 400)).toEqual([400, undefined])
})
