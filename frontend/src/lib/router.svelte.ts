import { match, type Route } from './route'

class Router {
  route = $state.raw<Route>(match(location.pathname))
  /** Counts navigations, so that focus moves also between two pages of one kind. */
  visits = $state(0)

  constructor() {
    addEventListener('popstate', () => this.#show())
    document.addEventListener('click', (event) => {
      if (event.defaultPrevented || event.button !== 0) return
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
      const link = (event.target as Element).closest('a')
      if (
        !link ||
        link.origin !== location.origin ||
        link.target ||
        link.hasAttribute('download')
      ) {
        return
      }
      if (link.hash && link.pathname === location.pathname) return
      event.preventDefault()
      this.go(link.pathname + link.search)
    })
  }

  go(path: string, { replace = false } = {}): void {
    if (path === location.pathname + location.search) return
    if (replace) history.replaceState(null, '', path)
    else history.pushState(null, '', path)
    this.#show()
    scrollTo(0, 0)
  }

  #show(): void {
    this.route = match(location.pathname)
    this.visits++
  }
}

export const router = new Router()
