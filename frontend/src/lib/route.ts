export type Route =
  { name: 'home' | 'sign-in' | 'add' | 'account' | 'not-found' } | { name: 'charger'; id: string }

export function match(path: string): Route {
  const parts = path.split('/').filter(Boolean)
  if (parts.length === 0) return { name: 'home' }
  if (parts.length === 1) {
    const [name] = parts
    if (name === 'sign-in' || name === 'add' || name === 'account') return { name }
  }
  if (parts.length === 2 && parts[0] === 'chargers' && parts[1]) {
    try {
      return { name: 'charger', id: decodeURIComponent(parts[1]) }
    } catch {
      return { name: 'not-found' }
    }
  }
  return { name: 'not-found' }
}

export const chargerPath = (id: string) => `/chargers/${encodeURIComponent(id)}`

/** Where to go after signing in: only a path of this app, never another address. */
export function safeNext(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) && match(next).name !== 'sign-in' ? next : '/'
}
