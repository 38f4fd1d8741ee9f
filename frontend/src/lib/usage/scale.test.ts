import { describe, expect, it } from 'vitest'
import { barAt, labelEvery, niceTicks, share } from './scale'

describe('niceTicks', () => {
  it('holds the largest bar under a round number', () => {
    expect(niceTicks(0, 7.4)).toEqual([0, 2.5, 5, 7.5])
    expect(niceTicks(0, 42)).toEqual([0, 20, 40, 60])
    expect(niceTicks(0, 0.3)).toEqual([0, 0.1, 0.2, 0.3])
  })

  it('goes below nothing where energy was sent out', () => {
    const ticks = niceTicks(-3, 9)
    expect(ticks).toContain(0)
    expect(ticks[0]).toBeLessThanOrEqual(-3)
    expect(ticks.at(-1)).toBeGreaterThanOrEqual(9)
  })

  it('is an axis also where there is nothing', () => {
    const ticks = niceTicks(0, 0)
    expect(ticks.length).toBeGreaterThan(1)
    expect(share(0, ticks)).toBe(0)
  })

  it('holds whatever there is, in a few steps', () => {
    for (let high = 0.001; high < 1e7; high *= 1.37) {
      const ticks = niceTicks(0, high)
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(high * 0.999)
      expect(ticks.length).toBeLessThan(6)
    }
  })
})

it('finds the bar under a finger, also at the edges', () => {
  expect([-5, 0, 99, 100, 399, 400, 900].map((x) => barAt(x, 400, 4))).toEqual([
    0, 0, 0, 1, 3, 3, 3,
  ])
})

it('leaves out labels that have no room', () => {
  expect(labelEvery(50, 46)).toBe(1)
  expect(labelEvery(10, 46)).toBe(5)
})
