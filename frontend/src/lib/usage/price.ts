import type { Day } from '../api/types'
import type { PriceWindow, Tariff } from '../api/usage'
import { LOCALE } from '../i18n'

/** Prices are typed as bills print them: in pence, cents, öre. The server keeps whole units. */
export const CURRENCIES = ['GBP', 'EUR', 'SEK', 'NOK', 'DKK', 'CHF', 'PLN', 'USD'] as const
const HUNDREDTHS: Record<string, string> = {
  GBP: 'pence',
  EUR: 'cents',
  SEK: 'öre',
  NOK: 'øre',
  DKK: 'øre',
  CHF: 'rappen',
  PLN: 'groszy',
  USD: 'cents',
}

export const unitOf = (currency: string) => HUNDREDTHS[currency] ?? `1/100 ${currency}`

/** "24.5" (pence) as the server takes it, "0.245"; null if it is no price. */
export function toPrice(text: string): string | null {
  const match = /^(\d{1,5})(?:[.,](\d{1,3}))?$/.exec(text.trim())
  if (!match) return null
  const digits = (match[1] ?? '').padStart(3, '0')
  return `${digits.slice(0, -2)}.${digits.slice(-2)}${match[2] ?? ''}`.replace(/^0+(?=\d)/, '')
}

/** "0.24500" as it is typed, "24.5". */
export function fromPrice(price: string): string {
  return String(Number((Number(price) * 100).toFixed(3)))
}

/** "24.5p", "31 öre". */
export function priceText(price: string, currency: string): string {
  const number = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 3 }).format(
    Number(fromPrice(price)),
  )
  return currency === 'GBP' ? `${number}p` : `${number} ${unitOf(currency)}`
}

/** One line of the form. */
export interface Line {
  key: number
  days: Day[]
  start: string
  end: string
  price: string
}

export function linesOf(tariff: Tariff | null): Line[] {
  return (tariff?.windows ?? []).map((window, key) => ({
    key,
    days: [...window.days],
    start: window.start,
    end: window.end,
    price: fromPrice(window.price),
  }))
}

/** The window that a line means, or null while it means none. */
export function windowOf({ days, start, end, price }: Line): PriceWindow | null {
  const whole = toPrice(price)
  if (!days.length || !/^\d\d:\d\d$/.test(start) || !/^\d\d:\d\d$/.test(end) || !whole) return null
  return { days, start, end, price: whole }
}
