/// <reference lib="webworker" />
import {
  cleanupOutdatedCaches,
  createHandlerBoundToURL,
  precacheAndRoute,
} from 'workbox-precaching'
import { NavigationRoute, registerRoute } from 'workbox-routing'

declare const self: ServiceWorkerGlobalScope & {
  __WB_MANIFEST: { url: string; revision: string | null }[]
}

// Only the built shell is ever kept. Everything a server computes (the API, the socket, the admin, charger
// addresses, health pages) goes to the network untouched, so nothing personal and nothing stale lives in a cache.
const SERVER_PATHS = [
  /^\/(api|ws|admin|ocpp|static|\.well-known)(\/|$)/,
  /^\/(healthz|readyz|metrics)(\/|$)/,
]

precacheAndRoute(self.__WB_MANIFEST)
cleanupOutdatedCaches()
registerRoute(new NavigationRoute(createHandlerBoundToURL('/'), { denylist: SERVER_PATHS }))

self.addEventListener('message', (event) => {
  // A new version takes over only when the person asked for it.
  if ((event.data as { type?: string } | null)?.type === 'SKIP_WAITING') void self.skipWaiting()
})
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
