import { api } from '../api/client'
import type { Id } from '../api/types'
import type { Power } from '../api/usage'
import type { Point, Span } from './curve'

export interface Series extends Span {
  points: Point[]
  interval: number | null
  missing: number
}

/** A part of a session's curve, gathered from as many answers as it takes. */
export async function loadPower(
  session: Id,
  resolution: Power['resolution'],
  span?: Span,
): Promise<Series> {
  const edge = (ms: number) => encodeURIComponent(new Date(ms).toISOString())
  const base = `/usage/sessions/${session}/power?resolution=${resolution}`
  const to = span ? `&to=${edge(span.to)}` : ''
  let next: string | null = span ? edge(span.from) : ''
  const found: Series = { from: NaN, to: NaN, points: [], interval: null, missing: 0 }
  while (next !== null) {
    const part: Power = await api<Power>('GET', `${base}${next ? `&from=${next}` : ''}${to}`)
    const zero = Date.parse(part.from)
    if (Number.isNaN(found.from)) found.from = zero
    found.to = Date.parse(part.to)
    for (const [seconds, watts] of part.points) {
      found.points.push([Math.round(zero + seconds * 1000), watts])
    }
    found.missing += part.missing
    found.interval ??= part.interval_seconds
    next = part.next && encodeURIComponent(part.next)
  }
  return found
}
