import { decodeCursor } from '../../kernel/reading/cursor'
import { connectionOf } from '../../kernel/reading/connection'

const ids = [1, 2, 3].map((n) => `00000000-0000-7000-8000-00000000000${n}`)
const rows = ids.map((id, place) => ({ id, name: place === 1 ? null : `n${place}` }))
const order = { name: 'name ASC', keys: [{ column: { property: 'name', nullable: true } }] }
const forwards = { size: 2, backward: false, position: null, order }

it('shows a page, says that more follow, and gives each row its cursor', () => {
  const page = connectionOf(forwards, rows, 3)
  expect(page.nodes).toEqual(rows.slice(0, 2))
  expect(page.edges.map(({ node }) => node)).toEqual(rows.slice(0, 2))
  const positions = page.edges.map(({ cursor }) => decodeCursor(order, cursor, 'after'))
  expect(positions).toEqual([
    { keys: ['n0'], id: ids[0] },
    { keys: [null], id: ids[1] },
  ])
  expect(page.pageInfo).toEqual({
    hasNextPage: true,
    hasPreviousPage: false,
    startCursor: page.edges[0]!.cursor,
    endCursor: page.edges[1]!.cursor,
  })
  expect(page.totalCount).toBe(3)
})

it('has no cursors without rows', () => {
  const page = connectionOf({ ...forwards, position: { keys: ['n9'], id: ids[0]! } }, [], null)
  expect(page.edges).toEqual([])
  expect(page.nodes).toEqual([])
  expect(page.pageInfo).toEqual({
    hasNextPage: false,
    hasPreviousPage: true,
    startCursor: null,
    endCursor: null,
  })
  expect(page.totalCount).toBeNull()
})

it('Q7 turns a page round that was read backwards, and says that more precede', () => {
  const page = connectionOf({ ...forwards, backward: true }, [...rows].reverse(), null)
  expect(page.nodes).toEqual(rows.slice(1))
  expect(page.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
  expect(decodeCursor(order, page.pageInfo.startCursor!, 'before')).toEqual({ keys: [null], id: ids[1] })
})
