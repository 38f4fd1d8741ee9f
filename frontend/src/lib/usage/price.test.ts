import { describe, expect, it } from 'vitest'
import { fromPrice, priceText, toPrice, windowOf } from './price'

describe('prices', () => {
  it('are typed in hundredths and kept whole, exactly', () => {
    const pairs = { '24.5': '0.245', '24,55': '0.2455', '7': '0.07', '120': '1.20', '0': '0.00' }
    for (const [typed, kept] of Object.entries(pairs)) expect(toPrice(typed)).toBe(kept)
    for (const wrong of ['', 'x', '-1', '1.2345', '1e3', '24.5p']) expect(toPrice(wrong)).toBeNull()
    expect(fromPrice('0.24500')).toBe('24.5')
    expect(fromPrice('1.10000')).toBe('110')
  })

  it('are shown with their unit', () => {
    expect(priceText('0.24500', 'GBP')).toBe('24.5p')
    expect(priceText('2.10000', 'SEK')).toBe('210 öre')
    expect(priceText('2.10000', 'JPY')).toBe('210 1/100 JPY')
  })

  it('hold in hours that say enough', () => {
    const line = { key: 0, days: ['monday' as const], start: '00:30', end: '05:30', price: '7' }
    expect(windowOf(line)).toEqual({
      days: ['monday'],
      start: '00:30',
      end: '05:30',
      price: '0.07',
    })
    for (const wrong of [{ days: [] }, { start: '' }, { price: '' }])
      expect(windowOf({ ...line, ...wrong })).toBeNull()
  })
})
