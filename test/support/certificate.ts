import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Certificate } from './redis-cluster.ts'

/** Signs itself, for the address that tests use; takes `openssl`. */
export function makeCertificate(folder: string): Certificate {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test
    -addext subjectAltName=IP:127.0.0.1 -keyout ${key} -out ${cert}`.split(/\s+/)
  const { status, stderr } = spawnSync('openssl', words, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl failed: ${stderr}`)
  return { cert, key }
}
