import { live } from './live.svelte'

/** Whose charging hours somebody must still choose: an owner is asked before anything else. */
class FirstUse {
  #postponed = $state.raw<ReadonlySet<string>>(new Set())

  /** Sites that wait for this person's choice. */
  due = $derived(
    Object.values(live.snapshot.sites)
      .filter(({ default_hours: hours }) => hours?.due && hours.may_change)
      .map(({ id }) => id),
  )

  /** The site to ask about now; nothing can be chosen without the server. */
  site = $derived(
    live.connection === 'offline' || live.connection === 'unreachable'
      ? null
      : (this.due.find((id) => !this.#postponed.has(id)) ?? null),
  )

  /** Until the app is opened again. */
  postpone(): void {
    this.#postponed = new Set(this.due)
  }
}

export const firstUse = new FirstUse()
