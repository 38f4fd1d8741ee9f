const TOGETHER_MS = 150
const GONE_MS = 6_000

/** What a screen reader is told when something changes by itself. */
class Announcer {
  text = $state('')

  #waiting: string[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  /** News that arrives together is read together. */
  say(text: string): void {
    this.#waiting.push(text)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.text = this.#waiting.join(' ')
      this.#waiting = []
      // Left standing, it would be met a second time by someone reading through the page.
      this.#timer = setTimeout(() => (this.text = ''), GONE_MS)
    }, TOGETHER_MS)
  }
}

export const announcer = new Announcer()
