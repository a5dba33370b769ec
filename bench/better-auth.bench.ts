import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { closeAll, closeLater } from './support/close-later.ts'
import { moveToLoadCore } from './support/cores.ts'
import { type DeviceRequests, deviceMeasures } from './support/device-measures.ts'
import { freePort } from './support/free-port.ts'
import { memoryDeployment, startLatchkey } from './support/latchkey.ts'
import { latchkeyDevice } from './support/latchkey-device.ts'
import { type Shot, volley } from './support/load.ts'
import { rounded, spreadOf } from './support/numbers.ts'
import { DEVICE_GRANT, PEER_CLIENT_ID } from './support/peer-client.ts'
import { startServer } from './support/server-process.ts'
import { writeResults } from './support/write-results.ts'

const VERSION = '1.4.9'
const ROUNDS = 5
/** Of a round; each searches all flows before it. */
const PEER_REQUESTS = 200
const WARM_UP_ROUNDS = 8
const SCRIPT = fileURLToPath(new URL('support/better-auth.ts', import.meta.url))
const NAMES = ['device_code', 'pending_poll'] as const

/** Its memory store is searched from end to end, so it gets few flows: with more it would look the slower. */
const peerDevice: DeviceRequests = {
  start: () => post('/api/auth/device/code', { client_id: PEER_CLIENT_ID }),
  poll: (deviceCode) =>
    post('/api/auth/device/token', { client_id: PEER_CLIENT_ID, grant_type: DEVICE_GRANT, device_code: deviceCode }),
}

function post(path: string, body: object): Shot {
  return { method: 'POST', path, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

/** Latchkey on memory over better-auth on memory, requests a second of CPU time, in turn. */
async function main(): Promise<void> {
  const folder = closeLater(await mkdtemp(join(tmpdir(), 'latchkey-peer-')), (path) => rm(path, { recursive: true }))
  const install = [
    'install',
    '--prefix',
    folder,
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    `better-auth@${VERSION}`,
  ]
  execFileSync('npm', install, { stdio: 'ignore' })
  const env = { BETTER_AUTH_FOLDER: folder }
  const peer = closeLater(await startServer([SCRIPT], await freePort(), '/api/auth/ok', env), ({ stop }) => stop())
  const { settings } = closeLater(await memoryDeployment(), ({ close }) => close())
  const latchkey = closeLater(await startLatchkey(settings), ({ stop }) => stop())
  const [ours, theirs] = [deviceMeasures(latchkeyDevice), deviceMeasures(peerDevice, PEER_REQUESTS)]
  const ratios = { device_code: [] as number[], pending_poll: [] as number[] }
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    for (const name of NAMES) {
      const mine = await volley(latchkey, ours[name].load())
      const yours = await volley(peer, theirs[name].load())
      if (round >= WARM_UP_ROUNDS) ratios[name].push(mine.perCpuSecond / yours.perCpuSecond)
    }
  }
  const results = Object.fromEntries(
    NAMES.map((name) => {
      const { median, min, max } = spreadOf(ratios[name])
      return [name, { median: rounded(median, 2), min: rounded(min, 2), max: rounded(max, 2) }]
    }),
  )
  // Of both on memory.
  writeResults('better-auth', { version: VERSION, times_peer: results })
}

moveToLoadCore()
try {
  await main()
} finally {
  await closeAll()
}
