import { expect, it } from 'vitest'
import { energyFrom, forAmount } from './amounts'

it('reads amounts as people type them', () => {
  expect(forAmount('1,5', 'hours')).toEqual({ minutes: 90 })
  expect(forAmount(' 45 ', 'minutes')).toEqual({ minutes: 45 })
  expect(forAmount('7.5', 'kwh')).toEqual({ energy_wh: 7500 })
  expect(energyFrom('40')).toBe(40_000)
})

it('refuses what the server would refuse', () => {
  for (const text of ['', '0', '-1', 'two', '1e3']) expect(forAmount(text, 'hours')).toBeNull()
  expect(forAmount('14', 'minutes')).toBeNull()
  expect(forAmount('25', 'hours')).toBeNull()
  expect(energyFrom('0.05')).toBeNull()
  expect(energyFrom('201')).toBeNull()
})
