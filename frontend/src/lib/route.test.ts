import { describe, expect, it } from 'vitest'
import {
  chargerPath,
  hoursPath,
  match,
  rulePath,
  safeNext,
  siteHoursPath,
  sitePricePath,
  usageSessionPath,
} from './route'

describe('match', () => {
  it('knows its pages', () => {
    expect(match('/')).toEqual({ name: 'home' })
    expect(match('/account/')).toEqual({ name: 'account' })
    expect(match('/chargers/p%201')).toEqual({ name: 'charger', id: 'p 1' })
    expect(match(chargerPath('a/b'))).toEqual({ name: 'charger', id: 'a/b' })
    expect(match(hoursPath('p1'))).toEqual({ name: 'charger-hours', id: 'p1' })
    expect(match(rulePath('p1', 'new-rule'))).toEqual({ name: 'rule', id: 'p1', rule: 'new-rule' })
    expect(match(siteHoursPath('s1'))).toEqual({ name: 'site-hours', id: 's1' })
    expect(match(sitePricePath('s1'))).toEqual({ name: 'site-price', id: 's1' })
    expect(match('/usage')).toEqual({ name: 'usage' })
    expect(match(usageSessionPath('u1'))).toEqual({ name: 'usage-session', id: 'u1' })
  })

  it('says so when there is none', () => {
    for (const path of [
      '/nothing',
      '/chargers',
      '/chargers/a/b',
      '/sites/s1',
      '/account/x',
      '/chargers/%E0%A4%A',
    ]) {
      expect(match(path).name).toBe('not-found')
    }
  })
})

describe('safeNext', () => {
  it('stays within the app', () => {
    expect(safeNext('/chargers/p1')).toBe('/chargers/p1')
    for (const bad of [null, '', 'https://example.org', '//example.org', '/\\example.org']) {
      expect(safeNext(bad)).toBe('/')
    }
    expect(safeNext('/sign-in')).toBe('/')
  })
})
