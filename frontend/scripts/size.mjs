// Fails when the JavaScript needed for the first screen, or all lazily loaded parts, outgrow their budgets.
import { readdirSync, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

const OUT = new URL('../../static/pwa/', import.meta.url)
const BUDGET = { first: 45_000, lazy: 90_000 }

const html = readFileSync(new URL('index.html', OUT), 'utf8')
const first = new Set(
  [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map((match) => match[1]),
)
// Follow static imports: a chunk the entry imports is part of the first screen even without a preload link.
for (const file of first) {
  const code = readFileSync(new URL(file, OUT), 'utf8')
  for (const match of code.matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g)) {
    first.add(`assets/${match[1]}`)
  }
}

const all = readdirSync(new URL('assets/', OUT))
  .filter((name) => name.endsWith('.js'))
  .map((name) => `assets/${name}`)
const gzipped = (file) => gzipSync(readFileSync(new URL(file, OUT)), { level: 9 }).length
const sums = { first: 0, lazy: 0 }
for (const file of all) {
  const part = first.has(file) ? 'first' : 'lazy'
  const size = gzipped(file)
  sums[part] += size
  console.log(`${part.padEnd(6)} ${String(size).padStart(7)} B gzip  ${file}`)
}

let failed = first.size === 0
if (failed) console.error('index.html loads no script: is the app built?')
for (const part of ['first', 'lazy']) {
  const over = sums[part] > BUDGET[part]
  failed ||= over
  console.log(
    `${over ? 'OVER' : 'ok  '} ${part}: ${(sums[part] / 1000).toFixed(1)} of ${BUDGET[part] / 1000} kB`,
  )
}
process.exit(failed ? 1 : 0)
