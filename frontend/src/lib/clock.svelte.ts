/** Server time: phones' clocks are often wrong, and an age must not depend on them. */
class Clock {
  #offset = 0
  now = $state(Date.now())

  constructor() {
    setInterval(() => {
      if (document.visibilityState === 'visible') this.tick()
    }, 1000)
    document.addEventListener('visibilitychange', () => this.tick())
  }

  tick(): void {
    this.now = Date.now() + this.#offset
  }

  get offset(): number {
    return this.#offset
  }

  /** A message that was long on its way makes the server seem behind, so the least delayed one counts. */
  learn(serverTime: string): void {
    const offset = Date.parse(serverTime) - Date.now()
    if (!Number.isFinite(offset)) return
    if (offset > this.#offset || this.#offset - offset > 2000) {
      this.#offset = offset
      this.tick()
    }
  }

  restore(offset: number): void {
    this.#offset = offset
    this.tick()
  }
}

export const clock = new Clock()
