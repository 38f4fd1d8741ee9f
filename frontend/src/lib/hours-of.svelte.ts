import { api } from './api/client'
import type { DefaultHours } from './api/types'
import { live } from './live.svelte'
import { session } from './session.svelte'

/** Loads a site's charging hours whenever the server is heard again or their choice changes. Call it in a component. */
export function hoursOf(site: () => string | undefined): {
  readonly value: DefaultHours | undefined
  readonly failed: boolean
} {
  let failed = $state(false)
  const choice = $derived(JSON.stringify(live.snapshot.sites[site() ?? '']?.default_hours ?? null))
  $effect(() => {
    const wanted = site()
    void choice
    if (!wanted || live.connection !== 'live') return
    failed = false
    api<DefaultHours>('GET', `/sites/${wanted}/default-hours`).then(
      (found) => session.keepHours(wanted, found),
      () => (failed = true),
    )
  })
  return {
    get value() {
      const wanted = site()
      return wanted ? session.hours[wanted] : undefined
    },
    get failed() {
      return failed
    },
  }
}
