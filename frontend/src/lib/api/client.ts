import type { Problem } from './types'

const TIMEOUT_MS = 15_000

/** The server answered, and said no. `message` is fit to show. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly fields: Record<string, string[]>
  /** Seconds to wait, from Retry-After. */
  readonly retryAfter: number | null

  constructor(problem: Problem, retryAfter: number | null) {
    super(problem.detail ?? problem.title ?? '')
    this.status = problem.status
    this.code = problem.code
    this.fields = problem.errors ?? {}
    this.retryAfter = retryAfter
  }
}

/** No answer came: whether the request arrived is not known. */
export class NoAnswer extends Error {}

export function csrfToken(cookies: string): string {
  return /(?:^|;\s*)(?:__Host-)?csrftoken=([^;]+)/.exec(cookies)?.[1] ?? ''
}

/** Seconds from a Retry-After header, which may be a number or an HTTP date. */
export function retryAfter(header: string | null, now = Date.now()): number | null {
  if (!header) return null
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : null
}

interface Options {
  body?: unknown
  idempotencyKey?: string
}

const onUnauthorised = new Set<() => void>()
/** Calls back whenever the server says that nobody is signed in. */
export function whenSignedOut(callback: () => void): void {
  onUnauthorised.add(callback)
}

export async function api<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (method !== 'GET') headers['X-CSRFToken'] = csrfToken(document.cookie)
  if (options.body !== undefined) headers['Content-Type'] = 'application/json'
  if (options.idempotencyKey) headers['Idempotency-Key'] = options.idempotencyKey

  let response: Response
  let text: string
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
    })
    text = await response.text()
  } catch (cause) {
    throw new NoAnswer('no answer', { cause })
  }

  if (response.ok) return (text ? JSON.parse(text) : undefined) as T
  // A proxy answers for a server that is away: to the person that is the same as no answer.
  if ([502, 503, 504].includes(response.status)) throw new NoAnswer(`status ${response.status}`)

  const problem = parseProblem(text, response.status)
  if (problem.code === 'not-signed-in') for (const callback of onUnauthorised) callback()
  throw new ApiError(problem, retryAfter(response.headers.get('Retry-After')))
}

function parseProblem(text: string, status: number): Problem {
  try {
    const problem = JSON.parse(text) as Partial<Problem>
    return { ...problem, status, code: problem.code ?? `http-${status}` }
  } catch {
    return { status, code: `http-${status}` }
  }
}
