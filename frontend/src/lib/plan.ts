import type { Plan, Window } from './api/types'
import { moment } from './format'
import { occurrences } from './hours'
import { t } from './i18n'

export interface Stretch {
  /** Instants in ms. */
  from: number
  to: number
}

/** 0 A means wait; no limit at all means free to charge. */
function allowed(limit: number | null): boolean {
  return limit === null || limit > 0
}

/** The stretches in which the plan lets a car charge, neighbours joined. */
export function allowedStretches(plan: Plan): Stretch[] {
  const found: Stretch[] = []
  for (const item of plan.items) {
    if (!allowed(item.limit_a)) continue
    const stretch = { from: Date.parse(item.from), to: Date.parse(item.to) }
    const last = found.at(-1)
    if (last && last.to === stretch.from) last.to = stretch.to
    else found.push(stretch)
  }
  return found
}

export function peakStretches(plan: Plan, peaks: Window[]): Stretch[] {
  return occurrences(peaks, Date.parse(plan.from), Date.parse(plan.to), plan.time_zone)
}

/** The plan in words, for those who do not see the strip. */
export function planText(
  plan: Plan,
  allowedParts: Stretch[],
  peaks: Stretch[],
  now: number,
): string {
  const [start, end] = [Date.parse(plan.from), Date.parse(plan.to)]
  const spans = (stretches: Stretch[]) =>
    stretches
      .map(({ from, to }) =>
        t('plan.span', {
          from: from <= now ? t('plan.now') : moment(from, now, plan.time_zone),
          to: moment(to, now, plan.time_zone),
        }),
      )
      .join(', ')
  const first = allowedParts[0]
  const words =
    allowedParts.length === 0
      ? t('plan.never')
      : allowedParts.length === 1 && first && first.from <= start && first.to >= end
        ? t('plan.always')
        : t('plan.allowed-text', { spans: spans(allowedParts) })
  return peaks.length ? `${words} ${t('plan.peaks-text', { spans: spans(peaks) })}` : words
}

/** Whole local hours within the stretch at which the strip carries a label. */
export function ticks(plan: Plan, every: number): { at: number; hour: number }[] {
  const found: { at: number; hour: number }[] = []
  const windows: Window[] = []
  for (let hour = 0; hour < 24; hour += every) {
    const clock = `${String(hour).padStart(2, '0')}:00`
    const end = `${String(hour).padStart(2, '0')}:01`
    windows.push({
      days: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'],
      start: clock,
      end,
    })
  }
  for (const { from } of peakStretches(plan, windows)) {
    const hour = Number(moment(from, from, plan.time_zone).slice(0, 2))
    found.push({ at: from, hour })
  }
  return found
}
