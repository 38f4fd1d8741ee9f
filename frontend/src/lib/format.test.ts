import { describe, expect, it } from 'vitest'
import {
  age,
  countdown,
  duration,
  energy,
  isLive,
  kilowattHours,
  kilowatts,
  moment,
  stamp,
  wait,
} from './format'

const LONDON = 'Europe/London'
const now = Date.parse('2026-08-04T21:30:00Z') // Tuesday 22:30 in London

describe('moment', () => {
  it('speaks in the charger’s zone', () => {
    expect(moment('2026-08-04T13:02:00Z', now, LONDON)).toBe('14:02')
    expect(moment('2026-08-04T13:02:00Z', now, 'Europe/Stockholm')).toBe('15:02')
  })

  it('names the day when it is not today', () => {
    expect(moment('2026-08-04T23:30:00Z', now, LONDON)).toBe('tomorrow 00:30')
    expect(moment('2026-08-03T13:02:00Z', now, LONDON)).toBe('yesterday 14:02')
    expect(moment('2026-08-07T07:00:00Z', now, LONDON)).toBe('Fri 08:00')
    expect(moment('2026-08-20T07:00:00Z', now, LONDON)).toMatch(/^Thu,? 20 Aug 08:00$/)
  })

  it('tells drawn seconds only where they matter', () => {
    expect(moment('2026-08-04T21:07:31Z', now, LONDON, { exact: true })).toBe('22:07:31')
    expect(moment('2026-08-04T21:07:00Z', now, LONDON, { exact: true })).toBe('22:07')
    expect(moment('2026-08-04T21:07:31Z', now, LONDON)).toBe('22:07')
  })

  it('writes midnight as 00', () => {
    expect(moment('2026-08-03T23:00:00Z', now, LONDON)).toBe('00:00')
  })
})

describe('age', () => {
  it.each([
    [0, 'just now'],
    [-3, 'just now'],
    [12, '12 s ago'],
    [59, '59 s ago'],
    [60, '1 min ago'],
    [3599, '59 min ago'],
    [7300, '2 h ago'],
    [86_400, '1 day ago'],
    [200_000, '2 days ago'],
  ])('%i s', (seconds, text) => {
    expect(age(now - seconds * 1000, now)).toBe(text)
  })
})

describe('figures', () => {
  it('rounds power, but never a trickle to nothing', () => {
    expect(kilowatts(7214)).toBe('7.2')
    expect(kilowatts(0)).toBe('0.0')
    expect(kilowatts(30)).toBe('0.03')
    expect(kilowattHours(4321)).toBe('4.32')
    expect(kilowattHours(15_420)).toBe('15.4')
  })

  it('says durations and waits as people do', () => {
    expect(duration(30)).toBe('under a minute')
    expect(duration(2700)).toBe('45 min')
    expect(duration(7800)).toBe('2 h 10 min')
    expect(duration(7200)).toBe('2 h')
    expect(wait(45)).toBe('45 seconds')
    expect(wait(312)).toBe('6 minutes')
  })

  it('calls nothing live that is older than 90 seconds', () => {
    expect(isLive(new Date(now - 90_000).toISOString(), now)).toBe(true)
    expect(isLive(new Date(now - 91_000).toISOString(), now)).toBe(false)
    expect(isLive(null, now)).toBe(false)
  })

  it('stamps records to the second', () => {
    expect(stamp('2026-08-04T13:05:31Z', LONDON)).toMatch(/Tue,? 4 Aug, 14:05:31/)
  })
})

describe('countdown', () => {
  it('runs to the second and never below nothing', () => {
    expect([252, 61, 60, 59.2, 0.4, -3].map(countdown)).toEqual([
      '4 min 12 s',
      '1 min 1 s',
      '1 min 0 s',
      '1 min 0 s',
      '1 s',
      '0 s',
    ])
  })
})

it('writes energy that was asked for as it was asked', () => {
  expect([40_000, 6000, 7500].map(energy)).toEqual(['40', '6', '7.5'])
})
