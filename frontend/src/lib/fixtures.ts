import type { ChargePoint, Command, Connector, Site, Snapshot } from './api/types'

/** Objects for unit tests. */
export const NOW = Date.parse('2026-08-04T13:05:00Z')

export const connector = (over: Partial<Connector> = {}): Connector => ({
  id: 'c1',
  charge_point: 'p1',
  number: 1,
  state: 'waiting_for_schedule',
  reason: { code: 'default-hours', text: 'Waiting for your off-peak hours' },
  since: '2026-08-04T12:00:00Z',
  until: '2026-08-04T21:07:31Z',
  power_w: 0,
  current_a: 0,
  voltage_v: 231,
  measured_at: '2026-08-04T13:04:50Z',
  session: null,
  plug: 'in',
  last_contact: '2026-08-04T13:04:50Z',
  actions: ['charge-now'],
  command: null,
  ...over,
})

export const command = (over: Partial<Command> = {}): Command => ({
  id: 'k1',
  kind: 'charge-now',
  charge_point: 'p1',
  connector: 'c1',
  state: 'queued',
  reason: null,
  created: '2026-08-04T13:04:58Z',
  sent: null,
  answered: null,
  verified: null,
  deadline: null,
  ...over,
})

export const site: Site = {
  id: 's1',
  name: 'Home',
  kind: 'home',
  role: 'owner',
  time_zone: 'Europe/London',
}

export const chargePoint: ChargePoint = {
  id: 'p1',
  identity: 'A1',
  name: 'Driveway',
  site: 's1',
  vendor: null,
  model: null,
  serial_number: null,
  firmware_version: null,
  online: true,
  connected_since: null,
  offline_since: null,
  last_contact: null,
  free_charging: true,
  schedule_on_charger: { state: 'verified', text: '' },
  connectors: [{ id: 'c1', number: 1 }],
  actions: [],
}

export const snapshot: Snapshot = {
  seq: 4,
  time: '2026-08-04T13:05:00Z',
  sites: { s1: site },
  charge_points: { p1: chargePoint },
  connectors: { c1: connector() },
  commands: {},
}
