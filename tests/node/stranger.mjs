// A charge point nobody of this project wrote: the npm package ocpp-rpc, which validates every message in both
// directions against the schemas of OCPP 1.6. Told what to do by JSON lines on standard input, it says by JSON lines on
// standard output what happened. Certificates come by NODE_EXTRA_CA_CERTS.
//
//   node stranger.mjs <wss url without identity> <identity> <key in hexadecimal> <raw|hex-text>
//
//   in   {"do": "call", "action": "StatusNotification", "payload": {…}}  → {"said": "result"|"error", …}
//        {"do": "close"}                                                  → {"said": "closed", …}
//   out  {"said": "open"}, {"said": "refused", "status": 401}, {"said": "asked", action, payload, answer},
//        {"said": "invalid", …} for whatever breaks the standard, either way
import { createInterface } from 'node:readline'
import { RPCClient, createRPCError } from 'ocpp-rpc'

const [endpoint, identity, keyHex, keyForm] = process.argv.slice(2)
const say = (said, more = {}) => process.stdout.write(JSON.stringify({ said, ...more }) + '\n')

const client = new RPCClient({
  endpoint,
  identity,
  password: keyForm === 'hex-text' ? keyHex : Buffer.from(keyHex, 'hex'),
  protocols: ['ocpp1.6'],
  strictMode: ['ocpp1.6'],
  reconnect: false,
  callTimeoutMs: 20_000,
})

// What an ordinary charger would hold.
const configuration = new Map([
  ['HeartbeatInterval', { readonly: false, value: '300' }],
  ['MeterValueSampleInterval', { readonly: false, value: '60' }],
  ['MeterValuesSampledData', { readonly: false, value: 'Energy.Active.Import.Register,Power.Active.Import' }],
  ['NumberOfConnectors', { readonly: true, value: '2' }],
  ['ChargeProfileMaxStackLevel', { readonly: true, value: '10' }],
  ['ChargingScheduleAllowedChargingRateUnit', { readonly: true, value: 'Current,Power' }],
  ['ChargingScheduleMaxPeriods', { readonly: true, value: '48' }],
  ['MaxChargingProfilesInstalled', { readonly: true, value: '20' }],
  ['SupportedFeatureProfiles', { readonly: true, value: 'Core,SmartCharging,RemoteTrigger,LocalAuthListManagement' }],
  ['LocalAuthListEnabled', { readonly: false, value: 'true' }],
  ['LocalAuthListMaxLength', { readonly: true, value: '100' }],
  ['SendLocalListMaxLength', { readonly: true, value: '50' }],
])
const profiles = new Map()
let listVersion = 0

const answers = {
  GetConfiguration({ key }) {
    const wanted = key?.length ? key : [...configuration.keys()]
    const known = wanted.filter((name) => configuration.has(name))
    return {
      configurationKey: known.map((name) => ({ key: name, ...configuration.get(name) })),
      unknownKey: wanted.filter((name) => !configuration.has(name)),
    }
  },
  ChangeConfiguration({ key, value }) {
    const held = configuration.get(key)
    if (!held) return { status: 'NotSupported' }
    if (held.readonly) return { status: 'Rejected' }
    held.value = value
    return { status: 'Accepted' }
  },
  SetChargingProfile({ connectorId, csChargingProfiles: profile }) {
    profiles.set(profile.chargingProfileId, { connectorId, profile })
    return { status: 'Accepted' }
  },
  ClearChargingProfile({ id, connectorId, chargingProfilePurpose, stackLevel }) {
    const hit = [...profiles].filter(
      ([key, held]) =>
        (id === undefined || id === key) &&
        (connectorId === undefined || connectorId === held.connectorId) &&
        (chargingProfilePurpose === undefined || chargingProfilePurpose === held.profile.chargingProfilePurpose) &&
        (stackLevel === undefined || stackLevel === held.profile.stackLevel),
    )
    hit.forEach(([key]) => profiles.delete(key))
    return { status: hit.length ? 'Accepted' : 'Unknown' }
  },
  GetCompositeSchedule({ connectorId, duration, chargingRateUnit }) {
    const unit = chargingRateUnit ?? 'A'
    return {
      status: 'Accepted',
      connectorId,
      scheduleStart: new Date().toISOString(),
      chargingSchedule: {
        duration,
        chargingRateUnit: unit,
        chargingSchedulePeriod: [{ startPeriod: 0, limit: unit === 'A' ? 16 : 3680 }],
      },
    }
  },
  TriggerMessage: () => ({ status: 'Accepted' }),
  RemoteStartTransaction: () => ({ status: 'Accepted' }),
  RemoteStopTransaction: () => ({ status: 'Accepted' }),
  Reset: () => ({ status: 'Accepted' }),
  ChangeAvailability: () => ({ status: 'Accepted' }),
  UnlockConnector: () => ({ status: 'NotSupported' }),
  ClearCache: () => ({ status: 'Accepted' }),
  GetLocalListVersion: () => ({ listVersion }),
  SendLocalList({ listVersion: sent }) {
    listVersion = sent
    return { status: 'Accepted' }
  },
}

client.handle(({ method, params }) => {
  const answer = answers[method]?.(params)
  say('asked', { action: method, payload: params, answer })
  if (!answer) throw createRPCError('NotImplemented', `${method} is unknown here`)
  return answer
})
client.on('strictValidationFailure', ({ method, params, result, error, outbound }) =>
  say('invalid', { action: method, params, result, outbound, error: `${error.message} ${JSON.stringify(error.details)}` }),
)
client.on('badMessage', ({ error }) => say('invalid', { error: String(error) }))
client.on('disconnect', ({ code, reason }) => say('disconnected', { code, reason }))

async function call({ action, payload }) {
  try {
    say('result', { action, payload: await client.call(action, payload) })
  } catch (error) {
    say('error', { action, code: error.rpcErrorCode ?? error.name, description: error.message })
  }
}

try {
  await client.connect()
} catch (error) {
  say('refused', { status: error.code, description: error.message })
  process.exit(0)
}
say('open', { protocol: client.protocol })

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line)
  if (request.do === 'close') break
  await call(request)
}
say('closed', await client.close({ awaitPending: true }))
process.exit(0)
