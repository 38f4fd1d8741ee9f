/** Round numbers for an axis that holds `low` and `high`, with 0 among them: about `steps` of them. */
export function niceTicks(low: number, high: number, steps = 3): number[] {
  const [bottom, top] = [Math.min(0, low), Math.max(0, high)]
  const span = top - bottom || 1
  const rough = span / steps
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= rough * 0.999) ?? rough
  const first = Math.floor(bottom / step + 1e-9)
  const last = Math.ceil(top / step - 1e-9)
  // Multiplied, not summed: 0.1 + 0.2 is no round number.
  return Array.from({ length: Math.max(1, last - first) + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  )
}

/** Where a value lies between the ends of an axis, 0 at the bottom and 1 at the top. */
export function share(value: number, ticks: readonly number[]): number {
  const [low, high] = [ticks[0] ?? 0, ticks.at(-1) ?? 1]
  return (value - low) / (high - low || 1)
}

/** Every how many bars a label fits, if each bar takes `slot` px and a label `wide` px; the last bars count. */
export function labelEvery(slot: number, wide: number): number {
  return Math.max(1, Math.ceil(wide / Math.max(slot, 0.1)))
}

/** The bar under a pointer. */
export function barAt(x: number, width: number, count: number): number {
  return Math.max(0, Math.min(count - 1, Math.floor((x / Math.max(1, width)) * count)))
}
