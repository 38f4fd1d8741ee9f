// Audit pages with Lighthouse in a browser that already runs: node audit.mjs PORT COOKIE URL...
// Prints {url: {category: score of 100, failed: [audit ids]}} as JSON.
import lighthouse from 'lighthouse'

const [port, cookie, ...urls] = process.argv.slice(2)
const scores = {}
for (const url of urls) {
  const { lhr } = await lighthouse(url, {
    port: Number(port),
    logLevel: 'error',
    extraHeaders: cookie ? { Cookie: cookie } : undefined,
  })
  if (lhr.runtimeError) throw new Error(lhr.runtimeError.message)
  const categories = Object.values(lhr.categories)
  const weighed = new Set(categories.flatMap(({ auditRefs }) => auditRefs.filter(({ weight }) => weight > 0).map(({ id }) => id)))
  scores[url] = {
    ...Object.fromEntries(categories.map(({ id, score }) => [id, Math.round((score ?? 0) * 100)])),
    failed: Object.values(lhr.audits)
      .filter(({ id, score }) => weighed.has(id) && score !== null && score < 0.9)
      .map(({ id, displayValue }) => `${id} ${displayValue ?? ''}`.trim()),
  }
}
console.log(JSON.stringify(scores))
