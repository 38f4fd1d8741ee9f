/** Claim codes and identities are typed from a label: case, spaces and dashes must not matter. */

export function normaliseCode(text: string): string {
  return text.toUpperCase().replace(/[^A-Z0-9]/g, '')
}

/** "ABCD-EFGH-JKLM" */
export function groupCode(text: string): string {
  return (
    normaliseCode(text)
      .match(/.{1,4}/g)
      ?.join('-') ?? ''
  )
}

/** The grouped text, and where the caret stands after the same number of letters and digits as before. */
export function groupTyped(text: string, caret: number): { text: string; caret: number } {
  const grouped = groupCode(text)
  let left = normaliseCode(text.slice(0, caret)).length
  let at = 0
  while (at < grouped.length && left > 0) {
    if (grouped[at] !== '-') left--
    at++
  }
  return { text: grouped, caret: at }
}
