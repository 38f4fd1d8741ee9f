import type { Day, Window } from './api/types'
import { DAYS, minutesOf, stretchesOn } from './hours'

/** A week of hours as it is edited: bars on the wall clock, in minutes since Monday 00:00. */
export interface Bar {
  readonly id: number
  /** 0 … 10 079 */
  readonly at: number
  /** 1 … 1440; a bar may last into the next day, and from Sunday into Monday. */
  readonly length: number
}

export interface Span {
  start: number
  end: number
}

export const STEP = 15
export const DAY = 1440
export const WEEK = 7 * DAY

export const dayOf = (bar: Bar): number => Math.floor(bar.at / DAY)
export const startOf = (bar: Bar): number => bar.at % DAY
/** Minutes past the midnight at which its day begins; more than 1440 lies on the next day. */
export const endOf = (bar: Bar): number => startOf(bar) + bar.length

const clamp = (value: number, low: number, high: number) => Math.max(low, Math.min(high, value))
export const snap = (minutes: number): number => Math.round(minutes / STEP) * STEP

/** "22:00"; the midnight at the end of a day is "24:00". */
export function clockOf(minutes: number): string {
  const shown = minutes > DAY ? minutes - DAY : minutes
  return `${String(Math.floor(shown / 60)).padStart(2, '0')}:${String(shown % 60).padStart(2, '0')}`
}

/** Moves a bar within its day: it may last into the next one, but keeps starting on its own. */
export function moved(bar: Bar, by: number): Bar {
  const day = dayOf(bar) * DAY
  return { ...bar, at: day + clamp(snap(startOf(bar) + by), 0, DAY - STEP) }
}

export function movedToDay(bar: Bar, day: number): Bar {
  return { ...bar, at: (((day % 7) + 7) % 7) * DAY + startOf(bar) }
}

/** Puts the start at so many minutes past midnight; the end stays. */
export function withStart(bar: Bar, minutes: number): Bar {
  const end = endOf(bar)
  const start = clamp(snap(minutes), Math.max(0, end - DAY), Math.min(DAY - STEP, end - STEP))
  return { ...bar, at: dayOf(bar) * DAY + start, length: end - start }
}

/** Puts the end at so many minutes past the midnight of the bar's day; the start stays. */
export function withEnd(bar: Bar, minutes: number): Bar {
  return { ...bar, length: clamp(snap(minutes) - startOf(bar), STEP, DAY) }
}

/** Both times as typed, to the minute; null where they are the same but for midnight, which means the whole day. */
export function withTimes(bar: Bar, start: string, end: string): Bar | null {
  if (!start || !end) return null
  const [from, to] = [minutesOf(start), minutesOf(end) % DAY]
  if (from === to && from !== 0) return null
  return { ...bar, at: dayOf(bar) * DAY + from, length: to > from ? to - from : to + DAY - from }
}

/** What the bars cover within one week, sorted, neighbours joined. */
export function runs(bars: readonly { at: number; length: number }[]): Span[] {
  const cut: Span[] = []
  for (const { at, length } of bars) {
    const end = at + length
    cut.push({ start: at, end: Math.min(end, WEEK) })
    if (end > WEEK) cut.push({ start: 0, end: end - WEEK })
  }
  cut.sort((a, b) => a.start - b.start)
  const joined: Span[] = []
  for (const span of cut) {
    const last = joined.at(-1)
    if (last && span.start <= last.end) last.end = Math.max(last.end, span.end)
    else joined.push({ ...span })
  }
  return joined
}

/**
 * The same hours without overlaps, as the server keeps them: a run of at most a day is one bar, a longer one is cut at
 * midnights. A bar keeps the id of one it was made from, `keep` before any other.
 */
export function merge(bars: readonly Bar[], keep = -1): Bar[] {
  const found = runs(bars)
  const [first, last] = [found[0], found.at(-1)]
  if (first && last && found.length > 1 && first.start === 0 && last.end === WEEK) {
    found.shift()
    last.end = WEEK + first.end
  }
  const free = new Set([...bars].sort((a, b) => +(b.id === keep) - +(a.id === keep)))
  let next = Math.max(0, ...bars.map(({ id }) => id)) + 1
  const made: Bar[] = []
  for (const { start, end } of found) {
    const long = end - start > DAY || (end - start === DAY && start % DAY !== 0)
    for (let at = start; at < end;) {
      const until = long ? Math.min(end, (Math.floor(at / DAY) + 1) * DAY) : end
      const origin = [...free].find((bar) => overlap(bar, at, until))
      if (origin) free.delete(origin)
      made.push({ id: origin?.id ?? next++, at: at % WEEK, length: until - at })
      at = until
    }
  }
  return made.sort((a, b) => a.at - b.at)
}

function overlap(bar: Bar, start: number, end: number): boolean {
  return [-WEEK, 0, WEEK].some(
    (shift) => bar.at + shift < end && start < bar.at + shift + bar.length,
  )
}

export function barsOf(windows: readonly Window[]): Bar[] {
  let id = 1
  const bars = windows.flatMap(({ days, start, end }) => {
    const [from, to] = [minutesOf(start), minutesOf(end)]
    const length = to > from ? to - from : to + DAY - from
    return days.map((day) => ({ id: id++, at: DAYS.indexOf(day) * DAY + from, length }))
  })
  return merge(bars)
}

/** The bars as the server takes them, days with equal hours together. */
export function windowsOf(bars: readonly Bar[]): Window[] {
  const grouped = new Map<string, Window>()
  for (const bar of merge(bars)) {
    const [start, end] = [clockOf(startOf(bar)), clockOf(endOf(bar))]
    const window = grouped.get(start + end) ?? { days: [], start, end }
    window.days.push(DAYS[dayOf(bar)] as Day)
    grouped.set(start + end, window)
  }
  return [...grouped.values()]
}

/** Gives `to` the hours that `from` shows, also those that began the evening before. */
export function copyDay(bars: readonly Bar[], from: number, to: readonly number[]): Bar[] {
  const covered = runs(bars)
  const on = (day: number) =>
    covered
      .map(({ start, end }) => ({
        start: Math.max(start, day * DAY),
        end: Math.min(end, (day + 1) * DAY),
      }))
      .filter(({ start, end }) => start < end)
  let id = Math.max(0, ...bars.map((bar) => bar.id)) + 1
  const pieces = DAYS.flatMap((_, day) => {
    const source = to.includes(day) ? from : day
    return on(source).map(({ start, end }) => ({
      id: id++,
      at: start + (day - source) * DAY,
      length: end - start,
    }))
  })
  return merge(pieces)
}

/** The first hour of a day that is still free, preferably at night. */
export function addedTo(bars: readonly Bar[], day: number): Bar | null {
  const covered = runs(bars)
  const free = (start: number, length: number) =>
    covered.every((run) => run.end < start || run.start > start + length)
  const id = Math.max(0, ...bars.map((bar) => bar.id)) + 1
  for (const length of [120, 60, STEP]) {
    for (const first of [22 * 60, 0, 60, 120, 180, 12 * 60, 13 * 60]) {
      const at = day * DAY + first
      if (free(at, length)) return { id, at, length }
    }
    for (let start = 0; start + length <= DAY; start += STEP) {
      if (free(day * DAY + start, length)) return { id, at: day * DAY + start, length }
    }
  }
  return null
}

/** What of a bar is drawn on a day's line, in minutes of that day. */
export interface Piece {
  bar: Bar
  start: number
  end: number
  /** Whether the bar's own start and end are on this line. */
  begins: boolean
  ends: boolean
}

export function piecesOn(bars: readonly Bar[], day: number): Piece[] {
  const found: Piece[] = []
  for (const bar of bars) {
    for (const shift of [0, -WEEK, WEEK]) {
      const from = bar.at + shift - day * DAY
      const to = from + bar.length
      const [start, end] = [Math.max(0, from), Math.min(DAY, to)]
      if (start < end) found.push({ bar, start, end, begins: from >= 0, ends: to <= DAY })
    }
  }
  return found.sort((a, b) => a.start - b.start)
}

/** Where the hours lie in the peaks of an ordinary week, day by day; counted as the server counts. */
export function inPeaks(bars: readonly Bar[], peaks: readonly Window[]) {
  const covered = runs(bars)
  const days = DAYS.map((_, day) =>
    stretchesOn([...peaks], day).flatMap((peak) =>
      covered
        .map((run) => ({
          start: Math.max(run.start - day * DAY, peak.start),
          end: Math.min(run.end - day * DAY, peak.end),
        }))
        .filter(({ start, end }) => start < end),
    ),
  )
  const minutes = days.flat().reduce((sum, { start, end }) => sum + end - start, 0)
  return { minutes, days }
}

/** Days with the same stretches together: [[0, 1, 2], [{16:00–17:00}]] . */
export function alike(days: readonly Span[][]): { days: number[]; spans: Span[] }[] {
  const groups = new Map<string, { days: number[]; spans: Span[] }>()
  days.forEach((spans, day) => {
    if (spans.length === 0) return
    const key = JSON.stringify(spans)
    const group = groups.get(key)
    if (group) group.days.push(day)
    else groups.set(key, { days: [day], spans })
  })
  return [...groups.values()]
}
