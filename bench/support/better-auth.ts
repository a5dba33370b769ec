import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

// The peer: better-auth with its device plugin and its memory store. It is no dependency of ours: whoever measures
// installs it into a folder, whose path comes by the environment.
const fromFolder = createRequire(`${process.env.BETTER_AUTH_FOLDER}/`)
const load = (name: string) => import(pathToFileURL(fromFolder.resolve(name)).href)
const { betterAuth } = await load('better-auth')
const { memoryAdapter } = await load('better-auth/adapters/memory')
const { deviceAuthorization } = await load('better-auth/plugins')
const { toNodeHandler } = await load('better-auth/node')

const port = Number(process.env.PORT)
const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  secret: 'only for measuring, and thirty-two long',
  database: memoryAdapter({ user: [], session: [], account: [], verification: [], deviceCode: [] }),
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [deviceAuthorization({ schema: {} })],
})
createServer(toNodeHandler(auth)).listen(port, '127.0.0.1')
