import { DAYS } from '../../lib/hours'
import { clockOf, dayOf, endOf, startOf, windowsOf, type Bar } from '../../lib/week'

/**
 * The server's complaints by bar: "windows[1].end" becomes "7.end" for the first bar of that window. The bars must be
 * those that were sent.
 */
export function problemsOf(
  fields: Record<string, string[]>,
  bars: readonly Bar[],
): Record<string, string> {
  const found: Record<string, string> = {}
  const sent = windowsOf(bars)
  for (const [path, texts] of Object.entries(fields)) {
    const [, index, field = 'start'] = /^windows\[(\d+)\](?:\.(\w+))?/.exec(path) ?? []
    const window = sent[Number(index)]
    const bar = bars.find(
      (one) =>
        window?.days.includes(DAYS[dayOf(one)] ?? 'monday') &&
        clockOf(startOf(one)) === window.start &&
        clockOf(endOf(one)) === window.end,
    )
    if (bar) found[`${bar.id}.${field}`] = texts.join(' ')
  }
  return found
}
