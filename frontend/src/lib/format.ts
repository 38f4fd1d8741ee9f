import { LOCALE, t } from './i18n'
import { dayNumber, wallTime } from './time'

const cache = new Map<string, Intl.DateTimeFormat>()

function intl(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options)
  let found = cache.get(key)
  if (!found) {
    found = new Intl.DateTimeFormat(LOCALE, { timeZone: zone, hourCycle: 'h23', ...options })
    cache.set(key, found)
  }
  return found
}

const HM = { hour: '2-digit', minute: '2-digit' } as const
const HMS = { ...HM, second: '2-digit' } as const
const WEEKDAY = { weekday: 'short' } as const
const DATE = { weekday: 'short', day: 'numeric', month: 'short' } as const

/**
 * A moment as people say it in the charger's zone: "22:00" today, "tomorrow 07:30", "Fri 22:00" within a week, else
 * with the date. `exact` adds the seconds where there are any, for starts that have been drawn to the second.
 */
export function moment(
  at: string | number,
  now: number,
  zone: string,
  { exact = false } = {},
): string {
  const instant = typeof at === 'number' ? at : Date.parse(at)
  const seconds = exact && wallTime(instant, zone).second !== 0
  const clock = intl(zone, seconds ? HMS : HM).format(instant)
  const days = dayNumber(instant, zone) - dayNumber(now, zone)
  if (days === 0) return clock
  if (days === 1) return t('time.tomorrow', { clock })
  if (days === -1) return t('time.yesterday', { clock })
  const day = intl(zone, Math.abs(days) < 7 ? WEEKDAY : DATE).format(instant)
  return `${day} ${clock}`
}

/** "Tue 4 Aug, 14:05:31" for records that must be exact. */
export function stamp(at: string, zone: string): string {
  return `${intl(zone, DATE).format(Date.parse(at))}, ${intl(zone, HMS).format(Date.parse(at))}`
}

/** "just now", "12 s ago", "5 min ago", "3 h ago", "2 days ago". */
export function age(at: string | number, now: number): string {
  const seconds = Math.floor((now - (typeof at === 'number' ? at : Date.parse(at))) / 1000)
  if (seconds < 5) return t('age.now')
  if (seconds < 60) return t('age.seconds', { n: seconds })
  if (seconds < 3600) return t('age.minutes', { n: Math.floor(seconds / 60) })
  if (seconds < 86_400) return t('age.hours', { n: Math.floor(seconds / 3600) })
  const days = Math.floor(seconds / 86_400)
  return days === 1 ? t('age.day') : t('age.days', { n: days })
}

/** "2 h 10 min", "45 min", "under a minute". */
export function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60)
  if (minutes < 1) return t('duration.short')
  const hours = Math.floor(minutes / 60)
  if (hours === 0) return t('duration.minutes', { m: minutes })
  const m = minutes % 60
  return m === 0 ? t('duration.hours', { h: hours }) : t('duration.both', { h: hours, m })
}

/** "4 min 12 s", "9 s": a wait that people watch. Rounded up, so that it reaches 0 when it is over. */
export function countdown(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds))
  if (left < 60) return t('countdown.seconds', { s: left })
  return t('countdown.both', { m: Math.floor(left / 60), s: left % 60 })
}

/** A wait that must be kept: "in 12 minutes", rounded up so that it is never too short. */
export function wait(seconds: number): string {
  if (seconds < 90) return seconds === 1 ? t('wait.second') : t('wait.seconds', { n: seconds })
  return t('wait.minutes', { n: Math.ceil(seconds / 60) })
}

const figures = [0, 1, 2].map(
  (digits) =>
    new Intl.NumberFormat(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
)

function number(value: number, digits: 1 | 2): string {
  return figures[digits]?.format(value) ?? String(value)
}

/** "7.2" for 7214 W; a trickle below 50 W would read as nothing, so it keeps two digits. */
export function kilowatts(watts: number): string {
  return number(watts / 1000, watts > 0 && watts < 50 ? 2 : 1)
}

export function kilowattHours(wattHours: number): string {
  const kWh = wattHours / 1000
  return number(kWh, kWh < 10 ? 2 : 1)
}

const rounded = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 })

/** "40", "6", "7.5": energy that was asked for, or is missing. */
export function energy(wattHours: number): string {
  return rounded.format(wattHours / 1000)
}

export function amperes(current: number): string {
  return number(current, 1)
}

/** Live values are live for so long, in ms: the charger reports at least once a minute while a car charges. */
export const LIVE_MS = 90_000

/** Whether a reading may be shown as what happens now. */
export function isLive(measuredAt: string | null, now: number): boolean {
  return measuredAt !== null && now - Date.parse(measuredAt) <= LIVE_MS
}
