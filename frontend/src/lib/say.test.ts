import { expect, it } from 'vitest'
import type { Window } from './api/types'
import { DAYS } from './hours'
import { barText, daysText, hoursText, peakText } from './say'
import { barsOf } from './week'

const PEAKS: Window[] = [
  { days: DAYS.slice(0, 5), start: '08:00', end: '11:00' },
  { days: DAYS.slice(0, 5), start: '16:00', end: '22:00' },
]

it('names days as people do', () => {
  expect(daysText([0, 1, 2, 3, 5])).toBe('Mon to Thu, Sat')
  expect(daysText([0, 1])).toBe('Mon, Tue')
})

it('says hours in one line', () => {
  expect(
    hoursText([
      { days: DAYS, start: '22:00', end: '07:30' },
      { days: ['saturday', 'sunday'], start: '00:00', end: '24:00' },
    ]),
  ).toBe(
    'Mon 00:00–07:30, 22:00–07:30; Tue to Thu 22:00–07:30; Fri 22:00–24:00; Sat, Sun 00:00–24:00',
  )
})

it('warns of the peaks in words, and only then', () => {
  const evening = barsOf([{ days: ['monday', 'tuesday'], start: '15:00', end: '17:30' }])
  expect(peakText(evening, PEAKS)).toMatch(/^3 h a week lie in the peaks: Mon, Tue 16:00–17:30\./)
  expect(peakText(barsOf([{ days: DAYS, start: '22:00', end: '07:30' }]), PEAKS)).toBe('')
})

it('reads a bar out', () => {
  const [bar] = barsOf([{ days: ['sunday'], start: '22:00', end: '07:30' }])
  expect(bar && barText(bar)).toBe('Sunday, 22:00 to 07:30 the next day')
})
