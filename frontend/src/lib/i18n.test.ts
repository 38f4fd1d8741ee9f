import { expect, it } from 'vitest'
import { en } from './en'
import { t } from './i18n'
import { words } from './words/hours'

it('fills in names', () => {
  expect(t('socket.name', { n: 2 })).toBe('Socket 2')
  expect(t('action.stop')).toBe('Stop')
})

it('keeps the words of the trade out', () => {
  for (const text of [...Object.values(en), ...Object.values(words)]) {
    expect(text).not.toMatch(/ocpp|idtag|transaction|connector|charge point|websocket/i)
  }
})
