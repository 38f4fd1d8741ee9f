import type { Cost, Group } from '../api/usage'
import { LOCALE } from '../i18n'

/** Days of a calendar ("2026-03-31") are read as such: no zone can move them. */
const formats = new Map<string, Intl.DateTimeFormat>()
function written(day: string, options: Intl.DateTimeFormatOptions): string {
  const key = JSON.stringify(options)
  let format = formats.get(key)
  if (!format) {
    format = new Intl.DateTimeFormat(LOCALE, { timeZone: 'UTC', ...options })
    formats.set(key, format)
  }
  return format.format(Date.parse(`${day}T00:00:00Z`))
}

const DAY = { weekday: 'short', day: 'numeric', month: 'short' } as const

/** "31 Mar 2026" */
export const dayLabel = (day: string) =>
  written(day, { day: 'numeric', month: 'short', year: 'numeric' })

const isFirst = (day: string) => day.endsWith('-01')
const isLast = (day: string) =>
  new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).getUTCDate() === 1

/** "1 to 31 Mar 2026", "28 Dec 2025 to 3 Jan 2026", "5 Mar 2026". */
export function spanLabel(first: string, last: string): string {
  if (first === last) return dayLabel(first)
  if (first.slice(0, 7) === last.slice(0, 7))
    return `${Number(first.slice(8))} to ${dayLabel(last)}`
  if (first.slice(0, 4) === last.slice(0, 4))
    return `${written(first, { day: 'numeric', month: 'short' })} to ${dayLabel(last)}`
  return `${dayLabel(first)} to ${dayLabel(last)}`
}

/** A group in a table or read out: "Tue 31 Mar", "30 Mar to 5 Apr 2026", "March 2026", "10 to 31 Mar 2026". */
export function groupLabel(group: Group, first: string, last: string): string {
  if (group === 'day') return written(first, DAY)
  if (group === 'month' && isFirst(first) && isLast(last)) return monthLabel(first)
  return spanLabel(first, last)
}

export const monthLabel = (day: string) => written(day, { month: 'long', year: 'numeric' })

/** Under a bar: "31", "30 Mar", "Mar". */
export function tickLabel(group: Group, first: string, crossing: boolean): string {
  if (group === 'month') return written(first, { month: 'short' })
  if (group === 'day' && !crossing) return String(Number(first.slice(8)))
  return written(first, { day: 'numeric', month: 'short' })
}

/** "2:10", hours and minutes as a column reads best; "0:00" is nothing at all. */
export function hoursMinutes(seconds: number): string {
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`
}

/** "2 h 10 min 5 s": a time down to the second. */
export function exactDuration(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  return [h && `${h} h`, (h || m) && `${m} min`, `${s} s`].filter(Boolean).join(' ')
}

/** "£1.23"; of several currencies each. */
export function money(cost: Cost): string {
  try {
    return new Intl.NumberFormat(LOCALE, { style: 'currency', currency: cost.currency }).format(
      Number(cost.amount),
    )
  } catch {
    return `${cost.currency} ${cost.amount}`
  }
}

export const costs = (all: readonly Cost[]) => all.map(money).join(', ')

const UNITS = ['bytes', 'kB', 'MB', 'GB'] as const

/** "48 kB" */
export function size(bytes: number): string {
  const power = Math.min(3, bytes > 0 ? Math.floor(Math.log10(bytes) / 3) : 0)
  const value = bytes / 1000 ** power
  return `${value < 10 && power > 0 ? value.toFixed(1) : Math.round(value)} ${UNITS[power]}`
}
