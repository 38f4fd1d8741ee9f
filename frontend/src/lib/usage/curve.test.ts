import { describe, expect, it } from 'vitest'
import {
  breaks,
  grown,
  moved,
  nearest,
  runs,
  seen,
  thinned,
  timeTicks,
  zoomed,
  type Point,
} from './curve'

const second = (n: number, watts = 7000): Point => [n * 1000, watts]
const hour: Point[] = Array.from({ length: 3600 }, (_, n) => second(n, n === 1800 ? 11_000 : 7000))

const every = (from: number, to: number, step: number) =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, n) => second(from + n * step))

describe('gaps', () => {
  it('end the line where readings are missing, and nothing is filled in', () => {
    const points = [...every(0, 20, 1), ...every(30, 50, 1)]
    const broken = breaks(points)
    expect([...broken]).toEqual([20_000])
    expect(runs(points, broken).map((run) => run.length)).toEqual([21, 21])
    expect(runs([], broken)).toEqual([])
  })

  it('are none where the charger only changes its pace', () => {
    const points = [...every(0, 590, 10), ...every(600, 899, 1), ...every(900, 1500, 10)]
    expect([...breaks(points)]).toEqual([])
    expect([...breaks(every(0, 9000, 300))]).toEqual([])
    expect([...breaks([second(0), ...every(9000, 12_000, 300)])]).toEqual([0])
  })

  it('are all found where several follow each other', () => {
    const points = [...every(0, 9, 1), ...every(20, 21, 1), ...every(40, 60, 1)]
    expect([...breaks(points)]).toEqual([9000, 21_000])
  })
})

describe('thinned', () => {
  it('keeps the one second that stands out', () => {
    const kept = thinned(hour, { from: 0, to: 3_600_000 }, 300)
    expect(kept.length).toBeLessThanOrEqual(1204)
    expect(kept).toContainEqual(second(1800, 11_000))
    expect(kept[0]).toEqual(hour[0])
    expect(kept.at(-1)).toEqual(hour.at(-1))
    expect(kept.every(([ms], i) => i === 0 || ms > (kept[i - 1]?.[0] ?? 0))).toBe(true)
  })

  it('shows every reading where there is room', () => {
    expect(thinned(hour.slice(0, 60), { from: 0, to: 60_000 }, 300)).toHaveLength(60)
  })
})

describe('seen', () => {
  it('takes one neighbour on either side', () => {
    const part = seen(hour, { from: 10_000, to: 20_000 })
    expect([part[0]?.[0], part.at(-1)?.[0]]).toEqual([9000, 21_000])
    expect(seen(hour, { from: -1, to: 1e9 })).toHaveLength(3600)
  })
})

describe('nearest', () => {
  it('finds the reading at a moment, and none within a gap', () => {
    const points = [...every(0, 20, 1), ...every(60, 80, 1)]
    const broken = breaks(points)
    expect(nearest(points, 1400, broken)?.[0]).toBe(1000)
    expect(nearest(points, 20_900, broken)?.[0]).toBe(20_000)
    expect(nearest(points, 40_000, broken)).toBeNull()
    expect(nearest(points, 81_000, broken)?.[0]).toBe(80_000)
    expect(nearest(points, 200_000, broken)).toBeNull()
    expect(nearest([], 0, broken)).toBeNull()
  })
})

describe('the view', () => {
  const whole = { from: 0, to: 100_000 }
  it('keeps the moment under the fingers in its place', () => {
    expect(zoomed(whole, whole, 0.5, 20_000, 1000)).toEqual({ from: 10_000, to: 60_000 })
  })

  it('stays within the whole, and never gets too narrow', () => {
    expect(zoomed({ from: 90_000, to: 100_000 }, whole, 100, 95_000, 1000)).toEqual(whole)
    const least = zoomed(whole, whole, 0.0001, 0, 1000)
    expect(least.to - least.from).toBe(1000)
    expect(moved({ from: 80_000, to: 100_000 }, whole, 50_000)).toEqual({
      from: 80_000,
      to: 100_000,
    })
    expect(moved({ from: 10_000, to: 30_000 }, whole, -50_000)).toEqual({ from: 0, to: 20_000 })
  })
})

describe('timeTicks', () => {
  it('stands at whole steps of the clock on the wall', () => {
    const ticks = timeTicks({ from: 1000, to: 3_600_000 }, 4, 0)
    expect(ticks).toEqual([900_000, 1_800_000, 2_700_000, 3_600_000])
    // A zone of 5 h 45 min: the clock shows whole hours at a quarter past ours.
    const odd = timeTicks({ from: 0, to: 7_200_000 }, 2, 20_700_000)
    expect(odd.map((at) => (at + 20_700_000) % 3_600_000)).toEqual([0, 0])
  })
})

describe('grown', () => {
  it('adds what is new, once, and lets go of the old', () => {
    const some = grown([], second(1), 10_000)
    expect(grown(some, second(1), 10_000)).toBe(some)
    expect(grown(some, second(0), 10_000)).toBe(some)
    const many = grown(hour, second(3600), 600_000)
    expect(many[0]?.[0]).toBe(3_000_000)
    expect(many.at(-1)).toEqual(second(3600))
  })
})
