import { describe, expect, it } from 'vitest'
import type { Day, Window } from './api/types'
import { DAYS } from './hours'
import {
  addedTo,
  alike,
  barsOf,
  clockOf,
  copyDay,
  inPeaks,
  merge,
  moved,
  movedToDay,
  piecesOn,
  runs,
  snap,
  windowsOf,
  withEnd,
  withStart,
  withTimes,
  type Bar,
} from './week'

const WORKDAYS = DAYS.slice(0, 5)
const WEEKEND = DAYS.slice(5)
const PRESET: Window[] = [
  { days: DAYS, start: '22:00', end: '07:30' },
  { days: WEEKEND, start: '00:00', end: '24:00' },
]
const PEAKS: Window[] = [
  { days: WORKDAYS, start: '08:00', end: '11:00' },
  { days: WORKDAYS, start: '16:00', end: '22:00' },
]
const bar = (day: number, hours: number, length: number, id = 1): Bar => ({
  id,
  at: day * 1440 + hours * 60,
  length: length * 60,
})
const hours = (days: Day[], start: string, end: string): Window => ({ days, start, end })

describe('merge', () => {
  it('joins what overlaps or touches, and keeps the bar in hand', () => {
    const joined = merge([bar(0, 1, 3, 5), bar(0, 3, 2, 6), bar(0, 5, 1, 7)], 6)
    expect(joined).toEqual([{ id: 6, at: 60, length: 300 }])
  })

  it('joins across midnight and from Sunday into Monday', () => {
    expect(merge([bar(0, 22, 2, 1), bar(1, 0, 7, 2)])).toEqual([bar(0, 22, 9)])
    expect(merge([bar(6, 22, 2, 1), bar(0, 0, 7, 2)])).toEqual([bar(6, 22, 9)])
  })

  it('cuts what lasts longer than a day at midnights, as the server does', () => {
    expect(windowsOf(barsOf(PRESET))).toEqual([
      hours(['monday'], '00:00', '07:30'),
      hours(['monday', 'tuesday', 'wednesday', 'thursday'], '22:00', '07:30'),
      hours(['friday'], '22:00', '24:00'),
      hours(['saturday', 'sunday'], '00:00', '24:00'),
    ])
  })

  it('never makes a window whose end equals its start, which the server refuses', () => {
    expect(windowsOf([bar(2, 22, 24)])).toEqual([
      hours(['wednesday'], '22:00', '24:00'),
      hours(['thursday'], '00:00', '22:00'),
    ])
    expect(windowsOf([bar(2, 0, 24)])).toEqual([hours(['wednesday'], '00:00', '24:00')])
  })

  it('holds a whole week and no hours at all', () => {
    expect(windowsOf(barsOf([hours(DAYS, '00:00', '24:00')]))).toEqual([
      hours(DAYS, '00:00', '24:00'),
    ])
    expect(windowsOf([])).toEqual([])
  })

  it('gives every bar an id of its own', () => {
    const ids = barsOf(PRESET).map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('dragging', () => {
  const night = bar(1, 22, 9.5)

  it('goes in quarters of an hour', () => {
    expect(snap(22 * 60 + 8)).toBe(22 * 60 + 15)
    expect(moved(night, 22)).toEqual(bar(1, 22.25, 9.5))
    expect(moved(night, 7)).toEqual(night)
  })

  it('keeps a moved bar on its day', () => {
    expect(moved(night, 600)).toEqual(bar(1, 23.75, 9.5))
    expect(moved(night, -6000)).toEqual(bar(1, 0, 9.5))
    expect(movedToDay(bar(6, 1, 1), 7)).toEqual(bar(0, 1, 1))
    expect(movedToDay(bar(0, 1, 1), -1)).toEqual(bar(6, 1, 1))
  })

  it('moves one edge and leaves the other', () => {
    expect(withStart(night, 23 * 60)).toEqual(bar(1, 23, 8.5))
    expect(withStart(night, 0)).toEqual(bar(1, 7.5, 24))
    expect(withEnd(night, 24 * 60)).toEqual(bar(1, 22, 2))
    expect(withEnd(night, 0)).toEqual(bar(1, 22, 0.25))
    expect(withEnd(night, 9999)).toEqual(bar(1, 22, 24))
    expect(withStart(bar(1, 1, 1), 999)).toEqual(bar(1, 1.75, 0.25))
  })
})

describe('withTimes', () => {
  it('takes what is typed to the minute, across midnight and up to it', () => {
    expect(withTimes(bar(3, 1, 1), '23:07', '05:03')).toMatchObject({ length: 356 })
    expect(withTimes(bar(3, 1, 1), '10:00', '00:00')).toEqual(bar(3, 10, 14))
    expect(withTimes(bar(3, 1, 1), '00:00', '00:00')).toEqual(bar(3, 0, 24))
  })

  it('refuses what has no single meaning', () => {
    expect(withTimes(bar(3, 1, 1), '10:00', '10:00')).toBeNull()
    expect(withTimes(bar(3, 1, 1), '', '10:00')).toBeNull()
  })
})

describe('copyDay', () => {
  it('makes the other days look like this one', () => {
    const bars = copyDay([bar(0, 22, 9.5, 1), bar(1, 12, 2, 2)], 1, [0, 2])
    // Tuesday shows the end of Monday's night and its own lunch; Monday loses its evening, so nothing lasts over.
    expect(runs(bars)).toEqual(
      [0, 1, 2].flatMap((day) => [
        { start: day * 1440, end: day * 1440 + 450 },
        { start: day * 1440 + 720, end: day * 1440 + 840 },
      ]),
    )
  })

  it('keeps a night that both days show as one bar', () => {
    const nights = barsOf([hours(DAYS, '22:00', '07:30')])
    expect(copyDay(nights, 3, [0, 1, 2])).toHaveLength(7)
    expect(windowsOf(copyDay(nights, 3, [0, 1, 2]))).toEqual([hours(DAYS, '22:00', '07:30')])
  })
})

describe('addedTo', () => {
  it('finds room, and says when there is none', () => {
    expect(addedTo([], 2)).toEqual(bar(2, 22, 2))
    expect(addedTo([bar(2, 21, 2, 4)], 2)).toEqual(bar(2, 0, 2, 5))
    expect(addedTo(barsOf([hours(DAYS, '00:00', '24:00')]), 2)).toBeNull()
  })
})

describe('piecesOn', () => {
  it('draws a night on both of its days', () => {
    const night = bar(6, 22, 9.5)
    expect(piecesOn([night], 6)).toEqual([
      { bar: night, start: 1320, end: 1440, begins: true, ends: false },
    ])
    expect(piecesOn([night], 0)).toEqual([
      { bar: night, start: 0, end: 450, begins: false, ends: true },
    ])
  })
})

describe('inPeaks', () => {
  const minutes = (windows: Window[]) => inPeaks(barsOf(windows), PEAKS).minutes

  // The same cases hold for minutes_in_peak in chargeamps/schedules/planner/rules.py.
  it('counts as the server does', () => {
    expect(minutes(PRESET)).toBe(0)
    expect(minutes([hours(DAYS, '00:00', '24:00')])).toBe(5 * 9 * 60)
    expect(minutes([hours(WORKDAYS, '15:00', '17:00')])).toBe(300)
    expect(minutes([hours(['sunday'], '22:00', '09:00')])).toBe(60)
    expect(minutes([hours(['friday'], '21:59', '09:00')])).toBe(1)
    expect(minutes([hours(WEEKEND, '08:00', '22:00')])).toBe(0)
    expect(
      minutes([hours(['monday'], '15:00', '17:00'), hours(['monday'], '16:30', '18:00')]),
    ).toBe(120)
  })

  it('says where', () => {
    const { days } = inPeaks(barsOf([hours(['monday', 'tuesday'], '15:00', '17:00')]), PEAKS)
    expect(alike(days)).toEqual([{ days: [0, 1], spans: [{ start: 960, end: 1020 }] }])
  })
})

it('names the midnight at the end 24:00', () => {
  expect([0, 450, 1440, 1890].map(clockOf)).toEqual(['00:00', '07:30', '24:00', '07:30'])
})
