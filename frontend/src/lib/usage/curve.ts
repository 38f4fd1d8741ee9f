/** A power curve: points `[ms, W]` in the order of time, drawn in as many columns as there are pixels. Pure. */
export type Point = readonly [number, number]
export interface Span {
  from: number
  to: number
}

/**
 * The moments after which readings are missing: where two are further apart than those around them are. Chargers
 * change their pace, so there is no one pause that would be too long for a whole session.
 */
export function breaks(points: readonly Point[]): ReadonlySet<number> {
  const found = new Set<number>()
  const spacing = (n: number) => (points[n + 1]?.[0] ?? 0) - (points[n]?.[0] ?? 0)
  for (let n = 0; n + 1 < points.length; n++) {
    const here = spacing(n)
    // Most are no longer than the one before: nothing to look at.
    if (n > 0 && here * 2 <= 3 * spacing(n - 1) && !found.has(points[n - 1]?.[0] ?? NaN)) continue
    const around: number[] = []
    for (let i = Math.max(0, n - 4); i < Math.min(points.length - 1, n + 5); i++) {
      around.push(spacing(i))
    }
    if (around.length < 3) continue
    around.sort((a, b) => a - b)
    const usual = around[(around.length - 1) >> 1] ?? 0
    if (usual > 0 && here > 1.5 * usual) found.add(points[n]?.[0] ?? 0)
  }
  return found
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
export function runs(points: readonly Point[], broken: ReadonlySet<number>): Point[][] {
  const found: Point[][] = []
  let run: Point[] = []
  for (const point of points) {
    run.push(point)
    if (!broken.has(point[0])) continue
    found.push(run)
    run = []
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

const EDGE_MS = 60_000

/** The nearest reading to a moment; null within a gap, and well before the first or after the last. */
export function nearest(
  points: readonly Point[],
  at: number,
  broken: ReadonlySet<number>,
): Point | null {
  const index = firstAt(points, at)
  const [before, after] = [points[index - 1], points[index]]
  const near = (point: Point | undefined, most: number) =>
    point && Math.abs(point[0] - at) <= most ? point : null
  if (!before || !after) return near(before ?? after, EDGE_MS)
  if (broken.has(before[0])) return near(before, 1000) ?? near(after, 1000)
  return at - before[0] <= after[0] - at ? before : after
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
