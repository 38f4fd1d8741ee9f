const FIRST_MS = 500
const LONGEST_MS = 30_000

/** How long to wait before the nth try (from 0), in ms; the jitter keeps a city of phones from knocking at once. */
export function backoff(attempt: number, random: number = Math.random()): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt)
  return Math.round(ceiling / 2 + (ceiling / 2) * random)
}
