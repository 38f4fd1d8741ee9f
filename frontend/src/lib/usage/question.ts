import type { Group, Period } from '../api/usage'

/** What the usage screen shows, as it stands in the address of the page and in the questions to the server. */
export interface Question {
  period: Period
  /** Days, the last one included; for the period "custom" only. */
  from: string
  to: string
  group: Group
  site: string
  charge_point: string
  connector: string
  person: string
  id_tag: string
}

export const PERIODS: Period[] = [
  'this_month',
  'last_month',
  'this_year',
  'last_year',
  'last_12_months',
  'custom',
]
export const GROUPS: Group[] = ['session', 'day', 'week', 'month']
export const FILTERS = ['site', 'charge_point', 'connector', 'person', 'id_tag'] as const

/** What was shown last, so that the way back from a session leads there. */
export const shown = { search: '' }

/** The pieces in which a period is read best. */
export function usualGroup(period: Period): Group {
  return period === 'this_month' || period === 'last_month' || period === 'custom' ? 'day' : 'month'
}

export function readQuestion(search: string): Question {
  const params = new URLSearchParams(search)
  const given = (name: string) => params.get(name) ?? ''
  const period = PERIODS.find((one) => one === given('period')) ?? 'this_month'
  return {
    period,
    from: period === 'custom' ? given('from') : '',
    to: period === 'custom' ? given('to') : '',
    group: GROUPS.find((one) => one === given('group')) ?? usualGroup(period),
    site: given('site'),
    charge_point: given('charge_point'),
    connector: given('connector'),
    person: given('person'),
    id_tag: given('id_tag'),
  }
}

/** The parts that say something, as the server takes them. */
export function paramsOf(question: Question): Record<string, string> {
  const { period, from, to, group } = question
  const params: Record<string, string> = { period, group }
  if (period === 'custom') Object.assign(params, { from, to })
  for (const name of FILTERS) if (question[name]) params[name] = question[name]
  return params
}

export const searchOf = (question: Question) => `?${new URLSearchParams(paramsOf(question))}`

const DAY_MS = 86_400_000
const dayMs = (day: string) => Date.parse(`${day}T00:00:00Z`)

/** What is wrong with the dates: the words' key, or null. */
export function wrongDates(from: string, to: string): 'missing' | 'order' | 'long' | null {
  const [first, last] = [dayMs(from), dayMs(to)]
  if (!Number.isFinite(first) || !Number.isFinite(last)) return 'missing'
  if (last < first) return 'order'
  return last - first > 3660 * DAY_MS ? 'long' : null
}

/** A group of days as a period of its own, in the next smaller pieces. */
export function within(question: Question, first: string, last: string): Question {
  const group = question.group === 'month' ? 'day' : 'session'
  return { ...question, period: 'custom', from: first, to: last, group }
}
