export type Route =
  | { name: 'home' | 'sign-in' | 'add' | 'account' | 'usage' | 'not-found' }
  | {
      name: 'charger' | 'charger-hours' | 'site-hours' | 'site-price' | 'usage-session'
      id: string
    }
  | { name: 'rule'; id: string; rule: string }

const NAMES = ['sign-in', 'add', 'account', 'usage'] as const

export function match(path: string): Route {
  let parts: string[]
  try {
    parts = path.split('/').filter(Boolean).map(decodeURIComponent)
  } catch {
    return { name: 'not-found' }
  }
  const [first, id = '', hours, rule = ''] = parts
  if (first === undefined) return { name: 'home' }
  const name = NAMES.find((one) => one === first)
  if (name && parts.length === 1) return { name }
  if (first === 'chargers' && parts.length === 2) return { name: 'charger', id }
  if (first === 'usage' && parts.length === 2) return { name: 'usage-session', id }
  if (first === 'sites' && hours === 'price' && parts.length === 3)
    return { name: 'site-price', id }
  if (hours === 'hours') {
    if (first === 'sites' && parts.length === 3) return { name: 'site-hours', id }
    if (first === 'chargers' && parts.length === 3) return { name: 'charger-hours', id }
    if (first === 'chargers' && parts.length === 4) return { name: 'rule', id, rule }
  }
  return { name: 'not-found' }
}

export const chargerPath = (id: string) => `/chargers/${encodeURIComponent(id)}`

/** Where to go after signing in: only a path of this app, never another address. */
export function safeNext(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) && match(next).name !== 'sign-in' ? next : '/'
}

export const hoursPath = (id: string) => `${chargerPath(id)}/hours`
export const siteHoursPath = (id: string) => `/sites/${encodeURIComponent(id)}/hours`
/** An existing rule's id, or `new-hours` or `new-rule`. */
export const rulePath = (id: string, rule: string) => `${hoursPath(id)}/${encodeURIComponent(rule)}`
export const usageSessionPath = (id: string) => `/usage/${encodeURIComponent(id)}`
export const chargerUsagePath = (id: string) => `/usage?charge_point=${encodeURIComponent(id)}`
export const sitePricePath = (id: string) => `/sites/${encodeURIComponent(id)}/price`
