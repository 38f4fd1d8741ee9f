import { expect, it } from 'vitest'
import { en } from './en'
import { t } from './i18n'
import { words as hours } from './words/hours'
import { words as pages } from './words/pages'

it('fills in names', () => {
  expect(t('socket.name', { n: 2 })).toBe('Socket 2')
  expect(t('action.stop')).toBe('Stop')
})

it('keeps the words of the trade out', () => {
  for (const text of [...Object.values(en), ...Object.values(hours), ...Object.values(pages)]) {
    expect(text).not.toMatch(/ocpp|idtag|transaction|connector|charge point|websocket/i)
  }
})
