import { describe, expect, it } from 'vitest'
import { paramsOf, readQuestion, searchOf, within, wrongDates } from './question'

describe('readQuestion', () => {
  it('takes this month by day where the address says nothing, or nonsense', () => {
    for (const search of ['', '?period=never&group=hour', '?from=2026-01-01']) {
      expect(readQuestion(search)).toMatchObject({ period: 'this_month', group: 'day', from: '' })
    }
    expect(readQuestion('?period=last_12_months').group).toBe('month')
  })

  it('is what was written into the address', () => {
    const asked = readQuestion(
      '?period=custom&from=2026-01-05&to=2026-02-01&group=week&charge_point=p1&id_tag=A%26B',
    )
    expect(asked).toMatchObject({ from: '2026-01-05', to: '2026-02-01', id_tag: 'A&B' })
    expect(readQuestion(searchOf(asked))).toEqual(asked)
  })
})

describe('paramsOf', () => {
  it('leaves out what says nothing, and dates of named periods', () => {
    const asked = { ...readQuestion('?period=last_year&connector=c1'), from: '2026-01-01' }
    expect(paramsOf(asked)).toEqual({ period: 'last_year', group: 'month', connector: 'c1' })
  })
})

describe('within', () => {
  it('opens a month by day, and days by session, with the same filters', () => {
    const year = readQuestion('?period=this_year&person=u1')
    const month = within(year, '2026-03-01', '2026-03-31')
    expect(month).toMatchObject({ period: 'custom', group: 'day', person: 'u1', to: '2026-03-31' })
    expect(within(month, '2026-03-04', '2026-03-04').group).toBe('session')
  })
})

describe('wrongDates', () => {
  it('finds missing, reversed and endless dates', () => {
    expect(wrongDates('', '2026-01-01')).toBe('missing')
    expect(wrongDates('2026-01-01', '2026-1-3')).toBe('missing')
    expect(wrongDates('2026-01-02', '2026-01-01')).toBe('order')
    expect(wrongDates('2010-01-01', '2026-01-01')).toBe('long')
    expect(wrongDates('2026-01-01', '2026-01-01')).toBeNull()
  })
})
