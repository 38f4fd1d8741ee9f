import { svelte } from '@sveltejs/vite-plugin-svelte'
import { readFileSync } from 'node:fs'
import { VitePWA } from 'vite-plugin-pwa'
import { defineConfig } from 'vitest/config'

const { version } = JSON.parse(readFileSync('./package.json', 'utf8')) as { version: string }
const server = process.env.CHARGEAMPS_SERVER ?? 'http://127.0.0.1:8000'

export default defineConfig({
  define: { __APP_VERSION__: JSON.stringify(version) },
  plugins: [
    svelte(),
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src',
      filename: 'sw.ts',
      registerType: 'prompt',
      // The app registers the worker itself, once, with a Trusted Types URL (src/lib/update.svelte.ts).
      injectRegister: false,
      injectManifest: {
        globPatterns: ['index.html', 'assets/*.{js,css}', 'icons/icon.svg'],
        // The shell is known by its served address, so that it works offline whether or not /index.html is served.
        manifestTransforms: [
          (entries) => ({
            manifest: entries.map((e) => (e.url === 'index.html' ? { ...e, url: '/' } : e)),
            warnings: [],
          }),
        ],
      },
      // Only the operating system asks for the icons, and it keeps them itself.
      includeManifestIcons: false,
      manifest: {
        id: '/',
        name: 'Charge Amps Aura',
        short_name: 'Aura',
        description: 'See and steer your Charge Amps Aura.',
        lang: 'en-GB',
        start_url: '/',
        scope: '/',
        display: 'standalone',
        background_color: '#f4f6f3',
        theme_color: '#f4f6f3',
        categories: ['utilities', 'lifestyle'],
        icons: [
          { src: '/icons/icon-192.png', sizes: '192x192', type: 'image/png' },
          { src: '/icons/icon-512.png', sizes: '512x512', type: 'image/png' },
          {
            src: '/icons/icon-maskable-512.png',
            sizes: '512x512',
            type: 'image/png',
            purpose: 'maskable',
          },
          { src: '/icons/icon.svg', sizes: 'any', type: 'image/svg+xml' },
        ],
      },
    }),
  ],
  build: {
    outDir: '../static/pwa',
    emptyOutDir: true,
    target: 'es2022',
    // The polyfill would be an inline module in old browsers; every supported one knows modulepreload.
    modulePreload: { polyfill: false },
    // data: fonts and scripts are outside the content security policy, so nothing is inlined.
    assetsInlineLimit: 0,
  },
  server: {
    proxy: {
      '/api': server,
      '/ws': { target: server, ws: true },
    },
  },
  test: {
    include: ['src/**/*.test.ts'],
    environment: 'node',
  },
})
