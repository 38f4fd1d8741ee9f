/** Wall-clock arithmetic in a named zone, by Intl only. */

const parts = new Map<string, Intl.DateTimeFormat>()

function formatter(zone: string): Intl.DateTimeFormat {
  let found = parts.get(zone)
  if (!found) {
    found = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    parts.set(zone, found)
  }
  return found
}

export interface Wall {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
}

export function wallTime(instant: number, zone: string): Wall {
  const wall = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 }
  for (const { type, value } of formatter(zone).formatToParts(instant)) {
    if (type in wall) wall[type as keyof Wall] = Number(value)
  }
  return wall
}

/** Days since 1970-01-01 of the local date, for comparing days. */
export function dayNumber(instant: number, zone: string): number {
  const wall = wallTime(instant, zone)
  return Date.UTC(wall.year, wall.month - 1, wall.day) / 86_400_000
}

/** 0 = Monday. */
export function weekday(day: number): number {
  return (((day + 3) % 7) + 7) % 7
}

/** The instant at which a wall clock in the zone shows `minutes` past midnight on that day. */
export function instantOf(day: number, minutes: number, zone: string): number {
  const wanted = day * 86_400_000 + minutes * 60_000
  const shown = (instant: number) => {
    const w = wallTime(instant, zone)
    return Date.UTC(w.year, w.month - 1, w.day, w.hour, w.minute, w.second)
  }
  const guess = wanted - (shown(wanted) - wanted)
  return guess - (shown(guess) - wanted)
}
