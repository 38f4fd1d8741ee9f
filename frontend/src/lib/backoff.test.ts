import { expect, it } from 'vitest'
import { backoff } from './backoff'

it('waits longer each time, with jitter, and never longer than half a minute', () => {
  expect(backoff(0, 0)).toBe(250)
  expect(backoff(0, 1)).toBe(500)
  expect(backoff(3, 0.5)).toBe(3000)
  expect(backoff(50, 1)).toBe(30_000)
})
