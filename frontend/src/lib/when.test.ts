import { expect, it } from 'vitest'
import { fromField, iso, onDay, toField } from './when'

const LONDON = 'Europe/London'
const NOW = Date.parse('2026-08-04T22:30:00Z')

it('reads fields as the clock on the wall', () => {
  expect(toField(NOW, LONDON)).toBe('2026-08-04T23:30')
  expect(fromField('2026-08-04T23:30', LONDON)).toBe(NOW)
  expect(fromField('2026-12-04T23:30', LONDON)).toBe(Date.parse('2026-12-04T23:30:00Z'))
  expect(fromField('', LONDON)).toBeNull()
})

it('knows today and tomorrow at the charger, also over a clock change', () => {
  expect(onDay('07:00', 1, NOW, LONDON)).toBe(Date.parse('2026-08-05T06:00:00Z'))
  const before = Date.parse('2026-10-24T20:00:00Z')
  expect(onDay('07:00', 1, before, LONDON)).toBe(Date.parse('2026-10-25T07:00:00Z'))
  expect(onDay('', 1, NOW, LONDON)).toBeNull()
})

it('writes instants as the server does', () => {
  expect(iso(NOW)).toBe('2026-08-04T22:30:00Z')
})
