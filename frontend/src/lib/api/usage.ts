import type { Id, Page, Timestamp, Window } from './types'

export type Period =
  'this_month' | 'last_month' | 'this_year' | 'last_year' | 'last_12_months' | 'custom'
export type Group = 'session' | 'day' | 'week' | 'month'

export interface Cost {
  currency: string
  /** To the hundredth. */
  amount: string
  exact: string
}

export interface Total {
  energy_import_wh: number
  energy_export_wh: number
  flow_seconds: number
  sessions: number
  costs: Cost[]
}

export interface GroupRow extends Total {
  from: Timestamp
  to: Timestamp
  first_day: string
  last_day: string
}

export interface UsageSession {
  id: Id
  site: Id | null
  charge_point: Id
  charge_point_name: string
  connector: Id
  number: number
  started: Timestamp
  stopped: Timestamp | null
  /** The day that it counts in. */
  local_day: string
  energy_import_wh: number
  energy_export_wh: number
  flow_seconds: number
  plugged_seconds: number
  id_tag_label: string
  person: { id: Id; name: string } | null
  cost: Cost | null
  stop_reason: string | null
  quality: { exact: boolean; notes: string[] }
}

export interface UsageSessionDetail extends UsageSession {
  plugged_from: Timestamp | null
  plugged_until: Timestamp | null
  meter_start_wh: number | null
  meter_stop_wh: number | null
  readings: number
  /** Whether the card or app that started it was known to the charger's owner. */
  authorised: boolean
  missing: number
  told: {
    started: string | null
    start_received: Timestamp | null
    stopped: string | null
    stop_received: Timestamp | null
  }
}

/** What delayed, moved or limited a session. */
export interface StoryEvent {
  time: Timestamp
  code: string
  text: string
}

export interface Summary {
  period: {
    from: Timestamp
    to: Timestamp
    first_day: string
    last_day: string
    time_zone: string
    group: Group
  }
  total: Total
  /** By session each is a session, newest first. */
  groups: (GroupRow | UsageSession)[]
}

export interface Power {
  resolution: '1s' | '1min'
  from: Timestamp
  to: Timestamp
  interval_seconds: number | null
  /** [seconds after from, W]; less than 0 W is energy sent out. */
  points: [number, number][]
  gaps: { from: Timestamp; to: Timestamp; missing: number }[]
  missing: number
  /** Ask again from here for the rest. */
  next: Timestamp | null
}

export type ExportFormat = 'csv' | 'xlsx' | 'pdf' | 'json'

export interface Export {
  id: Id
  format: ExportFormat
  state: 'queued' | 'running' | 'ready' | 'failed'
  first_day: string
  last_day: string
  group: Group
  rows: number
  rows_total: number | null
  progress: number
  bytes: number
  file_name: string
  url: string | null
  created: Timestamp
  expires: Timestamp
}

export type Exports = Page<Export>

export type PriceWindow = Window & { price: string }

export interface Tariff {
  currency: string
  price: string
  windows: PriceWindow[]
  valid_from: Timestamp
}

export interface Tariffs {
  time_zone: string
  in_force: Tariff | null
  planned: Tariff[]
  past: Tariff[]
}
