import type { Day, Window } from './api/types'
import { dayNumber, instantOf, weekday } from './time'

export const DAYS: Day[] = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
]

export function minutesOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number)
  return hours * 60 + minutes
}

/** Minutes past a window's first midnight; an end at or before the start lies on the next day. */
function span(window: Window): { start: number; end: number } {
  const start = minutesOf(window.start)
  const end = minutesOf(window.end)
  return { start, end: end <= start ? end + 1440 : end }
}

/** The stretches, in minutes past midnight, that the windows cover on one weekday (0 = Monday). */
export function stretchesOn(windows: Window[], day: number): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = []
  for (const window of windows) {
    const { start, end } = span(window)
    for (const name of window.days) {
      const shift = ((((DAYS.indexOf(name) - day) % 7) + 7) % 7) * 1440
      // The window may begin on this day, or have begun on the day before.
      for (const offset of [shift, shift - 10_080]) {
        const from = Math.max(0, start + offset)
        const to = Math.min(1440, end + offset)
        if (from < to) found.push({ start: from, end: to })
      }
    }
  }
  found.sort((a, b) => a.start - b.start)
  const merged: typeof found = []
  for (const stretch of found) {
    const last = merged.at(-1)
    if (last && stretch.start <= last.end) last.end = Math.max(last.end, stretch.end)
    else merged.push({ ...stretch })
  }
  return merged
}

/** The instants, in ms, at which the windows begin and end within [from, to). */
export function occurrences(
  windows: Window[],
  from: number,
  to: number,
  zone: string,
): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = []
  for (let day = dayNumber(from, zone); day <= dayNumber(to, zone); day++) {
    for (const { start, end } of stretchesOn(windows, weekday(day))) {
      const begins = Math.max(from, instantOf(day, start, zone))
      const ends = Math.min(to, instantOf(day, end, zone))
      if (begins < ends) found.push({ from: begins, to: ends })
    }
  }
  return found
}
