/** A power curve: points `[ms, W]` in the order of time, drawn in as many columns as there are pixels. Pure. */
export type Point = readonly [number, number]
export interface Span {
  from: number
  to: number
}

/** The longest pause between two readings that is none, in ms. */
export function longestStep(intervalSeconds: number | null): number {
  return Math.max(2.5, (intervalSeconds ?? 1) * 2.5) * 1000
}

function firstAt(points: readonly Point[], at: number): number {
  let [low, high] = [0, points.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((points[middle]?.[0] ?? 0) < at) low = middle + 1
    else high = middle
  }
  return low
}

/** The points seen between two moments, with one neighbour on either side so that the line reaches the edge. */
export function seen(points: readonly Point[], { from, to }: Span): readonly Point[] {
  return points.slice(Math.max(0, firstAt(points, from) - 1), firstAt(points, to + 1) + 1)
}

/** Runs of readings without a gap: where readings are missing, the line ends and begins anew. */
export function runs(points: readonly Point[], step: number): Point[][] {
  const found: Point[][] = []
  let run: Point[] = []
  for (const point of points) {
    const before = run.at(-1)
    if (before && point[0] - before[0] > step) {
      found.push(run)
      run = []
    }
    run.push(point)
  }
  if (run.length) found.push(run)
  return found
}

/** Of more points than columns, the first, lowest, highest and last of each column: no peak is lost. */
export function thinned(points: readonly Point[], { from, to }: Span, columns: number): Point[] {
  if (points.length <= columns * 4) return [...points]
  const result: Point[] = []
  const wide = (to - from) / columns
  for (let i = 0; i < points.length;) {
    const first = points[i] as Point
    const column = Math.floor((first[0] - from) / wide)
    let [low, high, last] = [first, first, first]
    for (; i < points.length; i++) {
      const point = points[i] as Point
      if (Math.floor((point[0] - from) / wide) !== column) break
      if (point[1] < low[1]) low = point
      if (point[1] > high[1]) high = point
      last = point
    }
    const kept = [...new Set([first, low, high, last])].sort((a, b) => a[0] - b[0])
    result.push(...kept)
  }
  return result
}

/** The nearest reading to a moment, or null where there is none near enough. */
export function nearest(points: readonly Point[], at: number, step: number): Point | null {
  const after = firstAt(points, at)
  const around = [points[after - 1], points[after]].filter((p): p is Point => p !== undefined)
  const [best] = around.sort((a, b) => Math.abs(a[0] - at) - Math.abs(b[0] - at))
  return best && Math.abs(best[0] - at) <= step ? best : null
}

/** The view, made `factor` times as wide about a moment, within the whole and never under `least` ms. */
export function zoomed(
  view: Span,
  whole: Span,
  factor: number,
  about: number,
  least: number,
): Span {
  const width = view.to - view.from
  const wide = Math.min(whole.to - whole.from, Math.max(least, width * factor))
  const part = (about - view.from) / (width || 1)
  return within({ from: about - part * wide, to: about + (1 - part) * wide }, whole)
}

export function moved(view: Span, whole: Span, by: number): Span {
  return within({ from: view.from + by, to: view.to + by }, whole)
}

function within(view: Span, whole: Span): Span {
  const width = Math.min(view.to - view.from, whole.to - whole.from)
  const from = Math.min(Math.max(view.from, whole.from), whole.to - width)
  return { from, to: from + width }
}

const STEPS = [
  10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800,
  604_800,
]

/** Moments for the axis of time, at whole steps of the clock; `offset` is the zone's, in ms. */
export function timeTicks({ from, to }: Span, most: number, offset: number): number[] {
  const span = to - from
  const step = 1000 * (STEPS.find((one) => span / (one * 1000) <= most) ?? 604_800)
  const ticks: number[] = []
  for (let at = Math.ceil((from + offset) / step) * step; at <= to + offset; at += step) {
    ticks.push(at - offset)
  }
  return ticks
}

/** Adds a new reading to the end; what is older than `keep` ms goes. */
export function grown(points: readonly Point[], point: Point, keep: number): readonly Point[] {
  const last = points.at(-1)
  if (last && point[0] <= last[0]) return points
  return [...points.slice(firstAt(points, point[0] - keep)), point]
}
