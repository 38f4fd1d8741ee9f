import { describe, expect, it } from 'vitest'
import { groupCode, groupTyped, normaliseCode } from './code'

describe('claim codes', () => {
  it('does not mind case, spaces and dashes', () => {
    expect(normaliseCode(' abcd-efgh jklm ')).toBe('ABCDEFGHJKLM')
    expect(normaliseCode('ab–cd')).toBe('ABCD')
  })

  it('reads in groups of four', () => {
    expect(groupCode('abcdefghjk')).toBe('ABCD-EFGH-JK')
    expect(groupCode('abcd')).toBe('ABCD')
    expect(groupCode('')).toBe('')
  })

  it('keeps the caret behind the letter that was typed', () => {
    expect(groupTyped('abcde', 5)).toEqual({ text: 'ABCD-E', caret: 6 })
    expect(groupTyped('ABxCD-EFGH', 3)).toEqual({ text: 'ABXC-DEFG-H', caret: 3 })
    expect(groupTyped('ABCD-', 5)).toEqual({ text: 'ABCD', caret: 4 })
  })
})
