import { api, ApiError, NoAnswer } from './api/client'
import { t } from './i18n'
import { uuid } from './uuid'

/** One form on its way to the server, and what the server said to it. */
export class Saving {
  busy = $state(false)
  /** What is wrong with the whole; empty where the fields say it all. */
  problem = $state('')
  fields = $state.raw<Record<string, string[]>>({})

  #wish = ''
  #key = ''

  /** The answer, or null if there is none to go on with. */
  async send<T>(method: string, path: string, body?: unknown): Promise<{ value: T } | null> {
    if (this.busy) return null
    // The same wish keeps its key over retries, so that it acts once.
    const wish = JSON.stringify([method, path, body])
    if (wish !== this.#wish) [this.#wish, this.#key] = [wish, uuid()]
    this.busy = true
    this.clear()
    try {
      const value = await api<T>(method, path, { body, idempotencyKey: this.#key })
      this.#wish = ''
      return { value }
    } catch (error) {
      if (error instanceof ApiError) {
        this.#wish = ''
        this.fields = error.fields
      }
      this.problem =
        error instanceof NoAnswer
          ? t('error.no-answer')
          : (error instanceof ApiError && error.message) || t('error.unexpected')
      return null
    } finally {
      this.busy = false
    }
  }

  clear(): void {
    this.problem = ''
    this.fields = {}
  }

  of(field: string): string {
    return this.fields[field]?.join(' ') ?? ''
  }
}
