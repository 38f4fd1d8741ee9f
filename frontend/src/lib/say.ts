import type { Window } from './api/types'
import { duration } from './format'
import { DAYS } from './hours'
import { tp } from './words/pages'
import {
  alike,
  barsOf,
  clockOf,
  DAY,
  dayOf,
  endOf,
  inPeaks,
  piecesOn,
  startOf,
  type Bar,
  type Span,
} from './week'
import { th } from './words/hours'

export const dayName = (day: number) => tp(`day.${DAYS[day] ?? 'monday'}`)
const dayShort = (day: number) => tp(`day-short.${DAYS[day] ?? 'monday'}`)

/** "Monday, 22:00 to 07:30 the next day". */
export function barText(bar: Bar): string {
  return th(endOf(bar) > DAY ? 'editor.bar-next' : 'editor.bar', {
    day: dayName(dayOf(bar)),
    from: clockOf(startOf(bar)),
    to: clockOf(endOf(bar)),
  })
}

/** "Mon to Thu, Sat" */
export function daysText(days: number[]): string {
  const parts: string[] = []
  for (let i = 0; i < days.length;) {
    let end = i
    while (days[end + 1] === (days[end] ?? 0) + 1) end++
    const [first = 0, last = 0] = [days[i], days[end]]
    if (end - i > 1) {
      parts.push(th('editor.days-range', { first: dayShort(first), last: dayShort(last) }))
    } else for (const day of days.slice(i, end + 1)) parts.push(dayShort(day))
    i = end + 1
  }
  return parts.join(', ')
}

const spansText = (spans: Span[]) =>
  spans.map(({ start, end }) => `${clockOf(start)}–${clockOf(end)}`).join(', ')

/** "Mon to Fri 22:00–07:30; Sat 00:00–24:00", by the day on which hours begin. */
export function hoursText(windows: Window[]): string {
  const bars = barsOf(windows)
  const days = DAYS.map((_, day) =>
    piecesOn(bars, day)
      .filter(({ begins }) => begins)
      .map(({ bar }) => ({ start: startOf(bar), end: endOf(bar) })),
  )
  return alike(days)
    .map((group) =>
      th('editor.peak-day', { days: daysText(group.days), spans: spansText(group.spans) }),
    )
    .join('; ')
}

/** The warning about peaks in words, or nothing. */
export function peakText(bars: readonly Bar[], peaks: readonly Window[]): string {
  const { minutes, days } = inPeaks(bars, peaks)
  if (minutes === 0) return ''
  const where = alike(days)
    .map((group) =>
      th('editor.peak-day', { days: daysText(group.days), spans: spansText(group.spans) }),
    )
    .join('; ')
  return th('editor.peak', { duration: duration(minutes * 60), where })
}
