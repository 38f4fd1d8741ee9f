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

export type PieceKind = 'charge' | 'limited' | 'delay' | 'pause' | 'wait'

/** A part of the plan in which one thing holds for one reason. */
export interface PlanPiece extends Stretch {
  kind: PieceKind
  code: string
  text: string
}

function kindOf(code: string, limit: number | null): PieceKind {
  if (code === 'random-delay') return 'delay'
  if (code === 'holiday-pause') return 'pause'
  if (!allowed(limit)) return 'wait'
  return LIMITS.has(code) ? 'limited' : 'charge'
}

const LIMITS = new Set([
  'capacity',
  'shared-capacity',
  'installation-limit',
  'schedule-limit',
  'demand-response',
])

/** The plan piece by piece, neighbours that say the same joined. */
export function planPieces(plan: Plan): PlanPiece[] {
  const found: PlanPiece[] = []
  for (const { from, to, limit_a, reason } of plan.items) {
    const code = reason?.code ?? ''
    const kind = kindOf(code, limit_a)
    const waits = kind !== 'charge' && kind !== 'limited'
    const text = reason?.text || t(waits ? 'plan.waits-text' : 'plan.free-text')
    const piece = { from: Date.parse(from), to: Date.parse(to), kind, code, text }
    const last = found.at(-1)
    if (last && last.to === piece.from && last.kind === kind && last.text === text) {
      last.to = piece.to
    } else found.push(piece)
  }
  return found
}

/** "22:00 to tomorrow 07:30: Your charging hours." */
export function pieceText({ from, to, text }: PlanPiece, now: number, zone: string): string {
  return t('plan.piece', { span: spanText({ from, to }, now, zone), text })
}

function spanText({ from, to }: Stretch, now: number, zone: string): string {
  return t('plan.span', {
    from: from <= now ? t('plan.now') : moment(from, now, zone),
    to: moment(to, now, zone),
  })
}

export function pieceAt(pieces: PlanPiece[], at: number): number {
  return pieces.findIndex(({ from, to }) => from <= at && at < to)
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
    stretches.map((stretch) => spanText(stretch, now, plan.time_zone)).join(', ')
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
