import { describe, expect, it } from 'vitest'
import type { Day, Window } from './api/types'
import { occurrences, stretchesOn } from './hours'
import { instantOf, wallTime } from './time'

const LONDON = 'Europe/London'
const WORKDAYS: Day[] = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday']
const night: Window = { days: WORKDAYS, start: '22:00', end: '07:30' }

describe('stretchesOn', () => {
  it('carries a night window into the next day', () => {
    expect(stretchesOn([night], 0)).toEqual([{ start: 1320, end: 1440 }])
    expect(stretchesOn([night], 1)).toEqual([
      { start: 0, end: 450 },
      { start: 1320, end: 1440 },
    ])
    expect(stretchesOn([night], 5)).toEqual([{ start: 0, end: 450 }])
    expect(stretchesOn([night], 6)).toEqual([])
  })

  it('wraps from Sunday into Monday', () => {
    expect(stretchesOn([{ days: ['sunday'], start: '22:00', end: '06:00' }], 0)).toEqual([
      { start: 0, end: 360 },
    ])
  })

  it('joins windows that touch', () => {
    const early: Window = { days: ['monday'], start: '00:00', end: '08:00' }
    const late: Window = { days: ['monday'], start: '08:00', end: '24:00' }
    expect(stretchesOn([late, early], 0)).toEqual([{ start: 0, end: 1440 }])
  })
})

describe('occurrences', () => {
  const peaks: Window[] = [{ days: WORKDAYS, start: '16:00', end: '22:00' }]

  it('finds London peaks in summer and in winter', () => {
    const on = (from: string, to: string) =>
      occurrences(peaks, Date.parse(from), Date.parse(to), LONDON).map((o) =>
        [o.from, o.to].map((at) => new Date(at).toISOString().slice(11, 16)).join('–'),
      )
    expect(on('2026-08-04T00:00:00Z', '2026-08-05T00:00:00Z')).toEqual(['15:00–21:00'])
    expect(on('2026-12-01T00:00:00Z', '2026-12-02T00:00:00Z')).toEqual(['16:00–22:00'])
    expect(on('2026-08-08T00:00:00Z', '2026-08-09T00:00:00Z')).toEqual([])
    expect(on('2026-08-04T18:00:00Z', '2026-08-05T15:30:00Z')).toEqual([
      '18:00–21:00',
      '15:00–15:30',
    ])
  })

  it('knows the wall clock on the days the clocks change', () => {
    const sunday = Date.UTC(2026, 9, 25) / 86_400_000
    expect(new Date(instantOf(sunday, 3 * 60, LONDON)).toISOString()).toBe(
      '2026-10-25T03:00:00.000Z',
    )
    expect(new Date(instantOf(sunday, 0, LONDON)).toISOString()).toBe('2026-10-24T23:00:00.000Z')
    expect(wallTime(Date.parse('2026-03-29T01:00:00Z'), LONDON)).toMatchObject({ hour: 2 })
  })
})
