import { api, ApiError, whenSignedOut } from './api/client'
import type { DefaultHours, Me, Plan, Site } from './api/types'
import { clock } from './clock.svelte'
import { commands } from './commands.svelte'
import { live } from './live.svelte'
import * as persist from './persist'
import { safeNext } from './route'
import { router } from './router.svelte'

const SAVE_EVERY_MS = 5_000

class Session {
  me = $state.raw<Me | null>(null)
  status = $state<'starting' | 'signed-in' | 'signed-out' | 'unreachable'>('starting')
  plans = $state.raw<Record<string, Plan>>({})
  hours = $state.raw<Record<string, DefaultHours>>({})

  #saving: ReturnType<typeof setTimeout> | undefined

  constructor() {
    whenSignedOut(() => this.#signedOut())
    live.onsignedout = () => this.#signedOut()
    live.onchange = () => this.#saveSoon()
    persist.whenClearedElsewhere(() => this.#signedOut())
    addEventListener('pagehide', () => this.#save())
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') this.#save()
    })
  }

  async start(): Promise<void> {
    if (persist.signOutDue.get()) {
      await this.#finishSignOut()
      return
    }
    const kept = persist.load()
    if (kept) {
      clock.restore(kept.offset)
      live.restore(kept.snapshot, kept.asOf)
      this.plans = kept.plans
      this.hours = kept.hours
      this.#signedIn(kept.me)
    }
    try {
      this.#signedIn(await api<Me>('GET', '/me'))
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.#signedOut()
      else if (!kept) this.status = 'unreachable'
    }
  }

  /** Throws ApiError or NoAnswer. */
  async signIn(email: string, password: string): Promise<void> {
    const next = new URLSearchParams(location.search).get('next')
    if (!document.cookie.includes('csrftoken')) await this.#fetchCookie()
    const me = await api<Me>('POST', '/auth/sign-in', { body: { email, password } })
    this.#signedIn(me)
    router.go(safeNext(next), { replace: true })
  }

  async signOut(): Promise<void> {
    persist.signOutDue.set(true)
    await this.#finishSignOut()
    if (location.search) router.go('/sign-in', { replace: true })
  }

  keepPlan(connector: string, plan: Plan): void {
    this.plans = { ...this.plans, [connector]: plan }
    this.#saveSoon()
  }

  keepHours(site: string, hours: DefaultHours): void {
    this.hours = { ...this.hours, [site]: hours }
    this.#saveSoon()
  }

  siteOf(id: string | undefined): Site | undefined {
    return id ? (live.snapshot.sites[id] ?? this.me?.sites.find((s) => s.id === id)) : undefined
  }

  zoneOf(site: string | undefined): string {
    return this.siteOf(site)?.time_zone || 'Europe/London'
  }

  async #fetchCookie(): Promise<void> {
    try {
      await api<Me>('GET', '/me')
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
    }
  }

  async #finishSignOut(): Promise<void> {
    const due = persist.signOutDue.get()
    this.#signedOut()
    if (!due) return
    try {
      await this.#fetchCookie()
      await api('POST', '/auth/sign-out')
      persist.signOutDue.set(false)
    } catch (error) {
      // Only an answer settles it; without one the server is told at the next start.
      if (error instanceof ApiError && error.status === 401) persist.signOutDue.set(false)
    }
  }

  #signedIn(me: Me): void {
    this.me = me
    this.status = 'signed-in'
    if (router.route.name === 'sign-in') {
      router.go(safeNext(new URLSearchParams(location.search).get('next')), { replace: true })
    }
    live.start()
  }

  #signedOut(): void {
    clearTimeout(this.#saving)
    this.#saving = undefined
    this.me = null
    this.status = 'signed-out'
    live.stop()
    commands.clear()
    this.plans = {}
    this.hours = {}
    persist.clear()
    if (router.route.name === 'sign-in') return
    const from = location.pathname
    router.go(from === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(from)}`, {
      replace: true,
    })
  }

  #saveSoon(): void {
    this.#saving ??= setTimeout(() => this.#save(), SAVE_EVERY_MS)
  }

  #save(): void {
    clearTimeout(this.#saving)
    this.#saving = undefined
    if (!this.me || live.asOf === 0) return
    persist.save({
      me: this.me,
      snapshot: live.snapshot,
      plans: this.plans,
      hours: this.hours,
      asOf: live.asOf,
      offset: clock.offset,
    })
  }
}

export const session = new Session()
