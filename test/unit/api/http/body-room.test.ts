import { expect, it } from 'vitest'
import { BodyRoom } from '../../../../src/api/http/body-room.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

it('admits bodies while there is room, then one after the other in their order', async () => {
  const room = new BodyRoom(100)
  const admitted: string[] = []
  const enter = async (name: string, bytes: number) => {
    const leave = await room.acquire(bytes)
    admitted.push(name)
    return leave
  }
  const first = await enter('first', 60)
  const second = await enter('second', 40)
  const third = enter('third', 50)
  // It would fit before the third, which would then wait for ever while small ones come.
  const fourth = enter('fourth', 1)
  second()
  await turn()
  expect(admitted).toEqual(['first', 'second'])
  first()
  await turn()
  expect(admitted).toEqual(['first', 'second', 'third', 'fourth'])
  ;(await third)()
  ;(await fourth)()
  await enter('all', 100)
  expect(admitted).toHaveLength(5)
})

it('gives all of it to a body that is larger', async () => {
  const room = new BodyRoom(100)
  const leave = await room.acquire(1000)
  let entered = false
  void room.acquire(1).then(() => {
    entered = true
  })
  await turn()
  expect(entered).toBe(false)
  leave()
  await turn()
  expect(entered).toBe(true)
})
