import { dayNumber, instantOf, wallTime } from './time'

const two = (value: number) => String(value).padStart(2, '0')

/** "2026-08-04T13:05" as the clock on the wall shows it, for a datetime-local field. */
export function toField(instant: number, zone: string): string {
  const { year, month, day, hour, minute } = wallTime(instant, zone)
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`
}

/** The instant, in ms, that a datetime-local field means in the zone; null while it is not filled in. */
export function fromField(text: string, zone: string): number | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)/.exec(text)
  if (!match) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match.slice(1).map(Number)
  return instantOf(Date.UTC(year, month - 1, day) / 86_400_000, hour * 60 + minute, zone)
}

/** "07:00" today (0) or tomorrow (1) in the zone. */
export function onDay(clock: string, ahead: number, now: number, zone: string): number | null {
  const match = /^(\d\d):(\d\d)/.exec(clock)
  if (!match) return null
  return instantOf(dayNumber(now, zone) + ahead, Number(match[1]) * 60 + Number(match[2]), zone)
}

/** As the API writes instants. */
export const iso = (instant: number): string => new Date(instant).toISOString().replace('.000', '')
