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

export type ConnectorAction = 'charge-now' | 'wait-for-schedule' | 'stop'

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
  in_force: string
  windows: Window[]
  peak_hours: Window[]
  time_zone: string
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
