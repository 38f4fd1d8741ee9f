import { describe, expect, it } from 'vitest'
import {
  exactDuration,
  groupLabel,
  hoursMinutes,
  money,
  size,
  spanLabel,
  tickLabel,
} from './labels'

describe('labels of days', () => {
  it('say a period once and no more of it than is needed', () => {
    expect(spanLabel('2026-03-31', '2026-03-31')).toBe('31 Mar 2026')
    expect(spanLabel('2026-03-01', '2026-03-31')).toBe('1 to 31 Mar 2026')
    expect(spanLabel('2026-03-30', '2026-04-05')).toBe('30 Mar to 5 Apr 2026')
    expect(spanLabel('2025-12-28', '2026-01-03')).toBe('28 Dec 2025 to 3 Jan 2026')
  })

  it('call a whole month by its name, and a part of one by its days', () => {
    expect(groupLabel('month', '2028-02-01', '2028-02-29')).toBe('February 2028')
    expect(groupLabel('month', '2026-02-10', '2026-02-28')).toBe('10 to 28 Feb 2026')
    expect(groupLabel('day', '2026-03-31', '2026-03-31')).toBe('Tue 31 Mar')
  })

  it('are short under bars', () => {
    expect(tickLabel('month', '2026-03-01', true)).toBe('Mar')
    expect(tickLabel('day', '2026-03-05', false)).toBe('5')
    expect(tickLabel('day', '2026-03-01', true)).toBe('1 Mar')
    expect(tickLabel('week', '2026-03-30', false)).toBe('30 Mar')
  })
})

describe('times', () => {
  it('stand in columns as hours and minutes', () => {
    expect([0, 29, 3599, 7800, 360_000].map(hoursMinutes)).toEqual([
      '0:00',
      '0:00',
      '1:00',
      '2:10',
      '100:00',
    ])
  })

  it('are exact to the second where one session is shown', () => {
    expect(exactDuration(0)).toBe('0 s')
    expect(exactDuration(3605)).toBe('1 h 0 min 5 s')
    expect(exactDuration(61)).toBe('1 min 1 s')
  })
})

describe('money and sizes', () => {
  it('are written as people write them', () => {
    expect(money({ currency: 'GBP', amount: '1234.50', exact: '1234.500000' })).toBe('£1,234.50')
    expect(money({ currency: '??', amount: '1.20', exact: '1.2' })).toBe('?? 1.20')
    expect([0, 999, 48_200, 1_250_000].map(size)).toEqual([
      '0 bytes',
      '999 bytes',
      '48 kB',
      '1.3 MB',
    ])
  })
})
