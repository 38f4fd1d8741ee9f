import type { Site } from './api/types'

type Role = Site['role']

const MANAGING: Role[] = ['owner', 'manager', 'administrator']
const CHARGING: Role[] = [...MANAGING, 'user', 'driver']
const TECHNICAL: Role[] = [...MANAGING, 'installer']

/** What to offer; what is allowed, the server decides. */
export const manages = (role: Role | undefined) => role !== undefined && MANAGING.includes(role)
export const charges = (role: Role | undefined) => role !== undefined && CHARGING.includes(role)
export const isTechnical = (role: Role | undefined) =>
  role !== undefined && TECHNICAL.includes(role)
