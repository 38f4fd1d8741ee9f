/** Times are RFC 3339 UTC with `Z`; energy Wh, power W, current A; ids are opaque. */
export type Id = string
export type Timestamp = string

export interface Reason {
  code: string
  text: string
}

export interface Site {
  id: Id
  name: string
  kind: 'home' | 'workplace'
  role: 'owner' | 'manager' | 'user' | 'administrator' | 'driver' | 'installer'
  time_zone: string
  default_hours?: Pick<DefaultHours, 'choice' | 'due' | 'in_force' | 'may_change'>
}

export interface Me {
  id: Id
  email: string
  name: string
  is_staff: boolean
  sites: Site[]
}

export type ScheduleOnChargerState = 'verified' | 'sending' | 'not_yet' | 'refused' | 'unknown'
export type ChargePointAction = 'reset' | 'unlock' | 'refresh'

export interface ChargePoint {
  id: Id
  identity: string
  name: string
  site: Id
  vendor: string | null
  model: string | null
  serial_number: string | null
  firmware_version: string | null
  online: boolean
  connected_since: Timestamp | null
  offline_since: Timestamp | null
  last_contact: Timestamp | null
  free_charging: boolean
  schedule_on_charger: { state: ScheduleOnChargerState; text: string }
  connectors: { id: Id; number: number }[]
  actions: ChargePointAction[]
  installation_limit_a?: number | null
  /** What this charger cannot keep, in plain words. */
  notices?: Reason[]
}

export type ConnectorState =
  | 'available'
  | 'waiting_for_schedule'
  | 'random_delay'
  | 'charging'
  | 'paused_by_vehicle'
  | 'finished'
  | 'unavailable'
  | 'faulted'
  | 'locked'
  | 'offline'

export interface Connector {
  id: Id
  charge_point: Id
  number: number
  state: ConnectorState
  reason: Reason | null
  since: Timestamp | null
  until: Timestamp | null
  power_w: number | null
  current_a: number | null
  voltage_v: number | null
  measured_at: Timestamp | null
  session: { id: Id; started: Timestamp; energy_wh: number; flow_seconds: number } | null
  plug: 'in' | 'out' | 'unknown'
  last_contact: Timestamp | null
  /** Names of the POSTs that are possible now; later servers may name more than this app knows. */
  actions: string[]
  command: Command | null
  /** The longest random delay that may follow `until`, in seconds. */
  delay_max_s?: number | null
  /** What the plan allows now, in amperes per phase, where there is something to say. */
  limit_a?: number | null
  /** While "charge now" is in force. */
  charge_now?: ChargeNow | null
  ready_by?: Pick<ReadyBy, 'energy_wh' | 'by' | 'achievable' | 'short_wh' | 'ready_at'> | null
  /** Another one means another plan. */
  plan_version?: string
}

export interface ChargeNow {
  since: Timestamp
  until: Timestamp | null
  energy_wh: number | null
  delivered_wh: number
}

export interface ReadyBy {
  energy_wh: number
  by: Timestamp
  power_w: number
  achievable: boolean
  short_wh: number
  ready_at: Timestamp | null
  chosen: { from: Timestamp; to: Timestamp }[]
  delivered_wh: number
}

export interface Pause {
  from: Timestamp
  to: Timestamp | null
  scope: Scope
}

export type Scope = 'socket' | 'charger'

export interface Warning {
  code: string
  minutes?: number
  text: string
}

export interface Schedule {
  id: Id
  name: string
  scope: Scope
  connector: Id | null
  windows: Window[]
  /** null: charges in these hours and no others; 0: not in these hours; else at most so many amperes in them. */
  limit_a: number | null
  time_base: 'local' | 'utc'
  enabled: boolean
  created: Timestamp
  warnings: Warning[]
}

export interface RandomDelay {
  maximum_s: number
  default_s: number
  ceiling_s: number
  /** The lowest this person may set. */
  floor_s: number
  may_change: boolean
}

export interface Delay {
  id: Id
  nominal: Timestamp
  kind: 'start' | 'increase' | 'decrease'
  seconds: number
  maximum_s: number
  actual: Timestamp | null
  skipped_at: Timestamp | null
  skipped_by: string | null
  reason: Reason | string | null
}

export type CommandState =
  'queued' | 'sent' | 'accepted' | 'rejected' | 'timed_out' | 'verified' | 'no_effect' | 'expired'

export interface Command {
  id: Id
  kind: string
  charge_point: Id
  connector: Id | null
  state: CommandState
  reason: Reason | null
  created: Timestamp
  sent: Timestamp | null
  answered: Timestamp | null
  verified: Timestamp | null
  deadline: Timestamp | null
}

export interface Plan {
  generated_at: Timestamp
  from: Timestamp
  to: Timestamp
  time_zone: string
  items: { from: Timestamp; to: Timestamp; limit_a: number | null; reason: Reason | null }[]
}

export type Day = 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday'

/** Wall time in the site's zone; an `end` at or before `start` lies on the next day. */
export interface Window {
  days: Day[]
  start: string
  end: string
}

export interface DefaultHours {
  choice: 'accepted' | 'changed' | 'removed' | null
  /** Whether this person may and has not yet chosen; until then the preset holds. */
  due?: boolean
  in_force: string
  windows: Window[]
  preset?: Window[]
  peak_hours: Window[]
  time_zone: string
  chosen_at?: Timestamp | null
  chosen_by?: string | null
  may_change?: boolean
  warnings?: Warning[]
}

export interface Page<T> {
  next: string | null
  previous: string | null
  results: T[]
}

export interface Configuration {
  reported_at: Timestamp | null
  keys: { key: string; value: string | null; read_only: boolean }[]
}

export interface TraceEntry {
  id: Id
  time: Timestamp
  direction: 'in' | 'out'
  action: string | null
  frame: string
}

export interface Problem {
  type?: string
  title?: string
  status: number
  code: string
  detail?: string
  errors?: Record<string, string[]>
}

export interface Collections {
  sites: Record<Id, Site>
  charge_points: Record<Id, ChargePoint>
  connectors: Record<Id, Connector>
  commands: Record<Id, Command>
}

export interface Snapshot extends Collections {
  seq: number
  time: Timestamp
}

export interface Change {
  collection: keyof Collections
  id: Id
  value: Site | ChargePoint | Connector | Command | null
}

export type ServerMessage =
  | { type: 'hello'; version: string; time: Timestamp }
  | ({ type: 'snapshot' } & Snapshot)
  | { type: 'changes'; seq: number; time: Timestamp; changes: Change[] }
  | { type: 'pong'; time: Timestamp }
