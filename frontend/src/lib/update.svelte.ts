import { live } from './live.svelte'

const HOUR_MS = 3_600_000

interface Policy {
  createScriptURL(url: string): string
}

/** The one place that registers the worker. A new version waits until the person says "Reload". */
class Update {
  ready = $state(false)

  #registration: ServiceWorkerRegistration | null = null
  #reloading = false

  async start(): Promise<void> {
    if (!('serviceWorker' in navigator) || import.meta.env.DEV) return
    const { serviceWorker } = navigator
    let controlled = serviceWorker.controller !== null
    serviceWorker.addEventListener('controllerchange', () => {
      if (this.#reloading) location.reload()
      // Another tab took the new version: the parts this page may still want to load are gone.
      else if (controlled) this.ready = true
      controlled = true
    })
    live.onnewserver = () => void this.check()
    try {
      this.#registration = await serviceWorker.register(workerUrl())
    } catch {
      // Without a worker the app still works, only not without a network.
      return
    }
    const registration = this.#registration
    // A browser told to block workers may answer with nothing.
    if (!registration) return
    if (registration.waiting && controlled) this.ready = true
    registration.addEventListener('updatefound', () => {
      const worker = registration.installing
      worker?.addEventListener('statechange', () => {
        if (worker.state === 'installed' && serviceWorker.controller) this.ready = true
      })
    })
    setInterval(() => void this.check(), HOUR_MS)
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#checkIfDue()
    })
  }

  #checked = Date.now()

  /** A phone that slept for days has missed its hourly checks. */
  #checkIfDue(): void {
    if (Date.now() - this.#checked > HOUR_MS) void this.check()
  }

  async check(): Promise<void> {
    this.#checked = Date.now()
    try {
      await this.#registration?.update()
    } catch {
      // No network: the next check will do.
    }
  }

  reload(): void {
    this.#reloading = true
    const waiting = this.#registration?.waiting
    if (waiting) waiting.postMessage({ type: 'SKIP_WAITING' })
    else location.reload()
  }
}

function workerUrl(): string {
  const url = '/sw.js'
  const types = (window as { trustedTypes?: { createPolicy(name: string, p: Policy): Policy } })
    .trustedTypes
  if (!types) return url
  const policy = types.createPolicy('aura-worker', {
    createScriptURL: (asked) => {
      if (asked !== url) throw new TypeError('not the worker of this app')
      return asked
    },
  })
  return policy.createScriptURL(url)
}

export const update = new Update()
