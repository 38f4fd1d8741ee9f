import type { DefaultHours, Me, Plan, Snapshot } from './api/types'

/** The last known state, so that the app opens at once, also without a network. Gone on signing out. */
export interface Kept {
  me: Me
  snapshot: Snapshot
  plans: Record<string, Plan>
  hours: Record<string, DefaultHours>
  /** Server time of the last word from the server, in ms. */
  asOf: number
  offset: number
}

const KEY = 'aura.kept.1'
const SIGN_OUT_DUE = 'aura.sign-out-due'

export function load(): Kept | null {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? 'null') as Kept | null
    return kept?.me && kept.snapshot?.connectors ? kept : null
  } catch {
    return null
  }
}

export function save(kept: Kept): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(kept))
  } catch {
    // A full or forbidden store only costs the offline view.
  }
}

/** Removes everything personal from this device. */
export function clear(): void {
  try {
    localStorage.removeItem(KEY)
    sessionStorage.clear()
  } catch {
    // Where storage is forbidden nothing was stored.
  }
}

/** Calls back when another tab signed out. */
export function whenClearedElsewhere(callback: () => void): void {
  addEventListener('storage', (event) => {
    if ((event.key === KEY && event.newValue === null) || event.key === null) callback()
  })
}

/** Signing out without a network clears the device at once; the server is told at the next start. */
export const signOutDue = {
  get: () => localStorage.getItem(SIGN_OUT_DUE) !== null,
  set: (due: boolean) => {
    if (due) localStorage.setItem(SIGN_OUT_DUE, '1')
    else localStorage.removeItem(SIGN_OUT_DUE)
  },
}
