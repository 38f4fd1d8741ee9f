/** What may be asked of "charge now" and "ready by". */

export type For = { minutes: number } | { energy_wh: number }

export const TIMES = [30, 60, 120, 240]
export const ENERGIES = [5000, 10_000, 20_000]

/** "7,5" or "7.5" as a number; null where it is none. */
export function numberFrom(text: string): number | null {
  const cleaned = text.trim().replace(',', '.')
  return /^\d+(\.\d+)?$/.test(cleaned) ? Number(cleaned) : null
}

export function energyFrom(kWh: string): number | null {
  const wh = Math.round((numberFrom(kWh) ?? 0) * 1000)
  return wh >= 100 && wh <= 200_000 ? wh : null
}

export function forAmount(text: string, unit: 'minutes' | 'hours' | 'kwh'): For | null {
  if (unit === 'kwh') {
    const energy_wh = energyFrom(text)
    return energy_wh === null ? null : { energy_wh }
  }
  const minutes = Math.round((numberFrom(text) ?? 0) * (unit === 'hours' ? 60 : 1))
  return minutes >= 15 && minutes <= 1440 ? { minutes } : null
}
