import { describe, expect, it } from 'vitest'
import { csrfToken, retryAfter } from './client'

describe('csrfToken', () => {
  it('finds the token under either name', () => {
    expect(csrfToken('a=b; csrftoken=tok; c=d')).toBe('tok')
    expect(csrfToken('__Host-csrftoken=tok')).toBe('tok')
    expect(csrfToken('xcsrftoken=no')).toBe('')
    expect(csrfToken('')).toBe('')
  })
})

describe('retryAfter', () => {
  it('reads seconds and dates', () => {
    const now = Date.parse('2026-08-04T13:00:00Z')
    expect(retryAfter('312', now)).toBe(312)
    expect(retryAfter('Tue, 04 Aug 2026 13:01:00 GMT', now)).toBe(60)
    expect(retryAfter('soon', now)).toBeNull()
    expect(retryAfter(null, now)).toBeNull()
  })
})
